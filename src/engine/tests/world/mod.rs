//! Simulated workers, issuers, shared data and a clock: everything around the engine. The
//! model checks each event.

mod queries;
mod token;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::issuer::{Issuer, Mode, Published};
use super::model::{Model, Waits};
use super::settings::Settings;
use super::shared::FakeShared;
use super::signer::{Memory, SIGNER};
use crate::authz::Unenforced;
use crate::config;
use crate::engine::judging::Allowance;
use crate::engine::{Action, Answer, Effect, Engine, Env, FetchCall, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::Ending;
use crate::telemetry::{Change, Event, Measurement, Metric, NotSent, Reason};
use crate::time::UnixTime;
pub(super) use token::Token;

/// The number of issuers. The first is asked for its key set directly, the second for its
/// metadata first.
pub(super) const ISSUERS: usize = 2;
/// 2100-01-01T00:00:00Z
pub(super) const LATE: i64 = 4_102_444_800;

/// One lifetime of one worker, with one configuration.
pub(super) struct Worker {
    pub(super) life: usize,
    pub(super) settings: Settings,
    pub(super) engine: RefCell<Engine>,
    pub(super) waits: RefCell<Waits>,
    pub(super) next_tick: Cell<UnixTime>,
    /// The allowance of each of its ticks.
    pub(super) allowance: Allowance,
    period: Cell<Duration>,
}

/// A request to an issuer that is not answered yet.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) life: usize,
    pub(super) source: usize,
    pub(super) asked: FetchCall,
    pub(super) sent_at: UnixTime,
}

/// The answer that a client received.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) reason: Reason,
    /// Why it would have been refused, if refusals are only reported.
    pub(super) reported: Option<Reason>,
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<u64>,
    pub(super) at: UnixTime,
}

/// An event of a worker.
#[derive(Debug)]
pub(super) enum Happened {
    Request(super::model::Request),
    Tick { seen: [usize; ISSUERS] },
    Fetched { source: usize, answer: Published },
    Other,
}

pub(super) struct World {
    pub(super) clock: Cell<UnixTime>,
    sequence: Cell<u64>,
    streams: Cell<u32>,
    lives: Cell<usize>,
    pub(super) shared: FakeShared,
    pub(super) issuers: [Issuer; ISSUERS],
    pub(super) workers: RefCell<Vec<Rc<Worker>>>,
    pub(super) calls: RefCell<Vec<Call>>,
    /// Every request that an issuer has received.
    pub(super) gets: RefCell<Vec<Call>>,
    pub(super) answers: RefCell<BTreeMap<StreamId, Outcome>>,
    pub(super) events: RefCell<Vec<Event>>,
    pub(super) model: RefCell<Model>,
    /// The latency of the issuers; `None` if the test sends the answers.
    pub(super) latency: Cell<Option<Duration>>,
    /// The minimum time between two ticks, as in a busy host.
    pub(super) slowness: Cell<Duration>,
    /// The allowance of a tick in workers that start from now on.
    pub(super) allowance: Cell<Allowance>,
    pub(super) verbose: bool,
}

/// The maximum number of answers to one event, because a host nests them.
const fn most_answers(worker: &Worker, happened: &Happened) -> usize {
    match happened {
        Happened::Tick { .. } => worker.allowance.answers,
        Happened::Request(_) => 1,
        Happened::Fetched { .. } | Happened::Other => 0,
    }
}

impl World {
    /// Creates a world with this number of workers, which have just started.
    pub(super) fn new(workers: usize, settings: Settings) -> Rc<Self> {
        let world = Self {
            clock: Cell::new(UnixTime::from_secs(1_800_000_000)),
            sequence: Cell::new(0),
            streams: Cell::new(0),
            lives: Cell::new(0),
            shared: FakeShared::default(),
            issuers: [
                Issuer::new("https://a.example"),
                Issuer::new("https://b.example"),
            ],
            workers: RefCell::default(),
            calls: RefCell::default(),
            gets: RefCell::default(),
            answers: RefCell::default(),
            events: RefCell::default(),
            model: RefCell::default(),
            latency: Cell::new(Some(Duration::from_millis(20))),
            slowness: Cell::default(),
            allowance: Cell::new(Allowance::WHOLE),
            verbose: std::env::var_os("SIMULATION_SEED").is_some(),
        };
        for _ in 0..workers {
            world.start(settings);
        }
        Rc::new(world)
    }

