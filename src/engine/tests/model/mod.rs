//! Invariants that must hold for every event, checked without access to the engine's
//! internals: which keys may be trusted, which requests must be answered, and when a
//! fetch may begin.

mod fetches;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::settings::Settings;
use super::shared::{FakeShared, Quiet};
use super::signer::KeyId;
use super::world::{Happened, ISSUERS, Outcome, Token, Worker};
use crate::engine::StreamId;
use crate::engine::judging::Allowance;
use crate::engine::shared::SourceEntries;
use crate::keys::Record;
use crate::telemetry::Reason;
use crate::time::UnixTime;

/// A request, with what the model knows about its token.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) stream: StreamId,
    pub(super) source: usize,
    pub(super) token: Token,
    pub(super) arrived: UnixTime,
    /// Its position in the sequence of all events.
    pub(super) sequence: u64,
}

/// What a worker must answer, and what it must have seen.
pub(super) struct Waits {
    pub(super) requests: BTreeMap<StreamId, Request>,
    pub(super) gauge: i64,
    /// The number of adopted sets that it must have seen.
    seen: [usize; ISSUERS],
    /// The ticks of the last half second, each with the number of sets.
    ticks: VecDeque<(UnixTime, [usize; ISSUERS])>,
    /// When a tick last read what other workers have adopted.
    read_at: Option<UnixTime>,
    /// The `kid`s that were found absent, and when.
    absent: BTreeMap<(usize, String), UnixTime>,
    /// The requests that are due to be answered, and for how many ticks.
    due: BTreeMap<StreamId, usize>,
    /// The highest number of requests that it has held at once.
    most_held: usize,
    /// Whether a signature that a known key should have made was refused since this
    /// worker last fetched the keys early.
    doubted: [bool; ISSUERS],
    /// When a request last needed keys without waiting for them.
    sought: [Option<UnixTime>; ISSUERS],
}

impl Waits {
    pub(super) const fn new() -> Self {
        Self {
            requests: BTreeMap::new(),
            gauge: 0,
            seen: [0; ISSUERS],
            ticks: VecDeque::new(),
            read_at: None,
            absent: BTreeMap::new(),
            due: BTreeMap::new(),
            most_held: 0,
            doubted: [false; ISSUERS],
            sought: [None; ISSUERS],
        }
    }
}

/// A key set that a worker has adopted from an issuer.
struct Taken {
    keys: Vec<KeyId>,
    at: UnixTime,
    /// When its fetch began, as a position in the sequence of events.
    began: u64,
    /// Keys published after this time may be missing from the set.
    as_of: UnixTime,
    max_age: Option<u32>,
}

/// A fetch in progress.
struct Fetch {
    life: usize,
    sequence: u64,
    began_at: UnixTime,
    sent_at: UnixTime,
    lease: Duration,
    early: bool,
}

#[derive(Default)]
struct Source {
    taken: Vec<Taken>,
    fetches: Vec<Fetch>,
    /// The latest fetch.
    last: u64,
    early: VecDeque<UnixTime>,
    /// The latest early refresh for which no request waited.
    background: Option<UnixTime>,
    failures: u32,
    failed_at: Option<UnixTime>,
}

/// The model of the world.
#[derive(Default)]
pub(super) struct Model {
    sources: [Source; ISSUERS],
    /// Other plugins have written to the shared data. Until the next fetch, workers may
    /// differ.
    pub(super) sabotaged: bool,
    /// The clock was set, so durations mean little.
    pub(super) jumped: bool,
    /// There are no shared data: every worker works alone.
    pub(super) alone: bool,
}

impl Model {
    /// The number of sets that exist now.
    pub(super) fn seen(&self) -> [usize; ISSUERS] {
        [self.sources[0].taken.len(), self.sources[1].taken.len()]
    }

    const fn exact(&self) -> bool {
        !self.sabotaged && !self.jumped && !self.alone
    }

