//! One active configuration: its engine, and the effects that the engine returns.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::fetches::Fetches;
use super::stream::{At, Passage, Stream};
use super::waiting::Waiting;
use super::{HeaderList, Host, HostError, HttpExchange, Peer, Room, Settler, Ticks, seed};
use crate::cors::ResponseCors;
use crate::engine::{
    Answer, Effect, Engine, Env, FetchCall, FetchId, NoConnection, NonceStore, ProofMemory, Proofs,
    Randomness, StreamId,
};
use crate::http::RequestHead;
use crate::keys::answer::AnswerHead;
use crate::policy::Policy;
use crate::telemetry::{Level, NotSent};
use crate::time::UnixTime;

thread_local! {
    /// The proofs that were used in this worker, with any listener and configuration, and the
    /// keys of its nonces.
    static PROOFS: OnceCell<Proofs> = const { OnceCell::new() };
}

fn proofs_of_worker(random: Randomness) -> Proofs {
    PROOFS.with(|known| {
        let proofs = known.get_or_init(|| {
            let memory = ProofMemory::new(ProofMemory::MAX_OF_WORKER, 1);
            Proofs::new(Arc::new(memory), Arc::new(NonceStore::new(random)))
        });
        proofs.clone()
    })
}

/// The filter of one listener in one worker that has its own thread, such as a Wasm VM.
/// All its callbacks run on that thread.
#[derive(Debug)]
pub struct Driver<H: Host> {
    host: Rc<H>,
    engine: RefCell<Engine>,
    settler: Settler<H>,
    /// The requests that the engine will decide later.
    waiting: RefCell<Waiting>,
    /// Decisions about waiting requests that were not applied yet, because the callback
    /// had no room. There are never more of them than waiting requests.
    queued: RefCell<VecDeque<Box<Answer>>>,
    fetches: RefCell<Fetches<H::CallId>>,
    ticks: Rc<Ticks>,
    /// Whether a newer configuration has replaced this one.
    superseded: Cell<bool>,
    /// The time that was read last.
    last_read: Cell<UnixTime>,
}

impl<H: Host> Driver<H> {
    /// Activates a policy. `None` if the host cannot support one: without a clock or
    /// ticks nothing can be decided, and waiting requests would never be answered.
    ///
    /// `number` differs between the configurations of one worker.
    #[must_use]
    pub fn start(host: &Rc<H>, ticks: &Rc<Ticks>, policy: Policy, number: u32) -> Option<Rc<Self>> {
        let now = host.now().ok()?;
        let policy = Arc::new(policy);
        let driver = Self {
            host: Rc::clone(host),
            engine: RefCell::new(Engine::sharing(
                Arc::clone(&policy),
                seed(now, number.into()),
                proofs_of_worker(H::random),
            )),
            settler: Settler::new(Rc::clone(host), policy),
            waiting: RefCell::default(),
            queued: RefCell::default(),
            fetches: RefCell::new(Fetches::new()),
            ticks: Rc::clone(ticks),
            superseded: Cell::new(false),
            last_read: Cell::new(now),
        };
        driver.describe_steps();
        let effects = driver.handle(Some(now), Engine::start)?;
        driver.apply(effects, None);
        ticks.are_coming().then(|| Rc::new(driver))
    }

    /// Handles the headers of a request.
    pub fn request_headers(&self, exchange: &H::Exchange, stream: &Rc<Stream>) -> Passage {
        let now = self.now();
        let headers = exchange.headers(HeaderList::Request);
        let effects = headers.ok().and_then(|headers| {
            let head = RequestHead::new(headers);
            let connection = &Peer(exchange);
            self.handle(now, |engine, env| {
                engine.request(stream.id(), head, Env { connection, ..env })
            })
        });
        match effects {
            Some(effects) => self.apply(effects, Some((exchange, stream))),
            None => self.refuse(exchange, stream),
        }
        if stream.is_pending() {
            match self.waiting.try_borrow_mut() {
                // A superseded configuration makes no later decisions.
                Ok(mut waiting) if !self.superseded.get() => waiting.insert(Rc::clone(stream)),
                Ok(_) | Err(_) => self.refuse(exchange, stream),
            }
        }
        stream.passage()
    }

    /// Refuses a request in the callback that brought its headers.
    fn refuse(&self, exchange: &H::Exchange, stream: &Stream) {
        let refusal = self.refusal(stream.id());
        self.settler.settle(exchange, stream, &refusal, At::Headers);
    }

