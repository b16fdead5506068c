//! The module's requests, whose hooks can panic: each after its work is done, which is the
//! worst moment.

#[path = "../../../hosts/dynamic-module/src/request.rs"]
mod real;

use std::ops::Deref;
use std::sync::Arc;

use super::abi::{self, Filter};
use super::clock::spring;
use super::listener::{self, Listener};
use super::{alarm, narrowed, routes, sink, worker};
use edge_authz::host::Passage;

pub(crate) use real::refuse;

/// A request, which panics in the hooks that it is told to.
pub(crate) struct Request(real::Request);

impl Request {
    #[expect(non_upper_case_globals, reason = "it stands for a variant")]
    pub(crate) const Refused: Self = Self(real::Request::Refused);

    pub(crate) fn new(listener: &Arc<Listener>, filter: Filter<'_>) -> Self {
        let request = real::Request::new(listener, filter);
        spring("new");
        Self(request)
    }

    pub(crate) fn headers(&self, filter: Filter<'_>) -> Passage {
        let passage = self.0.headers(filter);
        spring("request_headers");
        passage
    }

    pub(crate) fn body(&self) -> Passage {
        let passage = self.0.body();
        spring("request_body");
        passage
    }

    pub(crate) fn trailers(&self, filter: Filter<'_>, has_fields: bool) -> Passage {
        let passage = self.0.trailers(filter, has_fields);
        spring("request_trailers");
        passage
    }

    pub(crate) fn response_headers(&self, filter: Filter<'_>) -> Passage {
        let passage = self.0.response_headers(filter);
        spring("response_headers");
        passage
    }

    pub(crate) fn scheduled(&self, filter: Filter<'_>, event: u64) {
        spring("scheduled");
        self.0.scheduled(filter, event);
    }

    pub(crate) fn ended(&self, filter: Filter<'_>) {
        spring("stream_complete");
        self.0.ended(filter);
    }
}

/// What has no trap.
impl Deref for Request {
    type Target = real::Request;

    fn deref(&self) -> &real::Request {
        &self.0
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // The constant is dropped outside of the hook.
        if matches!(self.0, real::Request::Judged(_)) {
            spring("destroy");
        }
    }
}
