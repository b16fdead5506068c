//! A request that is judged with the document of its route and with that of its listener.

use std::cell::RefCell;
use std::rc::Rc;

use super::abi::Filter;
use super::worker::{NotJudged, Worker};
use edge_authz::cors::ResponseCors;
use edge_authz::engine::{Pair, Side, StreamId};
use edge_authz::host::{At, HeaderList, HttpExchange, Passage, Stream};
use edge_authz::http::RequestHead;

/// The state of a request in the worker of its route's document.
pub(crate) struct Narrowed {
    worker: Rc<Worker>,
    /// The request's id in this worker.
    id: StreamId,
    pair: RefCell<Pair>,
}

/// The state of the request in the worker of the listener's document.
#[derive(Clone, Copy)]
pub(crate) struct Outer<'r> {
    pub(crate) worker: &'r Worker,
    pub(crate) stream: &'r Rc<Stream>,
}

impl Narrowed {
    pub(crate) fn new(worker: Rc<Worker>) -> Self {
        Self {
            id: worker.next_id(),
            worker,
            pair: RefCell::default(),
        }
    }

    /// Both workers, with the request's id in each.
    fn sides<'s>(&'s self, outer: Outer<'s>) -> [(Side, &'s Worker, StreamId); 2] {
        [
            (Side::Listener, outer.worker, outer.stream.id()),
            (Side::Narrower, &self.worker, self.id),
        ]
    }

    /// Handles the headers of the request.
    pub(crate) fn request_headers(&self, filter: Filter<'_>, outer: Outer<'_>) -> Passage {
        if self.judge(filter, outer).is_err() {
            self.forget(outer);
            self.worker.refuse(filter, outer.stream);
        }
        self.report_all(filter, outer);
        let metrics = outer.worker.listener().metrics();
        metrics.report_pending(filter);
        outer.stream.passage()
    }

    /// Lets both judges judge the request. Returns an error if one fails, or if the
    /// request could not be queued.
    fn judge(&self, filter: Filter<'_>, outer: Outer<'_>) -> Result<(), NotJudged> {
        let headers = filter.headers(HeaderList::Request);
        let head = RequestHead::new(headers.map_err(|_| NotJudged)?);
        for (side, worker, id) in self.sides(outer) {
            let answer = worker.judge(filter, id, head.clone())?;
            let mut pair = self.pair.try_borrow_mut().map_err(|_| NotJudged)?;
            match answer {
                Some(answer) => pair.decided(side, answer),
                None if worker.begin_to_wait(filter, id, None) => {}
                None => return Err(NotJudged),
            }
            if pair.is_over() {
                break;
            }
        }
        self.settle(filter, outer, At::Headers)
    }

    /// Applies the decision if there is one.
    fn settle(&self, filter: Filter<'_>, outer: Outer<'_>, at: At) -> Result<(), NotJudged> {
        let cors = self.cors(outer);
        let mut pair = self.pair.try_borrow_mut().map_err(|_| NotJudged)?;
        let answer = pair.take(outer.worker.document().policy(), cors);
        // The pair is released first, because Envoy may call back.
        drop(pair);
        if let Some(answer) = answer {
            self.forget(outer);
            let settler = self.worker.settler();
            settler.settle(&filter, outer.stream, &answer, at);
        }
        Ok(())
    }

    /// Handles a tick, for each worker in which this request waits.
    pub(crate) fn tick(&self, filter: Filter<'_>, outer: Outer<'_>) {
        for (_, worker, id) in self.sides(outer) {
            if worker.holds(id) {
                worker.tick(filter, id);
            }
        }
    }

    /// Handles a decision of one of the judges.
    pub(crate) fn decided(&self, filter: Filter<'_>, outer: Outer<'_>) {
        for (side, worker, id) in self.sides(outer) {
            if let Some(answer) = worker.take_decided(id)
                && let Ok(mut pair) = self.pair.try_borrow_mut()
            {
                pair.decided(side, answer);
            }
        }
        if outer.stream.is_pending() && self.settle(filter, outer, At::Later).is_ok() {
            self.report_all(filter, outer);
        }
    }

    /// Handles the trailers of the request.
    pub(crate) fn request_trailers(
        &self,
        filter: Filter<'_>,
        outer: Outer<'_>,
        has_fields: bool,
    ) -> Passage {
        self.worker
            .request_trailers(filter, outer.stream, has_fields)
    }

    /// Handles the headers of the response, from the upstream or from Envoy.
    pub(crate) fn response_headers(&self, filter: Filter<'_>, outer: Outer<'_>) -> Passage {
        if outer.stream.is_pending() {
            outer.stream.overtaken(self.cors(outer));
            self.forget(outer);
            self.report_all(filter, outer);
        }
        self.worker.response_headers(filter, outer.stream)
    }

    /// Handles the end of the request.
    pub(crate) fn ended(&self, filter: Filter<'_>, outer: Outer<'_>) {
        if outer.stream.is_pending() {
            self.forget(outer);
            self.report_all(filter, outer);
        }
    }

    /// Removes the request from both judges.
    pub(crate) fn forget(&self, outer: Outer<'_>) {
        for (_, worker, id) in self.sides(outer) {
            worker.forget(id);
        }
    }

    /// The CORS headers of the answer that are known so far.
    fn cors(&self, outer: Outer<'_>) -> Option<ResponseCors> {
        let [listener, narrower] = self.sides(outer).map(|(side, worker, id)| {
            let pair = self.pair.try_borrow().ok()?;
            let known = pair.cors(side).cloned();
            known.or_else(|| worker.cors_of_waiting(id))
        });
        ResponseCors::narrowed(listener, narrower)
    }

    /// Reports what an event has changed, as both judges see it.
    pub(crate) fn report_all(&self, filter: Filter<'_>, outer: Outer<'_>) {
        for (_, worker, _) in self.sides(outer) {
            worker.report_all(filter);
        }
    }
}
