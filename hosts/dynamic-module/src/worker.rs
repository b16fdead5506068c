//! One document in one of Envoy's threads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::abi::Filter;
use super::alarm::Alarm;
use super::clock;
use super::document::Document;
use super::listener::Listener;
use super::routes::RouteConfig;
use super::sink::Sink;
use super::waiting::Waiting;
use edge_authz::cors::ResponseCors;
use edge_authz::engine::{Answer, Effect, Env, Judge, Proofs, StreamId};
use edge_authz::host::{At, HeaderList, HttpExchange, Passage, Peer, Settler, Stream};
use edge_authz::http::RequestHead;
use edge_authz::telemetry::Level;
use edge_authz_native::{Seat, proofs};

thread_local! {
    /// The documents that this thread has used. Closed ones are dropped when the thread
    /// uses a new one.
    static WORKERS: RefCell<BTreeMap<Place, Rc<Worker>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The number of a listener and the number of the route's configuration, which is 0 for
/// the listener's own document.
type Place = (u64, u64);

/// The judge of one thread, and the requests that wait for its decision.
pub(crate) struct Worker {
    listener: Arc<Listener>,
    document: Arc<Document>,
    /// The thread's index.
    thread: usize,
    seat: Seat,
    sink: Rc<Sink>,
    settler: Settler<Sink>,
    /// Whether the main thread reports the metrics.
    is_collected: bool,
    waiting: Waiting,
    last_stream: Cell<u32>,
}

/// The host failed, so the request must be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotJudged;

impl Worker {
    /// The worker of this thread for the listener's own document.
    pub(crate) fn of(listener: &Arc<Listener>, filter: Filter<'_>) -> Option<Rc<Self>> {
        let make = || {
            let sink = Rc::new(Sink::default());
            let document = listener.document();
            let settler = Settler::new(Rc::clone(&sink), Arc::clone(document.policy()));
            let proofs = proofs::of_process().clone();
            let own = (sink, settler, proofs);
            Some(Self::new(listener, document, own, filter))
        };
        Self::at((listener.number(), 0), make)
    }

    /// The worker of this thread for the document of a route. `None` if there is none. In
    /// this case its requests must be refused.
    pub(crate) fn of_route(
        listener: &Arc<Listener>,
        route: &Arc<RouteConfig>,
        filter: Filter<'_>,
    ) -> Option<Rc<Self>> {
        let make = || {
            let sink = Rc::new(Sink::default());
            let document = listener.document_of(route)?;
            let policy = |document: &Document| Arc::clone(document.policy());
            let (outer, own) = (policy(listener.document()), policy(&document));
            let settler = Settler::narrowed(Rc::clone(&sink), outer, own);
            let own = (sink, settler, proofs::of_process().again());
            Some(Self::new(listener, &document, own, filter))
        };
        Self::at((listener.number(), route.number()), make)
    }

    fn at(place: Place, make: impl FnOnce() -> Option<Self>) -> Option<Rc<Self>> {
        WORKERS.with(|workers| {
            let mut workers = workers.try_borrow_mut().ok()?;
            if let Some(worker) = workers.get(&place) {
                return Some(Rc::clone(worker));
            }
            workers.retain(|_, worker| !worker.is_closed());
            let worker = Rc::new(make()?);
            workers.insert(place, Rc::clone(&worker));
            Some(worker)
        })
    }

    fn new(
        listener: &Arc<Listener>,
        document: &Arc<Document>,
        (sink, settler, proofs): (Rc<Sink>, Settler<Sink>, Proofs),
        filter: Filter<'_>,
    ) -> Self {
        let policy = Arc::clone(document.policy());
        let snapshot = document.exchange().latest();
        let judge = Judge::sharing(policy, snapshot, Arc::clone(document.tokens()), proofs);
        let thread = filter.worker_index();
        Self {
            seat: Seat::new(judge, thread),
            settler,
            is_collected: listener.metrics().collect(sink.collected()),
            sink,
            listener: Arc::clone(listener),
            document: Arc::clone(document),
            thread,
            waiting: Waiting::default(),
            last_stream: Cell::new(0),
        }
    }

    fn is_closed(&self) -> bool {
        self.listener.is_closed() || self.document.is_closed()
    }

    pub(crate) const fn listener(&self) -> &Arc<Listener> {
        &self.listener
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// Applies and reports decisions.
    pub(crate) const fn settler(&self) -> &Settler<Sink> {
        &self.settler
    }

    /// The id for a new request. It is reused after 2^32 others.
    pub(crate) fn next_id(&self) -> StreamId {
        let number = self.last_stream.get().wrapping_add(1);
        self.last_stream.set(number);
        StreamId(number)
    }

    /// Handles the headers of a request.
    pub(crate) fn request_headers(&self, filter: Filter<'_>, stream: &Rc<Stream>) -> Passage {
        let head = filter.headers(HeaderList::Request).map(RequestHead::new);
        let judged = head.map_err(|_| NotJudged);
        match judged.and_then(|head| self.judge(filter, stream.id(), head)) {
            Ok(Some(answer)) => self.settler.settle(&filter, stream, &answer, At::Headers),
            Ok(None) => {
                if !self.begin_to_wait(filter, stream.id(), Some(stream)) {
                    self.forget(stream.id());
                    self.refuse(filter, stream);
                }
            }
            Err(NotJudged) => self.refuse(filter, stream),
        }
        self.report_all(filter);
        self.listener.metrics().report_pending(filter);
        stream.passage()
    }

    /// Judges a request. If it is not decided, it must be queued.
    pub(crate) fn judge(
        &self,
        filter: Filter<'_>,
        id: StreamId,
        head: RequestHead,
    ) -> Result<Option<Box<Answer>>, NotJudged> {
        self.settler.report().refresh();
        let connection = &Peer(&filter);
        let effects = self.handle(|judge, env| judge.request(id, head, Env { connection, ..env }));
        let effects = effects.ok_or(NotJudged)?;
        Ok(self.apply(effects, Some(id)))
    }

    /// Reports the changes of an event to the key service and to Envoy.
    pub(crate) fn report_all(&self, filter: Filter<'_>) {
        self.report_demand();
        self.report(filter);
    }

    /// Refuses a request that could not be judged.
    pub(crate) fn refuse(&self, filter: Filter<'_>, stream: &Stream) {
        let refusal = self.settler.refusal(stream.id(), None);
        self.settler.settle(&filter, stream, &refusal, At::Headers);
    }

    /// Queues a request. Returns false if nothing could wake it later. `stream` gets the
    /// CORS headers of the decision before its own hook applies it.
    pub(crate) fn begin_to_wait(
        &self,
        filter: Filter<'_>,
        id: StreamId,
        stream: Option<&Rc<Stream>>,
    ) -> bool {
        let is_waiting = filter
            .scheduler()
            .is_some_and(|scheduler| self.waiting.insert(id, stream, Alarm::new(scheduler)));
        if is_waiting {
            self.set_alarm();
        }
        is_waiting
    }

    /// Whether a request or its decision waits in this worker.
    pub(crate) fn holds(&self, id: StreamId) -> bool {
        self.waiting.contains(id)
    }

    /// Gives the document the alarm of the first waiting request, with which it wakes
    /// this thread.
    fn set_alarm(&self) {
        self.waiting.if_alarm_changed(|alarm| {
            let is_new = alarm.is_some();
            self.document.set_alarm(self.thread, alarm);
            if is_new {
                self.listener.wake_soon();
            }
        });
    }

    /// Handles a tick of this thread, in the hook of one waiting request. Only ticks
    /// decide waiting requests.
    pub(crate) fn tick(&self, filter: Filter<'_>, id: StreamId) {
        self.waiting.fired(id);
        self.settler.report().refresh();
        match self.handle(Judge::tick) {
            Some(effects) => drop(self.apply(effects, None)),
            // Without a clock, no deadline can be checked.
            None => self.abandon(),
        }
        self.set_alarm();
        self.request_tick_if_behind();
        self.report_demand();
        self.report(filter);
    }

    /// Requests the next tick at once if this one did not finish the work.
    fn request_tick_if_behind(&self) {
        if self.seat.is_behind() {
            self.waiting.request_tick();
        }
    }

    /// Applies the decision about a request that waited, in its own hook.
    pub(crate) fn decided(&self, filter: Filter<'_>, stream: &Stream) {
        if let Some(answer) = self.take_decided(stream.id()) {
            self.settler.settle(&filter, stream, &answer, At::Later);
            self.report(filter);
        }
    }

    /// Removes and returns the decision about a request that waited.
    pub(crate) fn take_decided(&self, id: StreamId) -> Option<Box<Answer>> {
        let taken = self.waiting.take_decided(id);
        if taken.is_some() {
            self.set_alarm();
        }
        taken
    }

    /// Handles the trailers of a request.
    pub(crate) fn request_trailers(
        &self,
        filter: Filter<'_>,
        stream: &Stream,
        has_fields: bool,
    ) -> Passage {
        let passage = self.settler.request_trailers(&filter, stream, has_fields);
        self.report(filter);
        passage
    }

    /// Handles the headers of a response, from the upstream or from Envoy.
    pub(crate) fn response_headers(&self, filter: Filter<'_>, stream: &Stream) -> Passage {
        if stream.is_pending() {
            stream.overtaken(self.cors_of_waiting(stream.id()));
            self.forget(stream.id());
        }
        let passage = self.settler.response_headers(&filter, stream);
        self.report(filter);
        passage
    }

    /// Handles the end of a request.
    pub(crate) fn ended(&self, filter: Filter<'_>, stream: &Stream) {
        if stream.is_pending() {
            self.forget(stream.id());
            self.report_all(filter);
        }
    }

    /// Removes a request from the waiting ones, if it is one.
    pub(crate) fn forget(&self, id: StreamId) {
        self.waiting.remove(id);
        self.set_alarm();
        self.forget_in_judge(id);
    }

    fn forget_in_judge(&self, stream: StreamId) {
        self.apply(self.seat.forget(stream), None);
    }

    /// Refuses all waiting requests.
    fn abandon(&self) {
        for id in self.waiting.ids() {
            let cors = self.cors_of_waiting(id);
            self.forget_in_judge(id);
            let refusal = self.settler.refusal(id, cors);
            self.waiting.decide(Box::new(refusal));
        }
    }

    /// The CORS headers of a waiting request that are known so far.
    pub(crate) fn cors_of_waiting(&self, stream: StreamId) -> Option<ResponseCors> {
        let cors = self.seat.cors_of_waiting(stream);
        cors.or_else(|| self.waiting.cors_of_decided(stream))
    }

    /// Passes an event to the judge, after it has adopted the latest snapshot. Returns
    /// `None` if that is not possible.
    fn handle(
        &self,
        event: impl FnOnce(&mut Judge, Env<'_>) -> Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let describes = self.settler.report().is_enabled(Level::Debug);
        let exchange = self.document.exchange();
        self.seat.handle(exchange, clock::now, describes, event)
    }

    /// Applies the effects of the judge. Returns the decision about the request `here`,
    /// whose headers have arrived in this hook.
    fn apply(&self, effects: Vec<Effect>, here: Option<StreamId>) -> Option<Box<Answer>> {
        let waiting = |answer| self.waiting.decide(answer);
        edge_authz_native::apply(effects, self.settler.report(), here, waiting)
    }

    /// Reports the judge's demand to the key service if it has changed.
    fn report_demand(&self) {
        if self.seat.report_demand(self.document.exchange()) {
            self.listener.wake_soon();
        }
    }

    /// Reports the measurements to Envoy, or leaves them for the main thread.
    fn report(&self, filter: Filter<'_>) {
        self.settler.report().flush();
        if !self.is_collected {
            self.sink.report(self.listener.metrics(), filter);
        }
    }
}
