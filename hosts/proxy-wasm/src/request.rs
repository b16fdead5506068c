//! One request.

use std::rc::Rc;

use super::port::{Current, Listener, Wasm};
use edge_authz::host::{Fallback, Passage, Stream};

/// A request.
#[derive(Clone, Debug)]
pub(super) enum Request {
    /// The active policy judges it.
    Judged(Rc<Listener>, Rc<Stream>),
    /// No policy is active: it is refused.
    Refused(Rc<Fallback<Wasm>>),
}

impl Request {
    /// Handles its headers.
    pub(super) fn headers(&self) -> Passage {
        match self {
            Self::Judged(listener, stream) => listener.request_headers(&Current, stream),
            Self::Refused(fallback) => {
                fallback.refuse(&Current);
                Passage::Pause
            }
        }
    }

    /// Handles a part of its body.
    pub(super) fn body(&self) -> Passage {
        match self {
            Self::Judged(_, stream) => stream.passage(),
            Self::Refused(_) => Passage::Pause,
        }
    }

    /// Handles its trailers. They may be empty.
    pub(super) fn trailers(&self, has_fields: bool) -> Passage {
        match self {
            Self::Judged(listener, stream) => {
                listener.request_trailers(&Current, stream, has_fields)
            }
            Self::Refused(_) => Passage::Pause,
        }
    }

    /// Handles the headers of its response. A refusal has all its headers already.
    pub(super) fn response_headers(&self) -> Passage {
        match self {
            Self::Judged(listener, stream) => listener.response_headers(&Current, stream),
            Self::Refused(_) => Passage::Continue,
        }
    }

    /// Handles its end, for any reason.
    pub(super) fn end(self) {
        match self {
            Self::Judged(listener, stream) => listener.ended(&stream),
            Self::Refused(_) => {}
        }
    }
}
