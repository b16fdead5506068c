//! Hundreds of random schedules of revocation lists. After each event, every worker is asked
//! about every subject, and the answers are compared with what it must know.
//!
//! `SIMULATION_SEED=n` runs one of them, and prints what happens.

mod check;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::dice::Dice;
use super::shared::FakeShared;
use super::signer::{KeyId, SIGNER};
use super::world::LATE;
use crate::config;
use crate::engine::{Engine, FetchCall, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::{AnswerHead, Ending};
use crate::policy::Policy;
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";
const SUBJECTS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const TIMEOUT: Duration = Duration::from_secs(2);
const MAX_STALE: Duration = Duration::from_mins(1);

/// The subjects that a list names.
type Names = BTreeSet<usize>;

/// What the server of the list answers.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Good,
    Status(u16),
    NoList,
    NoAnswer,
}

/// A list that some worker has adopted, or confirmed.
#[derive(Clone, Debug)]
struct Adopted {
    names: Names,
    at: UnixTime,
}

#[derive(Debug)]
struct Held {
    subject: usize,
    deadline: UnixTime,
}

struct Worker {
    life: u64,
    engine: Engine,
    held: BTreeMap<StreamId, Held>,
    /// The number of adopted lists that it must know.
    knows: usize,
    /// The ticks of the last half second, each with the number of lists at that time.
    ticks: VecDeque<(UnixTime, usize)>,
    calls: Vec<(FetchCall, UnixTime)>,
    /// The version of the latest answer that it got.
    answered: Option<(usize, bool)>,
}

struct Schedule {
    dice: Dice,
    now: UnixTime,
    shared: FakeShared,
    policy: Arc<Policy>,
    workers: Vec<Worker>,
    lives: u64,
    streams: u32,
    published: Vec<Names>,
    mode: Mode,
    adopted: Vec<Adopted>,
    /// The clock was set, so that ages mean little.
    jumps: bool,
    verbose: bool,
    counts: Counts,
}

/// How often the interesting things have happened.
#[derive(Debug, Default)]
struct Counts {
    allowed: usize,
    revoked: usize,
    unavailable_first: usize,
    unavailable_stale: usize,
    confirmed: usize,
}

fn policy() -> Arc<Policy> {
    let keys = SIGNER.with(|signer| signer.key_set(&[KeyId(0)]));
    let keys = String::from_utf8(keys).unwrap();
    let text = format!(
        r#"{{"providers":[{{"name":"a","issuer":"{ISSUER}","audiences":"any","jwks":{{"inline":{keys}}},
            "revoked":{{"cluster":"lists","uri":"https://lists.example/revoked.json",
                "refresh":"5s","max_stale":"60s","timeout":"2s"}}}}],
            "routes":[{{"match":"$default"}}]}}"#
    );
    Arc::new(config::compile(text.as_bytes()).unwrap())
}

/// Runs schedules, and returns what has happened in them.
fn run(seeds: std::ops::Range<u64>, jumps: bool) -> Counts {
    let only = std::env::var("SIMULATION_SEED").ok();
    let only: Option<u64> = only.and_then(|seed| seed.parse().ok());
    let mut total = Counts::default();
    for seed in seeds.filter(|seed| only.is_none_or(|only| only == *seed)) {
        let outcome = std::panic::catch_unwind(|| {
            let mut schedule = Schedule::new(seed, jumps, only.is_some());
            for _ in 0..100 {
                schedule.step();
            }
            schedule.counts
        });
        let counts = outcome.unwrap_or_else(|panic| {
            println!("schedule {seed} failed");
            std::panic::resume_unwind(panic)
        });
        total.allowed += counts.allowed;
        total.revoked += counts.revoked;
        total.unavailable_first += counts.unavailable_first;
        total.unavailable_stale += counts.unavailable_stale;
        total.confirmed += counts.confirmed;
    }
    total
}

