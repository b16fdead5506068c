//! The callbacks of one request.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::port::{Current, Listener};
use edge_authz::engine::StreamId;
use edge_authz::host::{Passage, Stream};

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
}

impl Drop for Request {
    /// The host deletes the context when the request has ended, for any reason.
    fn drop(&mut self) {
        self.listener.ended(&self.stream);
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.listener.request_headers(&Current, &self.stream))
    }

    fn on_http_request_body(&mut self, _: usize, _: bool) -> Action {
        action(self.stream.passage())
    }

    fn on_http_request_trailers(&mut self, fields: usize) -> Action {
        let has_fields = fields > 0;
        action(
            self.listener
                .request_trailers(&Current, &self.stream, has_fields),
        )
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        action(self.listener.response_headers(&Current, &self.stream))
    }
}

const fn action(passage: Passage) -> Action {
    match passage {
        Passage::Continue => Action::Continue,
        Passage::Pause => Action::Pause,
    }
}