    pub(super) fn start(&self, settings: Settings) -> Rc<Worker> {
        self.start_with(&settings.configuration(), settings)
    }

    /// Starts a worker.
    pub(super) fn start_with(&self, configuration: &str, settings: Settings) -> Rc<Worker> {
        let policy = std::sync::Arc::new(config::compile(configuration.as_bytes()).unwrap());
        let life = self.lives.get() + 1;
        self.lives.set(life);
        let mut engine = Engine::new(policy, u64::try_from(life).unwrap());
        let allowance = self.allowance.get();
        engine.judge.allowance = allowance;
        let worker = Rc::new(Worker {
            life,
            settings,
            engine: RefCell::new(engine),
            waits: RefCell::new(Waits::new()),
            next_tick: Cell::new(self.now()),
            allowance,
            period: Cell::default(),
        });
        let seen = self.model.borrow().seen();
        self.event(&worker, Happened::Tick { seen }, Engine::start);
        self.workers.borrow_mut().push(Rc::clone(&worker));
        worker
    }

    /// Ends a worker and everything that it waited for.
    pub(super) fn kill(&self, life: usize) {
        self.workers
            .borrow_mut()
            .retain(|worker| worker.life != life);
        self.calls.borrow_mut().retain(|call| call.life != life);
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.get()
    }

    pub(super) fn worker(&self, index: usize) -> Rc<Worker> {
        Rc::clone(&self.workers.borrow()[index])
    }

    fn of_life(&self, life: usize) -> Option<Rc<Worker>> {
        let workers = self.workers.borrow();
        workers.iter().find(|worker| worker.life == life).cloned()
    }

    /// Sends an event to a worker, unless the worker is busy.
    fn event(
        &self,
        worker: &Worker,
        happened: Happened,
        what: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>,
    ) {
        let Ok(mut engine) = worker.engine.try_borrow_mut() else {
            return;
        };
        self.sequence.set(self.sequence.get() + 1);
        let now = self.now().saturating_add(Duration::from_micros(1));
        self.clock.set(now);
        let sequence = self.sequence.get();
        let happened = match happened {
            Happened::Request(request) => Happened::Request(super::model::Request {
                arrived: now,
                sequence,
                ..request
            }),
            Happened::Tick { .. } | Happened::Fetched { .. } | Happened::Other => happened,
        };
        if self.verbose {
            println!("  {} worker {}: {happened:?}", now.as_nanos(), worker.life);
        }
        let effects = what(
            &mut engine,
            Env {
                now,
                shared: &self.shared,
                host_signatures: &Memory,
                connection: &crate::engine::NoConnection,
            },
        );
        let period = engine.next_tick();
        drop(engine);
        if period != worker.period.get() || matches!(happened, Happened::Tick { .. }) {
            worker.period.set(period);
            let period = period.max(self.slowness.get());
            worker.next_tick.set(now.saturating_add(period));
        }
        self.apply(worker, &happened, (now, sequence), effects);
    }

    fn apply(
        &self,
        worker: &Worker,
        happened: &Happened,
        (now, sequence): (UnixTime, u64),
        effects: Vec<Effect>,
    ) {
        let mut refused = Vec::new();
        let mut answers = 0;
        let mut model = self.model.borrow_mut();
        Model::happened(worker, happened, now);
        for effect in effects {
            if self.verbose {
                println!("  {} worker {}: {effect:?}", now.as_nanos(), worker.life);
            }
            match effect {
                Effect::Answer(answer) => {
                    answers += 1;
                    self.answered(worker, &answer, now, &mut model);
                }
                Effect::Measure(Measurement {
                    metric: Metric::WaitingRequests,
                    change: Change::Add(change),
                }) => {
                    worker.waits.borrow_mut().gauge += change;
                }
                Effect::Measure(_) => {}
                Effect::Log(event) => {
                    model.logged(worker, &event, (happened, now), &self.shared);
                    self.events.borrow_mut().push(*event);
                }
                Effect::Fetch(call) => {
                    let source = usize::from(!call.uri.host().starts_with('a'));
                    let call = Call {
                        life: worker.life,
                        source,
                        asked: *call,
                        sent_at: now,
                    };
                    if matches!(happened, Happened::Fetched { .. }) {
                        model.fetch_continued(worker, source, now);
                    } else {
                        model.began(worker, &call, sequence, &self.shared);
                    }
                    if self.issuers[source].mode.get() == Mode::NotSent {
                        refused.push(call.clone());
                    } else {
                        self.gets.borrow_mut().push(call.clone());
                    }
                    self.calls.borrow_mut().push(call);
                }
            }
        }
        assert!(answers <= most_answers(worker, happened), "{happened:?}");
        model.check(worker, happened, now);
        drop(model);
        for call in refused {
            self.answer_call(&call, &Published::ending(Ending::NotSent(NotSent::NoHost)));
        }
    }

