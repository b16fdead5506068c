//! What serves requests where nothing can: everything is refused.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::host;
use super::report::Report;
use edge_authz::authz::Refusal;
use edge_authz::http::LocalReply;
use edge_authz::policy::{BodyStyle, Responses};
use edge_authz::telemetry::{Measurement, Metric, Reason};

/// A request to a filter that has no policy in force. Once the proxy has taken
/// a configuration the filter cannot give it back, so it refuses.
#[derive(Debug)]
pub(super) struct Deny {
    report: Rc<Report>,
}

impl Deny {
    pub(super) fn new(report: Rc<Report>) -> Self {
        Self { report }
    }

    fn reply() -> LocalReply {
        let responses = Responses {
            realm: Box::default(),
            body: BodyStyle::Aws,
        };
        Refusal::from(Reason::InternalError).reply(&responses)
    }
}

impl Context for Deny {}

impl HttpContext for Deny {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        refuse(&Self::reply());
        let reason = Reason::InternalError;
        let provider = None;
        self.report
            .measure(Measurement::count(Metric::Requests { reason, provider }));
        Action::Pause
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        Action::Pause
    }
}

/// Answers the request here; where even that fails, ends its stream.
pub(super) fn refuse(reply: &LocalReply) {
    if host::reply(reply).is_err() {
        // Nothing more can be done: the request stays paused.
        let _ = host::reset_request();
    }
}
