//! One configuration in force: its engine, and the effects that come of it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::fetches::{self, Fetches};
use super::host::{self, Buffer, Map, Shared, Signatures};
use super::listeners;
use super::report::Report;
use super::room::Room;
use super::stream::{At, Stream};
use super::ticks::Ticks;
use edge_authz::authz::Refusal;
use edge_authz::cors::ResponseCors;
use edge_authz::engine::{Action, Answer, Effect, Engine, Env, FetchCall, FetchId, StreamId};
use edge_authz::http::{LocalReply, RequestHead};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::{IdentityHeaders, Policy};
use edge_authz::telemetry::{Event, Level, Measurement, Metric, Reason};
use edge_authz::time::UnixTime;

/// A listener's filter in one worker.
#[derive(Debug)]
pub(super) struct Listener {
    /// The root context.
    root: u32,
    policy: Arc<Policy>,
    engine: RefCell<Engine>,
    /// The requests that the engine will decide about later.
    waiting: RefCell<BTreeMap<StreamId, Rc<Stream>>>,
    /// What the engine has decided about them and the host has not been told, as
    /// there was no room in the callback.
    queued: RefCell<VecDeque<Box<Answer>>>,
    fetches: Fetches,
    signatures: Signatures,
    report: Report,
    /// The answer where the host fails.
    failure: LocalReply,
    ticks: Rc<Ticks>,
    /// Another configuration has taken this one's place.
    superseded: Cell<bool>,
    /// The time that was last read.
    last_read: Cell<UnixTime>,
}

impl Listener {
    /// Puts a policy in force. `None` where the host cannot support one: without a
    /// clock or ticks nothing could be decided, and who waits would wait for good.
    pub(super) fn start(root: u32, ticks: &Rc<Ticks>, policy: Policy) -> Option<Rc<Self>> {
        let now = host::now().ok()?;
        let policy = Arc::new(policy);
        let listener = Self {
            root,
            engine: RefCell::new(Engine::new(Arc::clone(&policy), seed(now, root))),
            waiting: RefCell::default(),
            queued: RefCell::default(),
            fetches: Fetches::default(),
            signatures: Signatures::default(),
            report: Report::new(),
            failure: Refusal::from(Reason::InternalError).reply(&policy.responses),
            policy,
            ticks: Rc::clone(ticks),
            superseded: Cell::new(false),
            last_read: Cell::new(now),
        };
        let effects = listener.ask(Some(now), Engine::start)?;
        listener.apply(effects, None);
        if !ticks.are_coming() {
            return None;
        }
        let listener = Rc::new(listener);
        listeners::begin(&listener);
        Some(listener)
    }

    pub(super) fn upstream(&self) -> &IdentityHeaders {
        &self.policy.upstream
    }

    /// The answer where the host fails.
    pub(super) fn failure(&self) -> &LocalReply {
        &self.failure
    }

    /// The headers of a request have come.
    pub(super) fn request(&self, stream: &Rc<Stream>) {
        let now = self.now();
        let effects = host::headers(Map::RequestHeaders).ok().and_then(|headers| {
            let head = RequestHead::new(headers);
            self.ask(now, |engine, around| {
                engine.request(stream.id, head, around)
            })
        });
        match effects {
            Some(effects) => self.apply(effects, Some(stream)),
            None => self.settle(stream, &self.refusal(stream.id), At::Headers),
        }
        if stream.is_pending() {
            match self.waiting.try_borrow_mut() {
                // Nobody decides later in a superseded configuration.
                Ok(mut waiting) if !self.superseded.get() => {
                    waiting.insert(stream.id, Rc::clone(stream));
                }
                Ok(_) | Err(_) => self.settle(stream, &self.refusal(stream.id), At::Headers),
            }
        }
    }

