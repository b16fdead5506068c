//! Forward authentication: a proxy asks with a request of its own about each request of a
//! client. nginx calls this `auth_request`, Traefik `ForwardAuth` and Caddy `forward_auth`.
//!
//! The proxy's request has the client's header fields, and the client's method, URI and host
//! in fields that the proxy sets. Which fields these are depends on the proxy
//! ([`Preset`]). Without them the request is refused: nothing is guessed.
//!
//! Every answer of the server has a mark, and tells the proxy what the upstream gets
//! (`marks`). `examples/forward-auth` has the set-up of each proxy, the other half of this
//! interface.
//!
//! Proxies take every answer with a status of 2xx as permission. So only a forwarded request
//! is answered with one ([`Mode::Authorize`]). A reply of the filter that has such a status,
//! for example to a preflight, is sent only where the proxy passes it on to the client
//! ([`Mode::Reply`]).

mod answer;
mod marks;
mod mode;
mod original;
mod preset;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::access;
use crate::connections::FrontEnd;
use crate::service::Service;
pub use mode::Mode;
pub use preset::Preset;

/// The front end for one kind of proxy.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    /// The proxy.
    pub preset: Preset,
    /// The field in which the proxy names the client's certificate, if it does.
    pub certificate: Option<http::HeaderName>,
}

impl ForwardAuth {
    /// Answers a request of a proxy. The body of the request is not read. A panic ends in a
    /// refusal with the status 503.
    pub async fn decide<B>(
        &self,
        service: &Service,
        request: &Request<B>,
    ) -> Response<Full<Bytes>> {
        let decided = service.caught(self.decided(service, request)).await;
        decided.unwrap_or_else(|_| answer::failed(self.preset))
    }

    async fn decided<B>(&self, service: &Service, request: &Request<B>) -> Response<Full<Bytes>> {
        let mode = Mode::of(request.uri().path());
        let original = mode.and_then(|mode| {
            let original = original::read(self, request.headers());
            original.map(|question| (mode, question))
        });
        let (mode, question) = match original {
            Ok(question) => question,
            Err(fault) => {
                service.count_misuse();
                service
                    .log()
                    .warn_seldom(&format!("forward authentication: {fault}"));
                return answer::misuse(&fault, self.preset);
            }
        };
        let entry = access::Entry::of(service.log(), &question);
        let outcome = service.decide(question).await;
        let answer = answer::of(&outcome, mode, self.preset, request.headers());
        entry.finish(service.log(), outcome.decision(), answer.status());
        answer
    }
}

impl FrontEnd for ForwardAuth {
    type Body = Full<Bytes>;

    async fn answer(&self, service: &Service, request: Request<Incoming>) -> Response<Self::Body> {
        self.decide(service, &request).await
    }
}
