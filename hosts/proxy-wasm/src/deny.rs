//! A request to a filter that has no active policy.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::port::{Current, Wasm};
use edge_authz::host::Fallback;

/// The host's view of a request that is always refused.
#[derive(Debug)]
pub(super) struct Deny {
    fallback: Rc<Fallback<Wasm>>,
}

impl Deny {
    pub(super) const fn new(fallback: Rc<Fallback<Wasm>>) -> Self {
        Self { fallback }
    }
}

impl Context for Deny {}

impl HttpContext for Deny {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.fallback.refuse(&Current);
        Action::Pause
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        Action::Pause
    }
}
