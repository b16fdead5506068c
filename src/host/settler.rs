//! Applies decisions, whichever part has requested them.

use std::rc::Rc;
use std::sync::Arc;

use super::active_policies::ActivePolicies;
use super::stream::{At, Passage, State, Stream};
use super::{HttpExchange, Report, Reporting};
use crate::authz::{Facts, Refusal, Unenforced};
use crate::cors::ResponseCors;
use crate::engine::{Action, Answer, StreamId};
use crate::http::LocalReply;
use crate::policy::Policy;
use crate::telemetry::{Event, Level, Measurement, Metric, Reason, Refused};

/// Applies the decisions about requests, and reports them.
#[derive(Debug)]
pub struct Settler<H: Reporting> {
    policies: ActivePolicies,
    report: Report<H>,
    /// The answer if the host fails.
    failure: LocalReply,
}

impl<H: Reporting> Settler<H> {
    /// Creates a settler for requests that this policy judges.
    #[must_use]
    pub fn new(host: Rc<H>, policy: Arc<Policy>) -> Self {
        Self::with(host, ActivePolicies::new(policy, None))
    }

    /// Creates a settler for requests that are judged with the policy of a listener and
    /// with a second one, which narrows it.
    #[must_use]
    pub fn narrowed(host: Rc<H>, listener: Arc<Policy>, narrower: Arc<Policy>) -> Self {
        Self::with(host, ActivePolicies::new(listener, Some(narrower)))
    }

    fn with(host: Rc<H>, policies: ActivePolicies) -> Self {
        let responses = &policies.listener().responses;
        Self {
            report: Report::new(host),
            failure: Refusal::from(Reason::InternalError).reply(responses),
            policies,
        }
    }

    /// The metrics and log lines.
    #[must_use]
    pub const fn report(&self) -> &Report<H> {
        &self.report
    }

    /// The decision about a request that could not be judged because the host failed.
    #[must_use]
    pub fn refusal(&self, stream: StreamId, cors: Option<ResponseCors>) -> Answer {
        Answer {
            stream,
            action: Action::Reply(self.failure.clone()),
            reason: Reason::InternalError,
            facts: Facts {
                cors,
                ..Facts::default()
            },
        }
    }

    /// Applies the decision about a request and reports it.
    pub fn settle(&self, exchange: &impl HttpExchange, stream: &Stream, answer: &Answer, at: At) {
        let reason = stream.apply(exchange, answer, at, &self.policies, &self.failure);
        let mut provider = answer.facts.provider.clone();
        match &answer.action {
            Action::Forward(forward) if reason == answer.reason => {
                if let Some(unenforced) = forward.unenforced() {
                    provider = unenforced.provider().cloned();
                    self.report_unenforced(unenforced, answer);
                }
            }
            Action::Forward(_) | Action::Reply(_) => {
                let is_answer = matches!(reason, Reason::Preflight | Reason::ResourceMetadata);
                if !is_answer && self.report.is_enabled(Level::Debug) {
                    self.report.log(&Event::Refused(Refused {
                        reason,
                        route: answer.facts.route.clone(),
                        provider: provider.clone(),
                        preflight: answer.facts.preflight.clone(),
                        steps: answer.facts.steps.clone(),
                    }));
                }
            }
        }
        let requests = Metric::Requests { reason, provider };
        self.report.measure(Measurement::count(requests));
    }

    /// Reports the refusal of a request that has passed because it is not enforced.
    #[cold]
    fn report_unenforced(&self, unenforced: &Unenforced, answer: &Answer) {
        let (reason, provider) = (unenforced.reason(), unenforced.provider().cloned());
        if self.report.is_enabled(Level::Debug) {
            self.report.log(&Event::Reported(Refused {
                reason,
                route: unenforced.route().cloned(),
                provider: provider.clone(),
                preflight: Vec::new(),
                steps: answer.facts.steps.clone(),
            }));
        }
        let reported = Metric::Reported { reason, provider };
        self.report.measure(Measurement::count(reported));
    }

    /// Handles the trailers of a request. They may be empty.
    pub fn request_trailers(
        &self,
        exchange: &impl HttpExchange,
        stream: &Stream,
        has_fields: bool,
    ) -> Passage {
        if has_fields && stream.trailers(exchange, &self.policies).is_err() {
            stream.answer(exchange, &self.failure);
        }
        stream.passage()
    }

    /// Handles the headers of the response to a decided request, from the upstream or
    /// from the host itself. They get the CORS headers.
    pub fn response_headers(&self, exchange: &impl HttpExchange, stream: &Stream) -> Passage {
        let state = stream.state();
        let decorated = stream.decorate(exchange, state == State::Answered);
        if decorated.is_err() && state == State::Forwarded {
            // Without its CORS headers, a page that must not read the upstream's answer
            // could read it. Answers made here contain no private data.
            stream.answer(exchange, &self.failure);
            return Passage::Pause;
        }
        Passage::Continue
    }
}
