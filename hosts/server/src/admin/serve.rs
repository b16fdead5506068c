//! The server of probes and metrics.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::{task, time};

use super::{Readiness, metrics};
use crate::connections::Threads;
use crate::observation::{Log, Registry};
use crate::reload::Updates;

/// The maximum number of connections.
const MAX_CONNECTIONS: usize = 64;
/// How long a connection may take for a request.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection may last. A client that reads no answers would keep its place.
const LIFETIME: Duration = Duration::from_mins(2);
/// The pause after the system has refused a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// What probes and metrics report.
#[derive(Debug)]
pub struct Admin {
    /// Whether the process can decide requests.
    pub readiness: Arc<Readiness>,
    /// The metrics.
    pub registry: Arc<Registry>,
    /// The log.
    pub log: Arc<Log>,
    /// The connections of proxies.
    pub threads: Threads,
    /// The updates of the configuration.
    pub updates: Arc<Updates>,
}

/// Serves probes and metrics until the future is dropped. It must run in a
/// [`task::LocalSet`].
pub async fn serve(listener: TcpListener, admin: Admin) {
    let admin = Rc::new(admin);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            time::sleep(PAUSE).await;
            continue;
        };
        let admin = Rc::clone(&admin);
        task::spawn_local(async move {
            let answer = service_fn(|request| {
                let answer = admin.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            // Whether the connection ended with an error concerns only the client.
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE)
                .serve_connection(TokioIo::new(stream), answer);
            let _ = time::timeout(LIFETIME, served).await;
            drop(place);
        });
    }
}

impl Admin {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/live" | "/ready" | "/metrics" if !is_read => {
                text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned())
            }
            "/live" => text(StatusCode::OK, "live\n".to_owned()),
            "/ready" => match self.readiness.check() {
                Ok(()) => text(StatusCode::OK, "ready\n".to_owned()),
                Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
            },
            "/metrics" => {
                let mut response = text(StatusCode::OK, metrics::render(self));
                let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, format);
                response
            }
            _ => text(
                StatusCode::NOT_FOUND,
                "/live, /ready and /metrics are served here\n".to_owned(),
            ),
        }
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, plain);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