    fn answered(&self, worker: &Worker, answer: &Answer, now: UnixTime, model: &mut Model) {
        let reported = match &answer.action {
            Action::Forward(forward) => forward.unenforced().map(Unenforced::reason),
            Action::Reply(_) => None,
        };
        let (status, retry_after) = match &answer.action {
            Action::Forward(_) => (None, None),
            Action::Reply(reply) => {
                let header = |(name, _): &&(&str, crate::http::SafeText)| *name == "retry-after";
                let retry_after = reply.headers.iter().find(header);
                let seconds = retry_after.map(|(_, value)| value.as_str().parse().unwrap());
                (Some(reply.status), seconds)
            }
        };
        let outcome = Outcome {
            reason: answer.reason,
            reported,
            status,
            retry_after,
            at: now,
        };
        model.answered(worker, answer.stream, &outcome);
        let before = self.answers.borrow_mut().insert(answer.stream, outcome);
        assert!(before.is_none(), "answered twice: {:?}", answer.stream);
    }

    /// Sends a request with a token of an issuer to a worker.
    pub(super) fn request(&self, worker: &Worker, issuer: usize, token: Token) -> StreamId {
        let text = SIGNER.with(|signer| match &token {
            Token::Good(key) => signer.good(self.issuers[issuer].name, *key, LATE),
            Token::Forged(kid) => signer.forged(self.issuers[issuer].name, kid, LATE),
        });
        self.request_with(worker, issuer, token, &text)
    }

    pub(super) fn request_with(
        &self,
        worker: &Worker,
        issuer: usize,
        token: Token,
        text: &str,
    ) -> StreamId {
        let stream = StreamId(self.streams.get());
        self.streams.set(stream.0 + 1);
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {text}")),
        ]));
        let request = super::model::Request {
            stream,
            source: issuer,
            token,
            arrived: self.now(),
            sequence: 0,
        };
        self.event(worker, Happened::Request(request), |engine, env| {
            engine.request(stream, head, env)
        });
        stream
    }

    /// Ends a request because the client leaves.
    pub(super) fn leave(&self, worker: &Worker, stream: StreamId) {
        worker.waits.borrow_mut().requests.remove(&stream);
        self.event(worker, Happened::Other, |engine, _| engine.forget(stream));
    }

    pub(super) fn tick(&self, worker: &Worker) {
        // While another worker is changing the shared data, a worker may miss the change
        // until its next tick.
        let busy = |worker: &Rc<Worker>| worker.engine.try_borrow().is_err();
        let seen = if self.workers.borrow().iter().any(busy) {
            [0; ISSUERS]
        } else {
            self.model.borrow().seen()
        };
        self.event(worker, Happened::Tick { seen }, Engine::tick);
    }

    /// Lets an issuer answer a call in its current mode.
    pub(super) fn answer(&self, call: &Call) {
        let answer = self.issuers[call.source].answer(&call.asked.uri);
        self.answer_call(call, &answer);
    }

    pub(super) fn answer_call(&self, call: &Call, answer: &Published) {
        self.calls
            .borrow_mut()
            .retain(|other| other.asked.id != call.asked.id);
        let Some(worker) = self.of_life(call.life) else {
            return;
        };
        let happened = Happened::Fetched {
            source: call.source,
            answer: answer.clone(),
        };
        self.event(&worker, happened, |engine, env| {
            let body = || Some(answer.body.clone());
            engine.fetched(call.asked.id, &answer.head, &body, env)
        });
    }
}
