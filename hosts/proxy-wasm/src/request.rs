//! One request as the host sees it: its callbacks.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::listener::Listener;
use super::stream::{State, Stream, strip_trailers};
use edge_authz::engine::StreamId;

/// The host's view of a request.
#[derive(Debug)]
pub(super) struct Request {
    listener: Rc<Listener>,
    stream: Rc<Stream>,
}

impl Request {
    pub(super) fn new(listener: Rc<Listener>, id: u32) -> Self {
        Self {
            listener,
            stream: Stream::new(StreamId(id)),
        }
    }

    /// What the host does with the part of the request that has come.
    fn passage(&self) -> Action {
        match self.stream.state.get() {
            State::Forwarded => Action::Continue,
            State::Pending | State::Answered => Action::Pause,
        }
    }
}

impl Drop for Request {
    /// The host deletes the context when the request is over, whoever ended it.
    fn drop(&mut self) {
        if self.stream.is_pending() {
            self.listener.forget(&self.stream);
        }
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.listener.request(&self.stream);
        self.passage()
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        self.passage()
    }

    fn on_http_request_trailers(&mut self, fields: usize) -> Action {
        match self.stream.state.get() {
            State::Pending => self.stream.has_trailers.set(fields > 0),
            State::Forwarded if fields > 0 => {
                if strip_trailers(self.listener.upstream()).is_err() {
                    self.stream.answer(self.listener.failure());
                }
            }
            State::Forwarded | State::Answered => {}
        }
        self.passage()
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let state = self.stream.state.get();
        if state == State::Pending {
            self.stream.state.set(State::Answered);
            self.listener.overtaken(&self.stream);
        }
        let decorated = self.stream.decorate(state == State::Answered);
        if decorated.is_err() && state == State::Forwarded {
            // Without its CORS headers the upstream's answer may be read by a
            // page that must not; what was answered here holds nothing.
            self.stream.answer(self.listener.failure());
            return Action::Pause;
        }
        Action::Continue
    }
}