#[test]
fn no_worker_lets_a_token_pass_that_its_list_names_or_without_a_current_list() {
    let counts = run(0..150, false);
    let Counts {
        allowed,
        revoked,
        unavailable_first,
        unavailable_stale,
        confirmed,
    } = counts;
    let all = [
        allowed,
        revoked,
        unavailable_first,
        unavailable_stale,
        confirmed,
    ];
    let filtered = std::env::var_os("SIMULATION_SEED").is_some();
    assert!(
        filtered || all.iter().all(|count| *count > 30),
        "{counts:?}"
    );
}

#[test]
fn nothing_passes_by_a_list_that_no_server_sent_when_the_clock_is_set() {
    let counts = run(1_000..1_100, true);
    let filtered = std::env::var_os("SIMULATION_SEED").is_some();
    assert!(
        filtered || counts.allowed > 30 && counts.revoked > 30,
        "{counts:?}"
    );
}

impl Schedule {
    fn new(seed: u64, jumps: bool, verbose: bool) -> Self {
        let mut schedule = Self {
            dice: Dice::new(seed),
            now: UnixTime::from_secs(1_800_000_000),
            shared: FakeShared::default(),
            policy: policy(),
            workers: Vec::new(),
            lives: 0,
            streams: 0,
            published: vec![Names::new()],
            mode: Mode::Good,
            adopted: Vec::new(),
            jumps,
            verbose,
            counts: Counts::default(),
        };
        for _ in 0..=schedule.dice.below(3) {
            schedule.start();
        }
        schedule.ask_all();
        schedule
    }

    fn step(&mut self) {
        let worker = self.dice.below(self.workers.len());
        match self.dice.below(100) {
            0..20 => self.tick(worker),
            20..45 => self.pass(),
            45..70 => self.answer(worker),
            70..82 => self.publish(),
            82..90 => self.change_mode(),
            90..94 => {
                self.workers.remove(worker);
                self.start();
            }
            94..97 if self.workers.len() < 5 => self.start(),
            97..100 if self.jumps => {
                let by = Duration::from_secs([1, 5, 60, 3600][self.dice.below(4)]);
                self.now = if self.dice.percent(60) {
                    self.now.saturating_sub(by)
                } else {
                    self.now.saturating_add(by)
                };
                self.tick_all();
            }
            _ => self.tick_all(),
        }
        self.ask_all();
    }

    /// Starts a worker, which reads what the others have shared.
    fn start(&mut self) {
        self.lives += 1;
        self.workers.push(Worker {
            life: self.lives,
            engine: Engine::new(Arc::clone(&self.policy), self.lives),
            held: BTreeMap::new(),
            knows: self.adopted.len(),
            ticks: VecDeque::new(),
            calls: Vec::new(),
            answered: None,
        });
        self.event(self.workers.len() - 1, Engine::start);
    }

    fn tick_all(&mut self) {
        for worker in 0..self.workers.len() {
            self.tick(worker);
        }
    }

    /// The shared data are read again half a second after the last time, at the latest in
    /// the first tick within that period.
    fn tick(&mut self, worker: usize) {
        let (now, known) = (self.now, self.adopted.len());
        let of = &mut self.workers[worker];
        of.ticks.push_back((now, known));
        let half = Duration::from_millis(500);
        of.ticks
            .retain(|(at, _)| now.saturating_since(*at) < half && *at <= now);
        let surely = of.ticks.front().map_or(known, |(_, known)| *known);
        of.knows = of.knows.max(surely);
        self.event(worker, Engine::tick);
        // One tick answers only some of many requests, and the next one continues.
        for _ in 0..100 {
            if !self.has_late(worker, now) {
                return;
            }
            self.event(worker, Engine::tick);
        }
        assert!(self.jumps, "worker {worker} does not answer in time");
    }

    fn has_late(&self, worker: usize, now: UnixTime) -> bool {
        let mut held = self.workers[worker].held.values();
        held.any(|held| held.deadline <= now)
    }

    /// Lets time pass, with all ticks, or in leaps with a tick each.
    fn pass(&mut self) {
        let millis = [100, 400, 1_000, 3_000, 8_000, 30_000];
        let by = *self.dice.pick(&millis);
        let leaps = if self.dice.percent(70) { by / 100 } else { 4 };
        for _ in 0..leaps {
            self.now = self.now.saturating_add(Duration::from_millis(by / leaps));
            // Calls that were not answered in time have failed.
            for worker in 0..self.workers.len() {
                while let Some(index) = self.overdue(worker) {
                    self.end(worker, index, Ending::Status(504));
                }
            }
            self.tick_all();
            if self.dice.percent(20) {
                let worker = self.dice.below(self.workers.len());
                self.answer(worker);
            }
        }
    }

