//! One key service and several judges, each in its own thread. A schedule interleaves
//! their steps: a judge may decide with a snapshot while the service makes the next one,
//! and the service may act on demands that are older than the judges' latest decisions.

mod checks;
mod service;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checks::{Request, Taken};

use super::dice::Dice;
use super::shared::FakeShared;
use super::signer::{KeyId, Memory, SIGNER};
use super::world::LATE;
use crate::config;
use crate::engine::{
    Demand, Effect, Env, Exchange, FetchCall, Judge, KeyService, Snapshot, StreamId,
};
use crate::http::{HeaderMap, RequestHead};
use crate::policy::Policy;
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_STALE: Duration = Duration::from_hours(1);
const CONFIGURATION: &str = r#"{"providers":[{"name":"a","issuer":"https://a.example",
    "audiences":"any","jwks":{"cluster":"a","uri":"https://a.example/keys",
    "timeout":"5s","refresh":"REFRESH","max_stale":"1h"}}],"routes":[{"match":"$default"}]}"#;
/// The longest step of the clock while requests may wait.
const LAG: Duration = Duration::from_millis(400);

struct Thread {
    judge: Judge,
    waiting: BTreeMap<StreamId, Request>,
    absent: BTreeMap<String, UnixTime>,
    /// The `kid`s for which requests waited when the judge last stored its demand.
    asked: Vec<String>,
    next_tick: UnixTime,
    busy: bool,
}

struct Call {
    call: FetchCall,
    sent_at: UnixTime,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each has a different meaning, and none excludes another"
)]
struct Threads {
    dice: Dice,
    now: UnixTime,
    shared: FakeShared,
    policy: Arc<Policy>,
    service: KeyService,
    exchange: Exchange,
    all: Vec<Thread>,
    serving: bool,
    next_tick: UnixTime,
    call: Option<Call>,
    published: Vec<KeyId>,
    fails: bool,
    taken: Vec<Taken>,
    early: Vec<UnixTime>,
    gets: usize,
    streams: u32,
    allowed: usize,
    /// Whether steps are interleaved now.
    nested: bool,
    /// Whether no new requests arrive.
    healing: bool,
    is_brisk: bool,
}

#[test]
fn threads_never_allow_wrongly_lose_requests_or_fetch_too_often() {
    let only = std::env::var("SIMULATION_SEED").ok();
    let only: Option<u64> = only.and_then(|seed| seed.parse().ok());
    for seed in 0..300 {
        if only.is_some_and(|only| only != seed) {
            continue;
        }
        let outcome = std::panic::catch_unwind(|| {
            let mut threads = Threads::new(seed);
            for _ in 0..120 {
                threads.step();
            }
            threads.heal();
        });
        if let Err(panic) = outcome {
            println!("schedule {seed} failed");
            std::panic::resume_unwind(panic);
        }
    }
}

impl Threads {
    fn new(seed: u64) -> Self {
        // If keys are refreshed often, the judges hardly keep up.
        let is_brisk = seed % 2 == 1;
        let refresh = if is_brisk { "3s" } else { "10m" };
        let configuration = CONFIGURATION.replace("REFRESH", refresh);
        let policy = Arc::new(config::compile(configuration.as_bytes()).unwrap());
        let service = KeyService::new(&policy, seed);
        let mut dice = Dice::new(seed);
        let count = 1 + dice.below(4);
        let exchange = Exchange::new(&service, count);
        let now = UnixTime::from_secs(1_800_000_000);
        let thread = |_| Thread {
            judge: Judge::new(Arc::clone(&policy), exchange.latest()),
            waiting: BTreeMap::new(),
            absent: BTreeMap::new(),
            asked: Vec::new(),
            next_tick: now,
            busy: false,
        };
        Self {
            all: (0..count).map(thread).collect(),
            dice,
            now,
            shared: FakeShared::default(),
            policy: Arc::clone(&policy),
            service,
            exchange,
            serving: false,
            next_tick: now,
            call: None,
            published: vec![KeyId(0), KeyId(1)],
            fails: false,
            taken: Vec::new(),
            early: Vec::new(),
            gets: 0,
            streams: 0,
            allowed: 0,
            nested: false,
            healing: false,
            is_brisk,
        }
    }

    fn clock(&mut self) -> UnixTime {
        self.now = self.now.saturating_add(Duration::from_micros(1));
        self.now
    }

    fn step(&mut self) {
        let index = self.dice.below(self.all.len());
        match self.dice.below(100) {
            0..40 => self.request(index),
            40..70 => {
                let millis = [1, 5, 20, 100, 350, 1000, 3000];
                let millis = *self.dice.pick(&millis);
                self.pass(Duration::from_millis(millis));
            }
            70..82 => self.answer(),
            82..90 => {
                let keys = (0..5).filter(|_| self.dice.percent(40)).map(KeyId);
                let keys: Vec<_> = keys.collect();
                if !keys.is_empty() {
                    self.published = keys;
                }
                self.fails = self.dice.percent(30);
            }
            90..94 => {
                let first = self.all[index].waiting.keys().next().copied();
                if let Some(stream) = first {
                    self.all[index].waiting.remove(&stream);
                    self.all[index].judge.forget(stream);
                }
            }
            94..96 => self.skip_ahead(),
            _ => self.meanwhile(),
        }
    }

    /// Advances the time until keys are due for a refresh, or too old.
    fn skip_ahead(&mut self) {
        if self.all.iter().all(|thread| thread.waiting.is_empty()) && self.call.is_none() {
            let secs = *self.dice.pick(&[20, 700, 4000]);
            self.now = self.now.saturating_add(Duration::from_secs(secs));
            self.serve(None);
        }
    }

