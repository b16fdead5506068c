//! One request, as Envoy's hooks see it.

use std::rc::Rc;
use std::sync::Arc;

use super::abi::Filter;
use super::listener::{DECIDED, Listener, TICK};
use super::sink::Sink;
use super::worker::Worker;
use edge_authz::host::{Fallback, Passage, Stream};

/// A request from its beginning to its end, on one thread.
pub(crate) enum Request {
    Judged {
        worker: Rc<Worker>,
        stream: Rc<Stream>,
    },
    /// Every request is refused, because no judge is available.
    Refused,
}

impl Request {
    pub(crate) fn new(listener: &Arc<Listener>, filter: Filter<'_>) -> Self {
        match Worker::of(listener, filter) {
            Some(worker) => Self::Judged {
                stream: worker.stream(),
                worker,
            },
            None => Self::Refused,
        }
    }

    pub(crate) fn headers(&self, filter: Filter<'_>) -> Passage {
        match self {
            Self::Judged { worker, stream } => worker.request_headers(filter, stream),
            Self::Refused => {
                refuse(filter);
                Passage::Pause
            }
        }
    }

    pub(crate) fn body(&self) -> Passage {
        match self {
            Self::Judged { stream, .. } => stream.passage(),
            Self::Refused => Passage::Pause,
        }
    }

    pub(crate) fn trailers(&self, filter: Filter<'_>, has_fields: bool) -> Passage {
        match self {
            Self::Judged { worker, stream } => worker.request_trailers(filter, stream, has_fields),
            Self::Refused => Passage::Pause,
        }
    }

    pub(crate) fn response_headers(&self, filter: Filter<'_>) -> Passage {
        match self {
            Self::Judged { worker, stream } => worker.response_headers(filter, stream),
            Self::Refused => Passage::Continue,
        }
    }

    pub(crate) fn scheduled(&self, filter: Filter<'_>, event: u64) {
        if let Self::Judged { worker, stream } = self {
            match event {
                TICK => worker.tick(filter, stream),
                DECIDED => worker.decided(filter, stream),
                _ => {}
            }
        }
    }

    pub(crate) fn ended(&self, filter: Filter<'_>) {
        if let Self::Judged { worker, stream } = self {
            worker.ended(filter, stream);
        }
    }

    /// Counts a panic in one of its hooks.
    pub(crate) fn count_panic(&self, filter: Filter<'_>) {
        if let Self::Judged { worker, .. } = self {
            worker.listener().metrics().count_panic(filter);
        }
    }
}

impl Drop for Request {
    /// Removes the request from the waiting ones. Envoy has reported its end before, but
    /// that hook may have failed.
    fn drop(&mut self) {
        if let Self::Judged { worker, stream } = self
            && stream.is_pending()
        {
            worker.forget(stream);
        }
    }
}

/// Refuses a request that has no judge.
pub(crate) fn refuse(filter: Filter<'_>) {
    Fallback::new(Rc::new(Sink::default())).refuse(&filter);
}