    pub(super) fn happened(worker: &Worker, happened: &Happened, now: UnixTime) {
        let mut waits = worker.waits.borrow_mut();
        match happened {
            Happened::Request(request) => {
                waits.requests.insert(request.stream, request.clone());
                waits.most_held = waits.most_held.max(waits.requests.len());
            }
            Happened::Tick { seen } => {
                // Ticks that only answer waiting requests are more frequent.
                let fast = Duration::from_millis(10);
                let recent = |at| at <= now && now.saturating_since(at) < fast;
                if waits.read_at.is_some_and(recent) {
                    return;
                }
                waits.read_at = Some(now);
                // The engine reads again half a second after the last time, at the latest
                // in the first tick within that period.
                let half = Duration::from_millis(500);
                waits.ticks.push_back((now, *seen));
                waits
                    .ticks
                    .retain(|(at, _)| now.saturating_since(*at) < half && *at <= now);
                let since = waits.ticks.front().map_or(*seen, |(_, seen)| *seen);
                for source in 0..ISSUERS {
                    let awaited = waits.requests.values().any(|held| held.source == source);
                    let surely = if awaited { seen[source] } else { since[source] };
                    waits.seen[source] = waits.seen[source].max(surely);
                }
            }
            Happened::Fetched { .. } | Happened::Other => {}
        }
    }

    /// The sets that a worker may have; `None` if it may have none.
    fn candidates(&self, worker: &Worker, source: usize) -> Vec<Option<&Taken>> {
        let all = &self.sources[source].taken;
        let seen = worker.waits.borrow().seen[source];
        if !self.exact() || seen == 0 {
            return std::iter::once(None).chain(all.iter().map(Some)).collect();
        }
        all[seen - 1..].iter().map(Some).collect()
    }

    fn serves(&self, taken: &Taken, settings: Settings, now: UnixTime) -> bool {
        self.jumped || now.saturating_since(taken.at) <= settings.max_stale
    }