    /// Advances the time, with all ticks. No step exceeds the lag.
    fn pass(&mut self, time: Duration) {
        let until = self.now.saturating_add(time);
        while self.now < until {
            let step = Duration::from_millis([1, 7, 30, 200][self.dice.below(4)]);
            self.now = self.now.saturating_add(step);
            for index in 0..self.all.len() {
                if self.now >= self.all[index].next_tick {
                    self.tick(index);
                }
            }
            if self.now >= self.next_tick {
                self.serve(None);
            }
            if self.dice.percent(20) {
                self.answer();
            }
        }
    }

    /// Lets other threads act between two steps of one thread.
    fn meanwhile(&mut self) {
        if std::mem::replace(&mut self.nested, true) {
            return;
        }
        for _ in 0..self.dice.below(4) {
            let index = self.dice.below(self.all.len());
            match self.dice.below(4) {
                0 if !self.healing => self.request(index),
                0 | 1 => self.tick(index),
                2 => self.serve(None),
                _ => self.answer(),
            }
        }
        self.nested = false;
    }

    fn maybe_meanwhile(&mut self) {
        if self.dice.percent(30) {
            self.meanwhile();
        }
    }

    fn request(&mut self, index: usize) {
        let key = KeyId(self.dice.below(5));
        let made_up = format!("made-up-{}", self.dice.below(10));
        match self.dice.below(10) {
            0 => self.send(index, None, made_up),
            1 => self.send(index, None, key.kid()),
            _ => self.send(index, Some(key), key.kid()),
        }
    }

    /// Sends a request to a judge, with a token that this key or no key has signed.
    fn send(&mut self, index: usize, key: Option<KeyId>, kid: String) {
        let text = SIGNER.with(|signer| match key {
            None => signer.forged(ISSUER, &kid, LATE),
            Some(key) => signer.good(ISSUER, key, LATE),
        });
        let stream = StreamId(self.streams);
        self.streams += 1;
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {text}")),
        ]));
        self.event(index, |world, index, env| {
            let request = Request {
                key,
                kid,
                arrived: env.now,
                due: 0,
            };
            let thread = &mut world.all[index];
            thread.waiting.insert(stream, request);
            thread.judge.request(stream, head, env)
        });
    }

    fn tick(&mut self, index: usize) {
        self.event(index, |world, index, env| world.all[index].judge.tick(env));
        let thread = &mut self.all[index];
        if thread.busy {
            return;
        }
        let number = thread.judge.snapshot().number();
        let now = self.now;
        let set = self.taken.iter().rfind(|taken| taken.number <= number);
        for request in thread.waiting.values_mut() {
            let waits = now.saturating_since(request.arrived);
            assert!(
                waits <= TIMEOUT + 3 * LAG,
                "{request:?} waits for {waits:?}"
            );
            let known = set.is_some_and(|set| {
                now.saturating_since(set.at) < MAX_STALE
                    && set.keys.iter().any(|key| key.kid() == request.kid)
            });
            request.due = if known { request.due + 1 } else { 0 };
            assert!(request.due <= 3, "the judge was not woken: {request:?}");
        }
    }

    /// Handles an event of a judge in the same steps as its thread.
    fn event(&mut self, index: usize, what: impl FnOnce(&mut Self, usize, Env<'_>) -> Vec<Effect>) {
        if std::mem::replace(&mut self.all[index].busy, true) {
            return;
        }
        let newer: Option<Arc<Snapshot>> = self.exchange.newer_than(&self.all[index].judge);
        self.maybe_meanwhile();
        let now = self.clock();
        if let Some(newer) = newer {
            self.all[index].judge.adopt(&newer, now);
        }
        let env = Env {
            now,
            shared: &FakeShared::default(),
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        for effect in what(self, index, env) {
            if let Effect::Answer(answer) = effect {
                self.answered(index, answer.stream, answer.reason, now);
            }
        }
        let thread = &mut self.all[index];
        thread.next_tick = now.saturating_add(thread.judge.next_tick());
        let asked = thread.waiting.values().map(|request| request.kid.clone());
        let asked: Vec<_> = asked.collect();
        let demand: Demand = thread.judge.demand();
        self.maybe_meanwhile();
        self.all[index].asked = asked;
        if self.exchange.set_demand(index, demand) {
            self.next_tick = self.now;
        }
        self.all[index].busy = false;
    }

    /// Lets the issuer recover. All judges must allow a new key after one fetch.
    fn heal(&mut self) {
        self.fails = false;
        self.healing = true;
        self.answer();
        for _ in 0..40 {
            self.pass(LAG);
            self.answer();
        }
        let still = self.all.iter().flat_map(|thread| thread.waiting.values());
        assert_eq!(still.count(), 0, "a request still waits");
        let is_there = |key: &KeyId| self.taken.last().unwrap().keys.contains(key);
        let new = (0..5).map(KeyId).find(|key| !is_there(key));
        let new = new.unwrap_or(KeyId(0));
        self.published = vec![new];
        let (gets, allowed) = (self.gets, self.allowed);
        for index in 0..self.all.len() {
            self.send(index, Some(new), new.kid());
        }
        for _ in 0..6 {
            self.pass(Duration::from_secs(1));
            self.answer();
        }
        assert_eq!(self.allowed, allowed + self.all.len(), "not healed");
        let gets = self.gets - gets;
        assert!(gets <= 1 || self.is_brisk, "{gets} fetches for all");
    }
}