    fn overdue(&self, worker: usize) -> Option<usize> {
        let mut calls = self.workers[worker].calls.iter();
        calls.position(|(call, at)| self.now.saturating_since(*at) >= call.timeout)
    }

    fn publish(&mut self) {
        let names = (0..SUBJECTS.len()).filter(|_| self.dice.percent(30));
        let names = names.collect::<Vec<_>>().into_iter().collect();
        self.published.push(names);
    }

    fn change_mode(&mut self) {
        let modes = [
            Mode::Good,
            Mode::Good,
            Mode::Good,
            Mode::Status(500),
            Mode::Status(404),
            Mode::NoList,
            Mode::NoAnswer,
        ];
        self.mode = *self.dice.pick(&modes);
    }

    /// Answers one call of a worker.
    fn answer(&mut self, worker: usize) {
        let calls = self.workers[worker].calls.len();
        if calls == 0 {
            return;
        }
        let index = self.dice.below(calls);
        let version = self.published.len() - 1;
        let etag = format!("\"{version}\"");
        match self.mode {
            Mode::Status(status) => return self.end(worker, index, Ending::Status(status)),
            Mode::NoAnswer => return self.end(worker, index, Ending::NoAnswer),
            Mode::Good | Mode::NoList => {}
        }
        let (call, _) = self.workers[worker].calls.remove(index);
        let is_same = call.etag.as_deref() == Some(&*etag);
        let names = &self.published[version];
        let body = match self.mode {
            Mode::NoList => b"<html>".to_vec(),
            Mode::Good | Mode::Status(_) | Mode::NoAnswer => list(names),
        };
        let head = AnswerHead {
            ending: Ending::Status(if is_same { 304 } else { 200 }),
            body_size: if is_same { 0 } else { body.len() },
            etag: Some(etag.into()),
            ..AnswerHead::default()
        };
        let is_good = is_same || matches!(self.mode, Mode::Good);
        if is_good {
            self.adopted.push(Adopted {
                names: names.clone(),
                at: self.now,
            });
            self.counts.confirmed += usize::from(is_same);
            // A worker that has fetched a list itself knows it at once.
            self.workers[worker].knows = self.adopted.len();
            self.workers[worker].answered = Some((version, is_same));
        }
        self.event(worker, |engine, env| {
            engine.fetched(call.id, &head, &|| Some(body.clone()), env)
        });
    }

    fn end(&mut self, worker: usize, index: usize, ending: Ending) {
        let (call, _) = self.workers[worker].calls.remove(index);
        let head = AnswerHead {
            ending,
            ..AnswerHead::default()
        };
        self.event(worker, |engine, env| {
            engine.fetched(call.id, &head, &|| None, env)
        });
    }

    fn ask_all(&mut self) {
        for worker in 0..self.workers.len() {
            for subject in 0..SUBJECTS.len() {
                self.ask(worker, subject);
            }
        }
    }

    fn ask(&mut self, worker: usize, subject: usize) {
        let stream = StreamId(self.streams);
        self.streams += 1;
        let token = SIGNER.with(|signer| signer.of(ISSUER, SUBJECTS[subject], KeyId(0), LATE));
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {token}")),
        ]));
        let asked = Held {
            subject,
            deadline: self.now.saturating_add(TIMEOUT),
        };
        self.workers[worker].held.insert(stream, asked);
        self.event(worker, |engine, env| engine.request(stream, head, env));
    }
}

/// A list of subjects. It names all their tokens, which have no `iat`.
fn list(names: &Names) -> Vec<u8> {
    let members: Vec<_> = names
        .iter()
        .map(|name| format!("\"{}\":1", SUBJECTS[*name]))
        .collect();
    format!(r#"{{"sub":{{{}}}}}"#, members.join(",")).into_bytes()
}