    /// Checks the answer to a request.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other reason is wrong"
    )]
    pub(super) fn answered(&self, worker: &Worker, stream: StreamId, outcome: &Outcome) {
        let request = worker.waits.borrow_mut().requests.remove(&stream);
        let request = request.expect("answered twice, or after the client left");
        let now = outcome.at;
        let settings = worker.settings;
        let candidates = self.candidates(worker, request.source);
        let serving: Vec<&Taken> = candidates
            .into_iter()
            .flatten()
            .filter(|taken| self.serves(taken, settings, now))
            .collect();
        let kid = request.token.kid();
        match outcome.reason {
            Reason::Allowed => {
                let Token::Good(key) = request.token else {
                    panic!("a forged token was allowed");
                };
                let trusted = serving.iter().any(|taken| taken.keys.contains(&key));
                let keys: Vec<_> = serving.iter().map(|taken| &taken.keys).collect();
                assert!(trusted, "allowed with none of {keys:?}: {request:?}");
                assert_eq!(outcome.status, None);
            }
            Reason::Reported => {
                assert_eq!(outcome.status, None);
                assert_eq!(now, request.arrived, "a request waited");
                if outcome.reported == Some(Reason::KeysUnavailable) {
                    worker.waits.borrow_mut().sought[request.source] = Some(now);
                }
            }
            Reason::BadSignature => {
                let named = |key: &KeyId| key.kid() == kid && Token::Good(*key) != request.token;
                let shown = serving.iter().any(|taken| taken.keys.iter().any(named));
                assert!(shown, "a good signature was refused: {request:?}");
                assert_eq!(outcome.status, Some(401));
                worker.waits.borrow_mut().doubted[request.source] = true;
            }
            Reason::UnknownKey => {
                assert!(!serving.is_empty(), "401 without keys");
                self.is_absent(worker, &request, now);
                assert_eq!(outcome.status, Some(401));
            }
            Reason::KeysUnavailable => {
                let deadline = request.arrived.saturating_add(settings.timeout);
                assert!(now >= deadline || self.jumped, "timed out too early");
                assert_eq!(outcome.status, Some(503));
                assert!(outcome.retry_after.is_some_and(|seconds| seconds >= 1));
            }
            Reason::TooManyWaiting => {
                let waits = worker.waits.borrow();
                let held = |held: &&Request| held.source == request.source;
                let held = waits.requests.values().filter(held).count();
                assert!(held >= 1000, "only {held} wait");
                assert_eq!(outcome.status, Some(503));
                assert!(outcome.retry_after.is_some_and(|seconds| seconds >= 1));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Checks that a `kid` is absent. It is absent only after a set that was fetched
    /// after the request lacks it, and then for ten seconds, unless the set is older than
    /// the request.
    fn is_absent(&self, worker: &Worker, request: &Request, now: UnixTime) {
        let kid = request.token.kid();
        let taken = &self.sources[request.source].taken;
        let lacks = |taken: &&Taken| !taken.keys.iter().any(|key| key.kid() == kid);
        let later = |taken: &&Taken| taken.began > request.sequence;
        let shows = |taken: &Taken| self.jumped || taken.as_of >= request.arrived;
        let mut waits = worker.waits.borrow_mut();
        let name = (request.source, kid.clone());
        if taken.iter().filter(lacks).filter(later).any(shows) {
            waits.absent.insert(name, now);
        } else if !taken.iter().filter(lacks).any(|taken| later(&taken)) {
            let before = waits.absent.get(&name);
            let lately = before.is_some_and(|at| {
                now.saturating_since(*at) < Duration::from_secs(10) || self.jumped
            });
            assert!(lately, "401 for a kid that may exist: {request:?}");
        }
    }

    /// Checks the invariants after an event of a worker.
    pub(super) fn check(&self, worker: &Worker, happened: &Happened, now: UnixTime) {
        let due: Vec<StreamId> = {
            let waits = worker.waits.borrow();
            let waiting = i64::try_from(waits.requests.len()).unwrap();
            assert_eq!(waits.gauge, waiting, "the gauge of waiting requests");
            // If there are very many, checking the oldest suffices.
            let oldest = waits.requests.values().take(100);
            let due = oldest.filter(|request| self.is_due(worker, request, now));
            due.map(|request| request.stream).collect()
        };
        let mut waits = worker.waits.borrow_mut();
        let most = most_ticks(worker.allowance, waits.most_held);
        let before = std::mem::take(&mut waits.due);
        for stream in due {
            let ticks = before.get(&stream).copied().unwrap_or_default();
            let ticks = ticks + usize::from(matches!(happened, Happened::Tick { .. }));
            let request = &waits.requests[&stream];
            assert!(ticks <= most, "not answered in {most} ticks: {request:?}");
            waits.due.insert(stream, ticks);
        }
    }

    /// Whether a waiting request is due to be answered, because its deadline has passed
    /// or its key is known.
    fn is_due(&self, worker: &Worker, request: &Request, now: UnixTime) -> bool {
        let settings = worker.settings;
        let deadline = request.arrived.saturating_add(settings.timeout);
        if now >= deadline && !self.jumped {
            return true;
        }
        let kid = request.token.kid();
        let known = |taken: Option<&Taken>| {
            taken.is_some_and(|taken| {
                let serves = self.serves(taken, settings, now);
                serves && taken.keys.iter().any(|key| key.kid() == kid)
            })
        };
        let all_know = || {
            self.candidates(worker, request.source)
                .into_iter()
                .all(known)
        };
        self.exact() && all_know()
    }
}

/// The shared record of a source, as the workers know it.
fn record(worker: &Worker, source: usize, shared: &FakeShared) -> Option<Record> {
    let engine = worker.engine.borrow();
    let entries = SourceEntries::of(&engine.policy().sources[source]);
    entries.read(&Quiet(shared)).ok()?.record
}

/// The maximum number of ticks that a due request may have to wait when this number of
/// requests are held. It is zero if one tick handles all of them. Otherwise the scan must
/// finish, and then pass once more over the requests that it had already passed.
fn most_ticks(allowance: Allowance, held: usize) -> usize {
    let judged = held.div_ceil(allowance.judgements);
    let steps = (held * (1 + Allowance::STEPS_PER_JUDGEMENT)).div_ceil(allowance.steps);
    let answered = held.div_ceil(allowance.answers);
    if judged.max(steps).max(answered) <= 1 {
        0
    } else {
        2 * (judged + steps) + answered
    }
}
