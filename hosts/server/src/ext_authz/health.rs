//! gRPC's health protocol (`grpc.health.v1.Health`).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_stream::Stream;
use tonic::codegen::BoxFuture;
use tonic::server::{ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// The service whose health is asked for beside that of the server, which has no name.
const SERVICE: &str = "envoy.service.auth.v3.Authorization";
/// How often a watched state is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// Says whether the server is ready to decide.
#[derive(Clone)]
pub struct Readiness(Arc<dyn Fn() -> bool + Send + Sync>);

impl Readiness {
    /// Asks this function, which must not block.
    #[must_use]
    pub fn new(is_ready: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_ready))
    }

    fn of(&self, service: &str) -> ServingStatus {
        match service {
            "" | SERVICE if (self.0)() => ServingStatus::Serving,
            "" | SERVICE => ServingStatus::NotServing,
            _ => ServingStatus::ServiceUnknown,
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Readiness").field(&(self.0)()).finish()
    }
}

/// The method `Check`.
pub(super) struct Once(pub(super) Readiness);

impl UnaryService<HealthCheckRequest> for Once {
    type Response = HealthCheckResponse;
    type Future = BoxFuture<Response<HealthCheckResponse>, Status>;

    fn call(&mut self, request: Request<HealthCheckRequest>) -> Self::Future {
        let status = self.0.of(&request.get_ref().service);
        let answer = match status {
            ServingStatus::ServiceUnknown => Err(Status::not_found("unknown service")),
            ServingStatus::Unknown | ServingStatus::Serving | ServingStatus::NotServing => {
                Ok(Response::new(response(status)))
            }
        };
        Box::pin(std::future::ready(answer))
    }
}

/// The method `Watch`.
pub(super) struct Watch(pub(super) Readiness);

impl ServerStreamingService<HealthCheckRequest> for Watch {
    type Response = HealthCheckResponse;
    type ResponseStream = Changes;
    type Future = BoxFuture<Response<Changes>, Status>;

    fn call(&mut self, request: Request<HealthCheckRequest>) -> Self::Future {
        let mut looks = interval(PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let changes = Changes {
            readiness: self.0.clone(),
            service: request.into_inner().service,
            latest: None,
            looks,
        };
        Box::pin(std::future::ready(Ok(Response::new(changes))))
    }
}

/// The current state, and then each change.
pub(super) struct Changes {
    readiness: Readiness,
    service: String,
    latest: Option<ServingStatus>,
    looks: Interval,
}

impl Stream for Changes {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            ready!(self.looks.poll_tick(context));
            let status = self.readiness.of(&self.service);
            if self.latest.replace(status) != Some(status) {
                return Poll::Ready(Some(Ok(response(status))));
            }
        }
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}