    /// Handles the trailers of a request. They may be empty.
    pub fn request_trailers(
        &self,
        exchange: &H::Exchange,
        stream: &Stream,
        has_fields: bool,
    ) -> Passage {
        self.settler.request_trailers(exchange, stream, has_fields)
    }

    /// Handles the headers of a response, from the upstream or from the host itself. If
    /// the host has answered the request by itself, for example after a timeout, nothing
    /// is left to decide.
    pub fn response_headers(&self, exchange: &H::Exchange, stream: &Stream) -> Passage {
        if stream.is_pending() {
            stream.overtaken(self.cors_of_waiting(stream.id()));
            self.forget(stream);
        }
        self.settler.response_headers(exchange, stream)
    }

    /// Handles the end of a request, for any reason.
    pub fn ended(&self, stream: &Stream) {
        if stream.is_pending() {
            self.forget(stream);
        }
    }

    fn forget(&self, stream: &Stream) {
        if let Ok(mut waiting) = self.waiting.try_borrow_mut() {
            waiting.remove(stream.id());
        }
        self.forget_in_engine(stream.id());
    }

    fn forget_in_engine(&self, stream: StreamId) {
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            let effects = engine.forget(stream);
            drop(engine);
            self.apply(effects, None);
        }
    }

    fn cors_of_waiting(&self, stream: StreamId) -> Option<ResponseCors> {
        let engine = self.engine.try_borrow().ok()?;
        engine.cors_of_waiting(stream).cloned()
    }

    /// Handles a tick. Only this callback answers waiting requests, because the host
    /// never calls it from inside another callback.
    pub fn tick(&self, room: &Room) {
        self.settler.report().refresh();
        self.describe_steps();
        match self.handle(self.now(), Engine::tick) {
            Some(effects) => {
                self.apply(effects, None);
                self.answer_queued(room);
            }
            // Without a clock no deadline can be checked.
            None => self.abandon(room),
        }
        self.settler.report().flush();
    }

    /// Lets the engine describe the steps of its decisions if the log shows refusals.
    fn describe_steps(&self) {
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            let needed = self.settler.report().is_enabled(Level::Debug);
            engine.describe_steps(needed);
        }
    }

    /// Handles the end of a fetch, with or without an answer. `head` reads the answer's
    /// head and `body` its body. Neither is read unless this driver sent the request.
    pub fn fetched(
        &self,
        call: H::CallId,
        head: &dyn Fn() -> Result<AnswerHead, HostError>,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) {
        let fetches = self.fetches.try_borrow_mut();
        let Some(id) = fetches.ok().and_then(|mut fetches| fetches.take(&call)) else {
            return;
        };
        let effects = self.fetch_ended(id, &head().unwrap_or_default(), body);
        self.apply(effects, None);
    }

    /// Reports the end of a fetch to the engine. This must always happen, because the
    /// engine starts no other fetch of the source before it.
    fn fetch_ended(
        &self,
        id: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        let now = self.now();
        let no_answer = AnswerHead::default();
        // Without a clock the answer is not used.
        let head = if now.is_some() { head } else { &no_answer };
        let now = now.unwrap_or(self.last_read.get());
        self.handle(Some(now), |engine, env| engine.fetched(id, head, body, env))
            .unwrap_or_default()
    }

    /// Releases memory that is not essential: see [`Engine::release_memory`].
    pub fn release_memory(&self) {
        if let Ok(mut engine) = self.engine.try_borrow_mut() {
            engine.release_memory();
        }
    }

    /// The memory of the cached tokens, in bytes.
    #[must_use]
    pub fn cached_token_bytes(&self) -> usize {
        let engine = self.engine.try_borrow();
        engine.map_or(0, |engine| engine.cached_token_bytes())
    }

    /// Answers as many waiting requests as there is room for, after a newer configuration
    /// has replaced this one or while the listener is drained. Returns whether requests
    /// still wait; if not, this driver needs no more ticks.
    #[must_use]
    pub fn leave(&self, room: &Room) -> bool {
        self.superseded.set(true);
        self.abandon(room);
        let is_awaited = self.is_awaited();
        if is_awaited {
            self.settler.report().flush();
        } else {
            self.settler.report().end();
        }
        is_awaited
    }

    /// Answers waiting requests in order of arrival, because the engine will not answer
    /// them.
    fn abandon(&self, room: &Room) {
        self.answer_queued(room);
        while !room.is_full() {
            let waiting = self.waiting.try_borrow();
            let first = waiting.ok().and_then(|waiting| waiting.first());
            let Some(stream) = first else { return };
            let refusal = self.refusal(stream);
            self.forget_in_engine(stream);
            self.settle_waiting(&refusal, room);
        }
        if self.is_awaited() {
            self.ticks.request_now(&*self.host);
        }
    }

    /// Whether a request waits for a decision, or for its decision to be applied.
    fn is_awaited(&self) -> bool {
        let waiting = self.waiting.try_borrow();
        waiting.is_ok_and(|waiting| !waiting.is_empty())
    }

    /// Applies earlier decisions, in their order.
    fn answer_queued(&self, room: &Room) {
        while !room.is_full() {
            let queued = self.queued.try_borrow_mut();
            let Some(answer) = queued.ok().and_then(|mut queued| queued.pop_front()) else {
                return;
            };
            self.settle_waiting(&answer, room);
        }
        self.speed_up_ticks();
    }

    /// Asks for the next tick as soon as possible if decisions are queued.
    fn speed_up_ticks(&self) {
        let queued = self.queued.try_borrow();
        if queued.is_ok_and(|queued| !queued.is_empty()) {
            self.ticks.request_now(&*self.host);
        }
    }

    /// Keeps a decision for the next tick. Until then the request waits. The decision is
    /// dropped if the client leaves.
    fn queue(&self, answer: Box<Answer>) {
        if let Ok(waiting) = self.waiting.try_borrow()
            && let Some(stream) = waiting.get(answer.stream)
            && let Ok(mut queued) = self.queued.try_borrow_mut()
        {
            stream.set_cors(answer.facts.cors.clone());
            queued.push_back(answer);
        }
    }

    fn refusal(&self, stream: StreamId) -> Answer {
        self.settler.refusal(stream, self.cors_of_waiting(stream))
    }

    fn now(&self) -> Option<UnixTime> {
        let now = self.host.now().ok()?;
        self.last_read.set(now);
        Some(now)
    }

    /// Reports an event to the engine. Returns `None` if that is not possible. The engine
    /// is released before its effects are applied, because the host may call back while
    /// it applies them.
    fn handle(
        &self,
        now: Option<UnixTime>,
        event: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let mut engine = self.engine.try_borrow_mut().ok()?;
        let env = Env {
            now: now?,
            shared: self.host.shared_data(),
            host_signatures: self.host.signatures(),
            connection: &NoConnection,
        };
        let effects = event(&mut engine, env);
        let next_tick = engine.next_tick();
        drop(engine);
        self.ticks.set_period(&*self.host, next_tick);
        self.speed_up_ticks();
        Some(effects)
    }

    /// Applies the engine's effects. `here` is the request whose headers the current
    /// callback brought, if any.
    pub(super) fn apply(&self, effects: Vec<Effect>, here: Option<(&H::Exchange, &Stream)>) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match (effect, here) {
                (Effect::Answer(answer), Some((exchange, stream)))
                    if answer.stream == stream.id() =>
                {
                    self.settler.settle(exchange, stream, &answer, At::Headers);
                }
                (Effect::Answer(answer), _) => self.queue(answer),
                (Effect::Fetch(call), _) => effects.extend(self.fetch(&call)),
                (Effect::Measure(measurement), _) => self.settler.report().measure(measurement),
                (Effect::Log(event), _) => self.settler.report().log(&event),
            }
        }
    }

    /// Sends a fetch. Returns the effects that follow if it could not be sent.
    fn fetch(&self, call: &FetchCall) -> Vec<Effect> {
        let sent = self.host.send(call).and_then(|number| {
            let fetches = self.fetches.try_borrow_mut();
            let mut fetches = fetches.map_err(|_| NotSent::Refused)?;
            fetches.sent(number, call.id);
            Ok(())
        });
        match sent {
            Ok(()) => Vec::new(),
            Err(why) => self.fetch_ended(call.id, &AnswerHead::not_sent(why), &|| None),
        }
    }

    /// Applies the decision about a waiting request, outside of its own callbacks.
    fn settle_waiting(&self, answer: &Answer, room: &Room) {
        let waiting = self.waiting.try_borrow_mut();
        let stream = waiting.ok().and_then(|mut all| all.remove(answer.stream));
        let Some(stream) = stream else {
            return;
        };
        room.take();
        // This fails if the client has left. Then nothing is left to do.
        let _ = self.host.with_waiting(stream.id(), &mut |exchange| {
            self.settler.settle(exchange, &stream, answer, At::Later);
        });
    }
}
