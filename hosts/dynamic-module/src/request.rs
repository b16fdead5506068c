//! One request, as Envoy's hooks see it.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use super::abi::Filter;
use super::alarm::{DECIDED, TICK};
use super::listener::Listener;
use super::narrowed::{Narrowed, Outer};
use super::routes::{self, Narrowing};
use super::sink::Sink;
use super::worker::Worker;
use edge_authz::host::{Fallback, Passage, Stream};

/// A request from its beginning to its end, on one thread.
pub(crate) enum Request {
    Judged(Judged),
    /// Every request is refused, because no judge is available.
    Refused,
}

/// A request with one or two judges.
pub(crate) struct Judged {
    worker: Rc<Worker>,
    stream: Rc<Stream>,
    /// It is set when the headers arrive, if the route's configuration has a document.
    narrowed: OnceCell<Narrowed>,
}

/// The route's configuration is unusable.
struct Unusable;

impl Request {
    pub(crate) fn new(listener: &Arc<Listener>, filter: Filter<'_>) -> Self {
        match Worker::of(listener, filter) {
            Some(worker) => Self::Judged(Judged {
                stream: Stream::new(worker.next_id()),
                worker,
                narrowed: OnceCell::new(),
            }),
            None => Self::Refused,
        }
    }

    pub(crate) fn headers(&self, filter: Filter<'_>) -> Passage {
        match self {
            Self::Judged(judged) => judged.headers(filter),
            Self::Refused => {
                refuse(filter);
                Passage::Pause
            }
        }
    }

    pub(crate) fn body(&self) -> Passage {
        match self {
            Self::Judged(judged) => judged.stream.passage(),
            Self::Refused => Passage::Pause,
        }
    }

    pub(crate) fn trailers(&self, filter: Filter<'_>, has_fields: bool) -> Passage {
        match self {
            Self::Judged(judged) => judged.trailers(filter, has_fields),
            Self::Refused => Passage::Pause,
        }
    }

    pub(crate) fn response_headers(&self, filter: Filter<'_>) -> Passage {
        match self {
            Self::Judged(judged) => judged.response_headers(filter),
            Self::Refused => Passage::Continue,
        }
    }

    pub(crate) fn scheduled(&self, filter: Filter<'_>, event: u64) {
        if let Self::Judged(judged) = self {
            judged.scheduled(filter, event);
        }
    }

    pub(crate) fn ended(&self, filter: Filter<'_>) {
        if let Self::Judged(judged) = self {
            judged.ended(filter);
        }
    }

    /// One of its hooks has panicked: it is refused, and never continues.
    pub(crate) fn give_up(&self, filter: Filter<'_>) {
        match self {
            Self::Judged(judged) => judged.give_up(filter),
            Self::Refused => refuse(filter),
        }
    }

    /// Counts a panic in one of its hooks.
    pub(crate) fn count_panic(&self, filter: Filter<'_>) {
        if let Self::Judged(judged) = self {
            judged.worker.listener().metrics().count_panic(filter);
        }
    }
}

impl Judged {
    fn outer(&self) -> Outer<'_> {
        Outer {
            worker: &self.worker,
            stream: &self.stream,
        }
    }

    /// Handles the headers of the request. The route is the one that Envoy has chosen by
    /// now. If Envoy chooses another one later, the listener's document was judged in any
    /// case.
    fn headers(&self, filter: Filter<'_>) -> Passage {
        match self.of_route(filter) {
            Ok(None) => self.worker.request_headers(filter, &self.stream),
            Ok(Some(worker)) => {
                let narrowed = self.narrowed.get_or_init(|| Narrowed::new(worker));
                narrowed.request_headers(filter, self.outer())
            }
            Err(Unusable) => {
                self.worker.refuse(filter, &self.stream);
                self.worker.report_all(filter);
                self.stream.passage()
            }
        }
    }

    /// The worker of the route's document, if the route has one.
    fn of_route(&self, filter: Filter<'_>) -> Result<Option<Rc<Worker>>, Unusable> {
        let Some(address) = filter.route_config() else {
            return Ok(None);
        };
        let listener = self.worker.listener();
        let Some(route) = routes::find(address) else {
            listener.log_foreign_route();
            return Err(Unusable);
        };
        if matches!(route.narrowing(), Narrowing::Enforce) {
            return Ok(None);
        }
        let worker = Worker::of_route(listener, &route, filter);
        worker.map(Some).ok_or(Unusable)
    }

    fn trailers(&self, filter: Filter<'_>, has_fields: bool) -> Passage {
        match self.narrowed.get() {
            Some(narrowed) => narrowed.request_trailers(filter, self.outer(), has_fields),
            None => self
                .worker
                .request_trailers(filter, &self.stream, has_fields),
        }
    }

    fn response_headers(&self, filter: Filter<'_>) -> Passage {
        match self.narrowed.get() {
            Some(narrowed) => narrowed.response_headers(filter, self.outer()),
            None => self.worker.response_headers(filter, &self.stream),
        }
    }

    fn scheduled(&self, filter: Filter<'_>, event: u64) {
        match (event, self.narrowed.get()) {
            (TICK, Some(narrowed)) => narrowed.tick(filter, self.outer()),
            (TICK, None) => self.worker.tick(filter, self.stream.id()),
            (DECIDED, Some(narrowed)) => narrowed.decided(filter, self.outer()),
            (DECIDED, None) => self.worker.decided(filter, &self.stream),
            _ => {}
        }
    }

    fn ended(&self, filter: Filter<'_>) {
        match self.narrowed.get() {
            Some(narrowed) => narrowed.ended(filter, self.outer()),
            None => self.worker.ended(filter, &self.stream),
        }
    }
}

impl Judged {
    fn give_up(&self, filter: Filter<'_>) {
        self.stream.overtaken(None);
        refuse(filter);
        self.forget();
        self.worker.report_all(filter);
        if let Some(narrowed) = self.narrowed.get() {
            narrowed.report_all(filter, self.outer());
        }
    }

    /// No judge holds it any longer.
    fn forget(&self) {
        match self.narrowed.get() {
            Some(narrowed) => narrowed.forget(self.outer()),
            None => self.worker.forget(self.stream.id()),
        }
    }
}

impl Drop for Judged {
    /// Removes the request from the waiting ones. Envoy has reported its end before, but
    /// that hook may have failed.
    fn drop(&mut self) {
        if self.stream.is_pending() {
            self.forget();
        }
    }
}

/// Refuses a request that has no judge.
pub(crate) fn refuse(filter: Filter<'_>) {
    Fallback::new(Rc::new(Sink::default())).refuse(&filter);
}
