//! The fallback while no policy is active: every request is refused.

use std::rc::Rc;

use super::stream::refuse;
use super::{HttpExchange, Report, Reporting};
use crate::authz::Refusal;
use crate::http::LocalReply;
use crate::policy::{BodyStyle, Responses};
use crate::telemetry::{Measurement, Metric, Reason};

/// The filter cannot reject a configuration that the proxy has already accepted. So if no
/// policy can be activated, this refuses every request (503).
#[derive(Debug)]
pub struct Fallback<H: Reporting> {
    report: Report<H>,
}

impl<H: Reporting> Fallback<H> {
    /// Creates the fallback. It needs no ticks.
    #[must_use]
    pub fn new(host: Rc<H>) -> Self {
        Self {
            report: Report::at_once(host),
        }
    }

    /// Refuses a request whose headers have arrived. The host must let no part of it
    /// continue, nor any part that arrives later.
    pub fn refuse(&self, exchange: &impl HttpExchange) {
        refuse(exchange, &Self::reply(), None);
        let reason = Reason::InternalError;
        let provider = None;
        let requests = Metric::Requests { reason, provider };
        self.report.measure(Measurement::count(requests));
    }

    fn reply() -> LocalReply {
        let responses = Responses {
            realm: Box::default(),
            body: BodyStyle::Aws,
        };
        Refusal::from(Reason::InternalError).reply(&responses)
    }
}
