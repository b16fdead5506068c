//! One configuration in one of Envoy's threads.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::abi::Filter;
use super::clock;
use super::listener::{Alarm, Listener};
use super::signatures::Signatures;
use super::sink::Sink;
use edge_authz::cors::ResponseCors;
use edge_authz::engine::{Answer, Demand, Effect, Env, Judge, NoSharedData, StreamId};
use edge_authz::host::{At, HeaderList, HttpExchange, Passage, Settler, Stream};
use edge_authz::http::RequestHead;
use edge_authz::telemetry::Level;
use edge_authz::time::UnixTime;

thread_local! {
    /// The configurations that this thread has served, by number. Closed ones are dropped
    /// when the thread serves a new one.
    static WORKERS: RefCell<BTreeMap<u64, Rc<Worker>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The judge of one thread, and the requests that wait for its decision.
pub(crate) struct Worker {
    listener: Arc<Listener>,
    /// The thread's index.
    thread: usize,
    judge: RefCell<Judge>,
    sink: Rc<Sink>,
    settler: Settler<Sink>,
    waiting: RefCell<BTreeMap<StreamId, Waiter>>,
    /// The waiting request whose alarm the listener has.
    alarmed: Cell<Option<StreamId>>,
    /// The demand that was last reported to the key service.
    last_demand: RefCell<Demand>,
    /// Whether that demand was not empty.
    had_demand: Cell<bool>,
    last_stream: Cell<u32>,
}

/// A request that waits. The judge bounds their number.
struct Waiter {
    stream: Rc<Stream>,
    alarm: Arc<Alarm>,
    /// The decision, which the request's own hook applies.
    decided: Option<Box<Answer>>,
}

impl Worker {
    /// The worker of this thread.
    pub(crate) fn of(listener: &Arc<Listener>, filter: Filter<'_>) -> Option<Rc<Self>> {
        WORKERS.with(|workers| {
            let mut workers = workers.try_borrow_mut().ok()?;
            if let Some(worker) = workers.get(&listener.number()) {
                return Some(Rc::clone(worker));
            }
            workers.retain(|_, worker| !worker.listener.is_closed());
            let worker = Rc::new(Self::new(listener, filter.worker_index()));
            workers.insert(listener.number(), Rc::clone(&worker));
            Some(worker)
        })
    }

    fn new(listener: &Arc<Listener>, thread: usize) -> Self {
        let sink = Rc::new(Sink::default());
        let policy = listener.policy();
        Self {
            judge: RefCell::new(Judge::sharing(
                Arc::clone(policy),
                listener.exchange().latest(),
                Arc::clone(listener.tokens()),
            )),
            settler: Settler::new(Rc::clone(&sink), Arc::clone(policy)),
            sink,
            listener: Arc::clone(listener),
            thread,
            waiting: RefCell::default(),
            alarmed: Cell::new(None),
            last_demand: RefCell::default(),
            had_demand: Cell::new(false),
            last_stream: Cell::new(0),
        }
    }

    pub(crate) const fn listener(&self) -> &Arc<Listener> {
        &self.listener
    }

    /// Creates the state of a new request. Its id is reused after 2^32 others, long after
    /// its end.
    pub(crate) fn stream(&self) -> Rc<Stream> {
        let number = self.last_stream.get().wrapping_add(1);
        self.last_stream.set(number);
        Stream::new(StreamId(number))
    }

    /// Handles the headers of a request.
    pub(crate) fn request_headers(&self, filter: Filter<'_>, stream: &Rc<Stream>) -> Passage {
        self.settler.report().refresh();
        let effects = filter
            .headers(HeaderList::Request)
            .ok()
            .and_then(|headers| {
                let head = RequestHead::new(headers);
                self.ask(|judge, env| judge.request(stream.id(), head, env))
            });
        match effects {
            Some(effects) => self.apply(effects, Some((filter, stream))),
            None => self.refuse(filter, stream),
        }
        if stream.is_pending() && !self.begin_to_wait(filter, stream) {
            self.forget_in_judge(stream.id());
            self.refuse(filter, stream);
        }
        self.report_demand();
        self.report(filter);
        self.listener.metrics().report_pending(filter);
        stream.passage()
    }

    fn refuse(&self, filter: Filter<'_>, stream: &Stream) {
        let refusal = self
            .settler
            .refusal(stream.id(), self.cors_of_waiting(stream.id()));
        self.settler.settle(&filter, stream, &refusal, At::Headers);
    }

    /// Queues a request. Returns false if nothing could wake it later.
    fn begin_to_wait(&self, filter: Filter<'_>, stream: &Rc<Stream>) -> bool {
        let Ok(mut waiting) = self.waiting.try_borrow_mut() else {
            return false;
        };
        let Some(scheduler) = filter.scheduler() else {
            return false;
        };
        let waiter = Waiter {
            stream: Rc::clone(stream),
            alarm: Arc::new(Alarm::new(scheduler)),
            decided: None,
        };
        waiting.insert(stream.id(), waiter);
        drop(waiting);
        self.set_alarm();
        true
    }

    /// Gives the listener the alarm of the first waiting request, with which it wakes
    /// this thread.
    fn set_alarm(&self) {
        let Ok(waiting) = self.waiting.try_borrow() else {
            return;
        };
        let first = waiting.first_key_value();
        let id = first.map(|(id, _)| *id);
        if self.alarmed.get() != id {
            self.alarmed.set(id);
            let alarm = first.map(|(_, waiter)| Arc::clone(&waiter.alarm));
            self.listener.set_alarm(self.thread, alarm);
        }
    }

    /// Handles a tick of this thread, in the hook of one waiting request. Only ticks
    /// decide waiting requests.
    pub(crate) fn tick(&self, filter: Filter<'_>, stream: &Stream) {
        if let Ok(waiting) = self.waiting.try_borrow()
            && let Some(waiter) = waiting.get(&stream.id())
        {
            waiter.alarm.fired();
        }
        self.settler.report().refresh();
        match self.ask(Judge::tick) {
            Some(effects) => self.apply(effects, None),
            // Without a clock, no deadline can be checked.
            None => self.abandon(),
        }
        self.set_alarm();
        self.hurry();
        self.report_demand();
        self.report(filter);
    }

    /// Requests the next tick at once if this one did not finish the work.
    fn hurry(&self) {
        let judge = self.judge.try_borrow();
        if judge.is_ok_and(|judge| judge.is_behind())
            && let Ok(waiting) = self.waiting.try_borrow()
            && let Some((_, waiter)) = waiting.first_key_value()
        {
            waiter.alarm.ring();
        }
    }

    /// Applies the decision about a request that waited, in its own hook.
    pub(crate) fn decided(&self, filter: Filter<'_>, stream: &Stream) {
        let taken = self.waiting.try_borrow_mut().ok().and_then(|mut waiting| {
            waiting.get(&stream.id())?.decided.as_ref()?;
            waiting.remove(&stream.id())?.decided
        });
        if let Some(answer) = taken {
            self.set_alarm();
            self.settler.settle(&filter, stream, &answer, At::Later);
            self.report(filter);
        }
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
            self.forget(stream);
        }
        let passage = self.settler.response_headers(&filter, stream);
        self.report(filter);
        passage
    }

    /// Handles the end of a request.
    pub(crate) fn ended(&self, filter: Filter<'_>, stream: &Stream) {
        if stream.is_pending() {
            self.forget(stream);
            self.report_demand();
            self.report(filter);
        }
    }

    /// Removes a request from the waiting ones, if it is one.
    pub(crate) fn forget(&self, stream: &Stream) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.remove(&stream.id());
        }
        self.set_alarm();
        self.forget_in_judge(stream.id());
    }

    fn forget_in_judge(&self, stream: StreamId) {
        if let Ok(mut judge) = self.judge.try_borrow_mut() {
            let effects = judge.forget(stream);
            drop(judge);
            self.apply(effects, None);
        }
    }

    /// Refuses all waiting requests.
    fn abandon(&self) {
        let ids: Vec<StreamId> = match self.waiting.try_borrow() {
            Ok(waiting) => waiting.keys().copied().collect(),
            Err(_) => return,
        };
        for id in ids {
            let cors = self.cors_of_waiting(id);
            self.forget_in_judge(id);
            self.decide(Box::new(self.settler.refusal(id, cors)));
        }
    }

    fn cors_of_waiting(&self, stream: StreamId) -> Option<ResponseCors> {
        let judge = self.judge.try_borrow().ok()?;
        judge.cors_of_waiting(stream).cloned()
    }

    /// Passes an event to the judge, after it has adopted the latest snapshot. Returns
    /// `None` if that is not possible.
    fn ask(&self, event: impl FnOnce(&mut Judge, Env<'_>) -> Vec<Effect>) -> Option<Vec<Effect>> {
        let mut judge = self.judge.try_borrow_mut().ok()?;
        let newer = self.listener.exchange().newer_than(&judge);
        // The clock is read after the snapshot, so that no time in it is in the future.
        let now: UnixTime = clock::now()?;
        if let Some(newer) = newer {
            judge.adopt(&newer, now);
        }
        judge.describe_steps(self.settler.report().is_enabled(Level::Debug));
        let env = Env {
            now,
            shared: &NoSharedData,
            host_signatures: &Signatures,
        };
        Some(event(&mut judge, env))
    }

    /// Applies the effects of the judge. `here` is the request whose headers have arrived in
    /// this hook, if any.
    fn apply(&self, effects: Vec<Effect>, here: Option<(Filter<'_>, &Rc<Stream>)>) {
        for effect in effects {
            match (effect, here) {
                (Effect::Answer(answer), Some((filter, stream)))
                    if answer.stream == stream.id() =>
                {
                    self.settler.settle(&filter, stream, &answer, At::Headers);
                }
                (Effect::Answer(answer), _) => self.decide(answer),
                (Effect::Measure(measurement), _) => self.settler.report().measure(measurement),
                (Effect::Log(event), _) => self.settler.report().log(&event),
                // A judge fetches nothing.
                (Effect::Fetch(_), _) => {}
            }
        }
    }

    /// Keeps a decision for the request's own hook. It is dropped if the client
    /// disconnects before.
    fn decide(&self, answer: Box<Answer>) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut()
            && let Some(waiter) = waiting.get_mut(&answer.stream)
        {
            waiter.stream.set_cors(answer.facts.cors.clone());
            waiter.decided = Some(answer);
            waiter.alarm.notify();
        }
    }

    /// Reports the judge's demand to the key service if it has changed.
    fn report_demand(&self) {
        let Ok(judge) = self.judge.try_borrow() else {
            return;
        };
        let Ok(mut last_demand) = self.last_demand.try_borrow_mut() else {
            return;
        };
        let has_demand = !judge.is_demand_empty();
        if !self.had_demand.replace(has_demand) && !has_demand {
            return;
        }
        let demand = judge.demand();
        if *last_demand != demand {
            last_demand.clone_from(&demand);
            if self.listener.exchange().set_demand(self.thread, demand) {
                self.listener.wake_soon();
            }
        }
    }

    /// Reports the measurements to Envoy.
    fn report(&self, filter: Filter<'_>) {
        self.settler.report().flush();
        self.sink.report(self.listener.metrics(), filter);
    }
}
