//! Serves the connections of one thread.

use std::convert::Infallible;
use std::error::Error;
use std::rc::Rc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task;

use super::limits::{MAX_FIELDS, MAX_HEAD_BYTES, MAX_MALFORMED, MAX_RESETS, MAX_STREAMS, PING};
use super::requests::Requests;
use super::version::{Version, detect};
use super::{Accepted, Limits, without_body};
use crate::service::Service;

/// Answers the requests of proxies in one thread.
pub trait FrontEnd: 'static {
    /// The body of answers. Its default is empty.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Default + 'static;

    /// Whether its answers over HTTP/2 have the field `Date`.
    const HAS_DATE: bool = true;

    /// Answers a request. If the client leaves, the future is dropped.
    fn answer(
        &self,
        service: &Service,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Self::Body>>;
}

/// The connections of one thread.
#[derive(Debug)]
pub struct Connections {
    service: Service,
    limits: Limits,
    graceful: GracefulShutdown,
}

impl Connections {
    /// Serves connections in the current thread with this service.
    #[must_use]
    pub fn new(service: Service, limits: Limits) -> Self {
        Self {
            service,
            limits,
            graceful: GracefulShutdown::new(),
        }
    }

    /// Serves connections until no more arrive. Then asks clients to close their
    /// connections, and waits for the answers of all requests.
    ///
    /// `serve` serves a connection with its front end.
    pub async fn run(
        self,
        mut accepted: mpsc::Receiver<Accepted>,
        serve: impl Fn(Accepted, Connection),
    ) {
        while let Some(connection) = accepted.recv().await {
            let served = Connection {
                service: self.service.clone(),
                limits: self.limits,
                watcher: self.graceful.watcher(),
            };
            serve(connection, served);
        }
        self.graceful.shutdown().await;
    }
}

/// What a connection is served with.
pub struct Connection {
    service: Service,
    limits: Limits,
    watcher: Watcher,
}

impl Connection {
    /// Serves a connection until it ends, in a task of its own.
    pub fn serve<F: FrontEnd>(self, accepted: Accepted, front_end: &Rc<F>) {
        let front_end = Rc::clone(front_end);
        task::spawn_local(async move {
            let Accepted { stream, place, .. } = accepted;
            if let Ok(stream) = TcpStream::from_std(stream) {
                self.speak(stream, front_end).await;
            }
            drop(place);
        });
    }

    async fn speak<F: FrontEnd>(self, stream: TcpStream, front_end: Rc<F>) {
        let Ok(version) = detect(&stream, self.limits.idle).await else {
            return;
        };
        let service = self.service.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let (front_end, service) = (Rc::clone(&front_end), service.clone());
            let (version, method) = (request.version(), request.method().clone());
            async move {
                let answer = front_end.answer(&service, request).await;
                Ok::<_, Infallible>(without_body((version, &method), answer))
            }
        });
        let stream = TokioIo::new(stream);
        // Whether the connection ended with an error concerns only the client.
        let _ = match version {
            Version::Http1 => {
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(self.limits.idle)
                    .max_headers(MAX_FIELDS)
                    .max_buf_size(MAX_HEAD_BYTES)
                    .serve_connection(stream, answer);
                self.watcher.watch(connection).await
            }
            Version::Http2 => {
                let requests = Requests::default();
                let connection = http2::Builder::new(requests.arrivals())
                    .auto_date_header(F::HAS_DATE)
                    .timer(TokioTimer::new())
                    .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
                    .max_concurrent_streams(MAX_STREAMS)
                    .max_pending_accept_reset_streams(MAX_RESETS)
                    .max_local_error_reset_streams(MAX_MALFORMED)
                    .keep_alive_interval(PING)
                    .keep_alive_timeout(PING)
                    .serve_connection(stream, answer);
                let connection = self.watcher.watch(connection);
                requests.serve(&self.service, connection).await
            }
        };
    }
}
