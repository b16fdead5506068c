//! The method `Check`: a request is decided.

use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use http::StatusCode;

use super::{answer, fields, question};
use crate::access;
use crate::service::{Outcome, Service};

/// Answers check requests with the decisions of a service.
#[derive(Clone, Debug)]
pub(super) struct Check(Service);

impl Check {
    /// Uses the service of the current thread.
    pub(super) const fn new(service: Service) -> Self {
        Self(service)
    }

    /// Decides a request. A message that does not describe a request, a decision that cannot
    /// be written, and a panic end in a refusal with the HTTP status 503.
    pub(super) async fn answer(&self, request: CheckRequest) -> CheckResponse {
        let answered = self.0.caught(self.decided(request)).await;
        answered.unwrap_or_else(|_| self.refusal())
    }

    async fn decided(&self, request: CheckRequest) -> CheckResponse {
        let Ok((question, form)) = question::read(request) else {
            self.0.count_misuse();
            let line = "ext_authz: a check request does not describe a request";
            self.0.log().warn_seldom(line);
            return self.refusal();
        };
        let entry = access::Entry::of(self.0.log(), &question);
        let mut outcome = self.0.decide(question).await;
        let answer = answer::write(&outcome, form).unwrap_or_else(|_| {
            outcome = self.0.refusal();
            written(&outcome)
        });
        let status = match &outcome {
            Outcome::Forward(_) => StatusCode::OK,
            Outcome::Reply(replied) => status(replied.status),
        };
        entry.finish(self.0.log(), outcome.decision(), status);
        answer
    }

    fn refusal(&self) -> CheckResponse {
        written(&self.0.refusal())
    }
}

/// The answer for a refusal.
fn written(refusal: &Outcome) -> CheckResponse {
    let written = answer::write(refusal, fields::Form::Raw);
    written.unwrap_or_else(|_| answer::empty())
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
}
