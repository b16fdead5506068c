//! The front end for Envoy's external authorization over gRPC
//! (`envoy.service.auth.v3.Authorization`), and gRPC's health protocol.
//!
//! Envoy describes a request in a `CheckRequest`, which `question` reads. `answer` writes the
//! decision as a `CheckResponse`.

mod answer;
mod certificate;
mod check;
mod fields;
mod health;
mod methods;
mod question;
#[cfg(test)]
mod tests;
mod unary;

use std::time::Duration;

use http::Request;
use hyper::body::Incoming;

use crate::connections::FrontEnd;
use crate::service::Service;
use check::Check;
pub use fields::{Form, Unreadable};
pub use health::Readiness;
pub use question::read;
pub use unary::Answer;

/// The front end.
#[derive(Clone, Debug)]
pub struct ExtAuthz {
    /// What the health protocol reports.
    pub readiness: Readiness,
    /// The limits of a call.
    pub limits: Limits,
}

/// The limits of a call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum size of its message, in bytes.
    pub message_bytes: usize,
    /// The longest time until its decision. The deadline of the caller may be earlier.
    pub time: Duration,
}

impl Default for Limits {
    /// Envoy's own limit of a request's header fields is 60 KiB by default.
    fn default() -> Self {
        Self {
            message_bytes: 512 * 1024,
            time: Duration::from_mins(1),
        }
    }
}

impl FrontEnd for ExtAuthz {
    type Body = Answer;

    /// gRPC does not use it, and a proxy must read it.
    const HAS_DATE: bool = false;

    async fn answer(
        &self,
        service: &Service,
        request: Request<Incoming>,
    ) -> http::Response<Answer> {
        methods::answer(self, &Check::new(service.clone()), request).await
    }
}
