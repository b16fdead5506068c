//! Requests whose hooks can panic. Each panics after its work is done, which is the worst
//! moment.

#[path = "../../../hosts/dynamic-module/src/request.rs"]
mod real;

use std::ops::Deref;
use std::sync::Arc;

use super::abi::{self, Filter};
use super::clock::panic_at;
use super::listener::{self, Listener};
use super::{alarm, narrowed, routes, sink, worker};
use edge_authz::host::Passage;

pub(crate) use real::refuse;

/// A request that panics in the selected hooks.
pub(crate) struct Request(real::Request);

impl Request {
    #[expect(non_upper_case_globals, reason = "it replaces a variant")]
    pub(crate) const Refused: Self = Self(real::Request::Refused);

    pub(crate) fn new(listener: &Arc<Listener>, filter: Filter<'_>) -> Self {
        let request = real::Request::new(listener, filter);
        panic_at("new");
        Self(request)
    }

    pub(crate) fn headers(&self, filter: Filter<'_>) -> Passage {
        let passage = self.0.headers(filter);
        panic_at("request_headers");
        passage
    }

    pub(crate) fn body(&self) -> Passage {
        let passage = self.0.body();
        panic_at("request_body");
        passage
    }

    pub(crate) fn trailers(&self, filter: Filter<'_>, has_fields: bool) -> Passage {
        let passage = self.0.trailers(filter, has_fields);
        panic_at("request_trailers");
        passage
    }

    pub(crate) fn response_headers(&self, filter: Filter<'_>) -> Passage {
        let passage = self.0.response_headers(filter);
        panic_at("response_headers");
        passage
    }

    pub(crate) fn scheduled(&self, filter: Filter<'_>, event: u64) {
        panic_at("scheduled");
        self.0.scheduled(filter, event);
    }

    pub(crate) fn ended(&self, filter: Filter<'_>) {
        panic_at("stream_complete");
        self.0.ended(filter);
    }
}

/// Everything that does not panic.
impl Deref for Request {
    type Target = real::Request;

    fn deref(&self) -> &real::Request {
        &self.0
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // The constant is dropped outside a hook.
        if matches!(self.0, real::Request::Judged(_)) {
            panic_at("destroy");
        }
    }
}
