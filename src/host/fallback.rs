//! What serves requests while no policy is in force: everything is refused.

use std::rc::Rc;

use super::stream::refuse;
use super::{HttpExchange, Report, Reporting};
use crate::authz::Refusal;
use crate::http::LocalReply;
use crate::policy::{BodyStyle, Responses};
use crate::telemetry::{Measurement, Metric, Reason};

/// Once the proxy has taken a configuration the filter cannot give it back. So
/// where none can be put in force, it refuses every request (503).
#[derive(Debug)]
pub struct Fallback<H: Reporting> {
    report: Report<H>,
}

impl<H: Reporting> Fallback<H> {
    /// It needs no ticks.
    #[must_use]
    pub fn new(host: Rc<H>) -> Self {
        Self {
            report: Report::at_once(host),
        }
    }

    /// Refuses a request whose headers have come. Nothing of it may go on, what
    /// comes later included.
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
