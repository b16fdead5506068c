//! The front end for Envoy's external authorization over HTTP (`http_service` of `ext_authz`).
//!
//! Envoy repeats the client's method, host and header fields in a request of its own, whose
//! path is the client's behind a configured prefix (`asked`). It takes exactly the status 200
//! for a permission. All other answers below 500 go to the client, and those from 500 on are
//! errors, for which Envoy answers itself.
//!
//! Three of its settings could hide something from this server: it sends few header fields
//! unless it is told otherwise, it joins fields, and it can replace the method or the path. So
//! its configuration writes a mark with the client's request into three fields of one name.
//! Without them, or if they contradict the request, the answer is 503.
//!
//! `deploy/ext-authz/envoy-http.yaml` is the other half of this interface.

mod answer;
mod asked;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::access;
use crate::connections::FrontEnd;
use crate::service::Service;

/// The front end.
#[derive(Clone, Copy, Debug)]
pub struct ExtAuthzHttp;

impl ExtAuthzHttp {
    /// Answers a request of Envoy. The body of the request is not read. A panic ends in a
    /// refusal with the status 503.
    pub async fn decide<B>(self, service: &Service, request: &Request<B>) -> Response<Full<Bytes>> {
        let decided = service.caught(self.decided(service, request)).await;
        decided.unwrap_or_else(|_| answer::failed())
    }

    async fn decided<B>(self, service: &Service, request: &Request<B>) -> Response<Full<Bytes>> {
        let (mode, question) = match asked::read(request) {
            Ok(read) => read,
            Err(fault) => {
                service.count_misuse();
                let line = format!("ext_authz over HTTP: {fault}");
                service.log().warn_seldom(&line);
                return answer::misuse();
            }
        };
        let entry = access::Entry::of(service.log(), &question);
        let outcome = service.decide(question).await;
        let answer = answer::of(&outcome, mode, request.headers()).unwrap_or_else(|refusal| {
            let line = format!("ext_authz over HTTP: {refusal}");
            service.log().warn_seldom(&line);
            answer::refused(refusal)
        });
        entry.finish(service.log(), outcome.decision(), answer.status());
        answer
    }
}

impl FrontEnd for ExtAuthzHttp {
    type Body = Full<Bytes>;

    async fn answer(&self, service: &Service, request: Request<Incoming>) -> Response<Self::Body> {
        self.decide(service, &request).await
    }
}