    /// A request that was pending is over.
    pub(super) fn forget(&self, stream: &Stream) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.remove(&stream.id);
        }
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            let effects = engine.forget(stream.id);
            drop(engine);
            self.apply(effects, None);
        }
    }

    /// The host has answered a request by itself, as when it had waited for too
    /// long: nothing is to be decided any more. The stream learns what CORS does to
    /// that answer.
    pub(super) fn overtaken(&self, stream: &Stream) {
        if let Some(cors) = self.cors_of_waiting(stream.id) {
            stream.set_cors(Some(cors));
        }
        self.forget(stream);
    }

    fn cors_of_waiting(&self, stream: StreamId) -> Option<ResponseCors> {
        let engine = self.engine.try_borrow().ok()?;
        engine.cors_of_waiting(stream).cloned()
    }

    /// Time has passed. Here alone requests that wait are answered, since the host
    /// calls this inside of no other callback.
    pub(super) fn tick(&self, room: &Room) {
        self.report.refresh();
        match self.ask(self.now(), Engine::tick) {
            Some(effects) => {
                self.apply(effects, None);
                self.answer_queued(room);
            }
            // Whose time is up cannot be told any more.
            None => self.abandon(room),
        }
        self.report.flush();
    }

    /// The answer to a fetch has come, or it never will.
    pub(super) fn answered(&self, number: u32, fields: usize, body_size: usize) {
        let Some(id) = self.fetches.take(number) else {
            return;
        };
        let head = fetches::answer_head(fields, body_size).unwrap_or_default();
        let body = || host::buffer(Buffer::AnswerBody, body_size).ok();
        let effects = self.ended(id, &head, &body);
        self.apply(effects, None);
    }

    /// Tells the engine how a fetch has ended. It must be told in any case: it
    /// begins no other before.
    fn ended(
        &self,
        id: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        let now = self.now();
        let no_answer = AnswerHead::default();
        // Nothing is decided by a clock that stands still.
        let head = if now.is_some() { head } else { &no_answer };
        let now = now.unwrap_or(self.last_read.get());
        self.ask(Some(now), |engine, around| {
            engine.fetched(id, head, body, around)
        })
        .unwrap_or_default()
    }

    /// Gives up what can be done without: see [`Engine::give_up_memory`].
    pub(super) fn give_up_memory(&self) {
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            engine.give_up_memory();
        }
    }

    /// What remembered tokens take, in bytes.
    pub(super) fn remembered_bytes(&self) -> usize {
        let engine = self.engine.try_borrow();
        engine.map_or(0, |engine| engine.remembered_bytes())
    }

    /// Another configuration has taken this one's place, or the listener is
    /// drained: answers those that wait, as many as there is room for. Whether
    /// somebody still waits; else it needs no more ticks.
    pub(super) fn leave(&self, room: &Room) -> bool {
        self.superseded.set(true);
        self.abandon(room);
        if self.is_awaited() {
            self.report.flush();
            return true;
        }
        self.report.end();
        false
    }

    /// Answers requests that wait, in order of arrival: the engine will not.
    fn abandon(&self, room: &Room) {
        self.answer_queued(room);
        while !room.is_full() {
            let waiting = self.waiting.try_borrow();
            let first = waiting.ok().and_then(|all| all.keys().next().copied());
            let Some(stream) = first else { return };
            let refusal = self.refusal(stream);
            if let Ok(mut engine) = self.engine.try_borrow_mut() {
                let effects = engine.forget(stream);
                drop(engine);
                self.apply(effects, None);
            }
            self.settle_waiting(&refusal, room);
        }
        if self.is_awaited() {
            self.ticks.ask_at_once();
        }
    }

    /// Whether somebody waits for a decision, or for having it done.
    fn is_awaited(&self) -> bool {
        let waiting = self.waiting.try_borrow();
        waiting.is_ok_and(|waiting| !waiting.is_empty())
    }

    /// Does what was decided earlier, in that order.
    fn answer_queued(&self, room: &Room) {
        while !room.is_full() {
            let queued = self.queued.try_borrow_mut();
            let Some(answer) = queued.ok().and_then(|mut queued| queued.pop_front()) else {
                return;
            };
            self.settle_waiting(&answer, room);
        }
        self.hasten();
    }

    /// Asks for the next tick at once where decisions are queued.
    fn hasten(&self) {
        if self
            .queued
            .try_borrow()
            .is_ok_and(|queued| !queued.is_empty())
        {
            self.ticks.ask_at_once();
        }
    }

    /// Keeps a decision for the next tick. Until then the request waits, and is
    /// forgotten if its client leaves.
    fn queue(&self, answer: Box<Answer>) {
        if let Ok(waiting) = self.waiting.try_borrow()
            && let Some(stream) = waiting.get(&answer.stream)
            && let Ok(mut queued) = self.queued.try_borrow_mut()
        {
            stream.set_cors(answer.cors.clone());
            queued.push_back(answer);
        }
    }

    fn refusal(&self, stream: StreamId) -> Answer {
        Answer {
            stream,
            action: Action::Reply(self.failure.clone()),
            reason: Reason::InternalError,
            route: None,
            provider: None,
            issuer: None,
            cors: self.cors_of_waiting(stream),
            preflight: Vec::new(),
        }
    }

    fn now(&self) -> Option<UnixTime> {
        let now = host::now().ok()?;
        self.last_read.set(now);
        Some(now)
    }

    /// Tells the engine of an event. `None` where that is not possible. The
    /// engine is free again when its effects are applied: the host may come
    /// back while it does what they say.
    fn ask(
        &self,
        now: Option<UnixTime>,
        event: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let mut engine = self.engine.try_borrow_mut().ok()?;
        let around = Env {
            now: now?,
            shared: &Shared,
            native: &self.signatures,
        };
        let effects = event(&mut engine, around);
        let next_tick = engine.next_tick();
        drop(engine);
        self.ticks.ask(next_tick);
        self.hasten();
        Some(effects)
    }

    /// Does what the engine says. `here` is the request whose headers the
    /// current callback brings, if it does.
    fn apply(&self, effects: Vec<Effect>, here: Option<&Stream>) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match (effect, here) {
                (Effect::Answer(answer), Some(stream)) if answer.stream == stream.id => {
                    self.settle(stream, &answer, At::Headers);
                }
                (Effect::Answer(answer), _) => self.queue(answer),
                (Effect::Fetch(call), _) => effects.extend(self.fetch(&call)),
                (Effect::Measure(metric), _) => self.report.measure(metric),
                (Effect::Log(event), _) => self.report.log(&event),
            }
        }
    }

    /// Sends a fetch; returns what follows where it could not be sent.
    fn fetch(&self, call: &FetchCall) -> Vec<Effect> {
        match self.fetches.send(self.root, call) {
            Ok(()) => Vec::new(),
            Err(why) => self.ended(call.id, &fetches::not_sent(why), &|| None),
        }
    }

    /// Decides a request that waits, from the root context.
    fn settle_waiting(&self, answer: &Answer, room: &Room) {
        let stream = self
            .waiting
            .try_borrow_mut()
            .ok()
            .and_then(|mut all| all.remove(&answer.stream));
        let Some(stream) = stream else {
            return;
        };
        room.take();
        // It fails where the client has left: nothing is to be done then.
        if host::set_effective_context(stream.id.0).is_ok() {
            self.settle(&stream, answer, At::Later);
            let _ = host::set_effective_context(self.root);
        }
    }

    /// Does what was decided about a request, and tells of it.
    fn settle(&self, stream: &Stream, answer: &Answer, at: At) {
        let reason = stream.apply(answer, at, &self.policy, &self.failure);
        let provider = answer.provider.clone();
        let passed = matches!(answer.action, Action::Forward(_)) && reason == answer.reason;
        if !passed && reason != Reason::Preflight && self.report.wants(Level::Debug) {
            self.report.log(&Event::Refused {
                reason,
                route: answer.route.clone(),
                provider: provider.clone(),
                preflight: answer.preflight.clone(),
            });
        }
        self.report
            .measure(Measurement::count(Metric::Requests { reason, provider }));
    }
}

/// Differs between workers, and between the configurations of one: the time to
/// the nanosecond, and the number of the root context.
fn seed(now: UnixTime, root: u32) -> u64 {
    let nanos = now.as_nanos() & i128::from(u64::MAX);
    u64::try_from(nanos).unwrap_or_default() ^ u64::from(root).rotate_left(32)
}
