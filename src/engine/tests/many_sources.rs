//! Very many key sources and little memory: the bounds of one callback.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::shared::FakeShared;
use super::signer::{KeyId, Memory, SIGNER};
use super::world::LATE;
use crate::config;
use crate::engine::shared::SourceEntries;
use crate::engine::{Action, Effect, Engine, Env, FetchCall, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::jwk::{MAX_KEY_SET_BYTES, shelf};
use crate::keys::answer::{AnswerHead, Ending};
use crate::keys::{Content, Jitter, Record};
use crate::memory::{SERVING, pretend};
use crate::policy::Policy;
use crate::telemetry::{Event, FetchFailure, Metric};
use crate::time::UnixTime;

/// The memory that remains free while a key set is read, in bytes.
const SPARE: usize = 20 * 1024 * 1024;

fn policy(count: usize) -> Arc<Policy> {
    let mut providers = String::new();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        write!(
            providers,
            r#"{comma}{{"name":"p{number}","issuer":"https://{number}.example","audiences":"any",
                "jwks":{{"cluster":"a","uri":"https://{number}.example/keys"}}}}"#
        )
        .unwrap();
    }
    let text = format!(r#"{{"providers":[{providers}],"routes":[{{"match":"$default"}}]}}"#);
    Arc::new(config::compile(text.as_bytes()).unwrap())
}

/// The listener of a worker.
struct Listener<'a> {
    engine: Engine,
    shared: &'a FakeShared,
    now: &'a Cell<UnixTime>,
    events: Vec<Event>,
    calls: Vec<FetchCall>,
    /// The providers whose keys were adopted.
    taken: Vec<Arc<str>>,
}

impl<'a> Listener<'a> {
    fn start(policy: &Arc<Policy>, shared: &'a FakeShared, now: &'a Cell<UnixTime>) -> Self {
        let mut listener = Self {
            engine: Engine::new(
                Arc::clone(policy),
                u64::try_from(now.as_ptr().addr()).unwrap(),
            ),
            shared,
            now,
            events: Vec::new(),
            calls: Vec::new(),
            taken: Vec::new(),
        };
        listener.event(Engine::start);
        listener
    }

    /// Handles an event. Returns whether a request was forwarded.
    fn event(&mut self, what: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>) -> bool {
        self.now
            .set(self.now.get().saturating_add(Duration::from_micros(1)));
        let env = Env {
            now: self.now.get(),
            shared: self.shared,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        let mut passed = false;
        for effect in what(&mut self.engine, env) {
            match effect {
                Effect::Answer(answer) => passed |= matches!(answer.action, Action::Forward(_)),
                Effect::Fetch(call) => self.calls.push(*call),
                Effect::Log(event) => self.events.push(*event),
                Effect::Measure(measured) => {
                    if let Metric::Keys { provider } = measured.metric {
                        self.taken.push(provider);
                    }
                }
            }
        }
        passed
    }

    /// Runs one tick, after the time that the engine asks for. Returns the fetches that
    /// it begins.
    fn tick(&mut self) -> Vec<FetchCall> {
        let period = self.engine.next_tick();
        self.now.set(self.now.get().saturating_add(period));
        self.event(Engine::tick);
        std::mem::take(&mut self.calls)
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.get().saturating_add(time);
        while self.now.get() < end {
            self.tick();
        }
    }

    fn answer(&mut self, call: &FetchCall, body: &[u8]) -> usize {
        let copies = Cell::new(0);
        let head = AnswerHead {
            ending: Ending::Status(200),
            body_size: body.len(),
            ..AnswerHead::default()
        };
        let copy = || {
            copies.set(copies.get() + 1);
            Some(body.to_vec())
        };
        self.event(|engine, env| engine.fetched(call.id, &head, &copy, env));
        copies.get()
    }

    /// Whether a token of this issuer, signed by this key, passes at once.
    fn allows(&mut self, issuer: usize, key: usize) -> bool {
        let issuer = format!("https://{issuer}.example");
        let token = SIGNER.with(|signer| signer.good(&issuer, KeyId(key), LATE));
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {token}")),
        ]));
        self.event(|engine, env| engine.request(StreamId(1), head, env))
    }

    /// Whether the last fetch failed because of insufficient memory.
    fn lacked_memory(&self) -> bool {
        let failure = |event: &Event| {
            let Event::FetchFailed { failure, .. } = event else {
                return None;
            };
            Some(*failure == FetchFailure::NoMemory)
        };
        self.events.iter().rev().find_map(failure).unwrap_or(false)
    }

    /// How often the log reported insufficient memory for shared keys.
    fn no_memory_reports(&self) -> usize {
        let reported = |event: &&Event| matches!(event, Event::NoMemory { .. });
        self.events.iter().filter(reported).count()
    }
}

/// A key set of this size, in bytes.
fn key_set(keys: &[usize], bytes: usize) -> Vec<u8> {
    let keys: Vec<_> = keys.iter().copied().map(KeyId).collect();
    let mut body = SIGNER.with(|signer| signer.key_set(&keys));
    body.resize(bytes.max(body.len()), b' ');
    body
}

fn clock() -> Cell<UnixTime> {
    Cell::new(UnixTime::from_secs(1_800_000_000))
}

/// Begins all first fetches, and answers them with sets of this size, in bytes.
fn serve(listener: &mut Listener<'_>, count: usize, bytes: usize) {
    let mut served = 0;
    while served < count {
        for call in listener.tick() {
            assert_eq!(listener.answer(&call, &key_set(&[0], bytes)), 1);
            served += 1;
        }
    }
}

#[test]
fn the_first_tick_begins_the_fetches_of_few_sources() {
    let (shared, now) = (FakeShared::default(), clock());
    let mut listener = Listener::start(&policy(20), &shared, &now);
    assert_eq!(listener.tick().len(), 20);
}

#[test]
fn a_tick_begins_few_of_very_many_fetches_and_none_is_lost() {
    let (shared, now) = (FakeShared::default(), clock());
    let mut listener = Listener::start(&policy(1000), &shared, &now);
    // The record of each source is read and created.
    assert!(shared.gets.get() <= 2 * 256, "{}", shared.gets.get());
    let began = now.get();
    let mut asked = BTreeMap::new();
    while asked.len() < 1000 {
        let before = shared.gets.get();
        let calls = listener.tick();
        assert!(calls.len() <= 32, "{} fetches began", calls.len());
        let reads = shared.gets.get() - before;
        assert!(reads <= 2 * 256, "{reads} reads");
        for call in calls {
            let uri = call.uri.to_string();
            assert!(asked.insert(uri, call.id).is_none(), "asked twice");
        }
        assert!(now.get().saturating_since(began) < Duration::from_secs(1));
    }
}

#[test]
fn a_callback_reads_a_bounded_part_of_the_shared_key_sets() {
    let (shared, now, policy) = (FakeShared::default(), clock(), policy(20));
    let size = MAX_KEY_SET_BYTES * 2 / 3;
    let mut first = Listener::start(&policy, &shared, &now);
    serve(&mut first, 20, size);
    drop(first);
    assert_eq!(shelf::count(), 0);
    // The first callback, in which memory must not run out, is bounded too.
    let mut second = Listener::start(&policy, &shared, &now);
    for read in 1..=10 {
        assert_eq!(shelf::count(), 2 * read);
        assert!(second.tick().is_empty());
    }
    assert!((0..20).all(|issuer| second.allows(issuer, 0)));
    assert_eq!(second.no_memory_reports(), 0);
}

#[test]
fn without_memory_a_configuration_starts_without_keys_and_adopts_them_later() {
    let (shared, now, policy) = (FakeShared::default(), clock(), policy(3));
    let mut first = Listener::start(&policy, &shared, &now);
    serve(&mut first, 3, 0);
    drop(first);
    // A new configuration leaves the memory that requests need.
    pretend::set_room(Some(SERVING + MAX_KEY_SET_BYTES));
    let mut second = Listener::start(&policy, &shared, &now);
    assert!(second.allows(0, 0) && second.allows(2, 0));
    drop(second);
    pretend::set_room(Some(SERVING + MAX_KEY_SET_BYTES - 1));
    let mut second = Listener::start(&policy, &shared, &now);
    assert!(!second.allows(0, 0));
    assert_eq!(second.no_memory_reports(), 3);
    pretend::set_room(Some(SPARE));
    second.pass(Duration::from_secs(10));
    assert!(!second.allows(0, 0));
    assert_eq!(second.no_memory_reports(), 3, "once for each source");
    pretend::set_room(None);
    second.pass(Duration::from_secs(3));
    assert!((0..3).all(|issuer| second.allows(issuer, 0)));
    assert!(second.calls.is_empty(), "the others' keys are good");
}

#[test]
fn without_memory_an_answer_is_not_copied_and_the_last_good_keys_stay() {
    let (shared, now, policy) = (FakeShared::default(), clock(), policy(1));
    let mut listener = Listener::start(&policy, &shared, &now);
    serve(&mut listener, 1, 0);
    let new = key_set(&[1], 100_000);
    let refreshed = |listener: &mut Listener<'_>| loop {
        if let Some(call) = listener.tick().pop() {
            break call;
        }
    };
    let call = refreshed(&mut listener);
    pretend::set_room(Some(SPARE + new.len() - 1));
    assert_eq!(listener.answer(&call, &new), 0);
    assert!(listener.lacked_memory());
    // The memory suffices for the copy, but not for parsing it.
    let call = refreshed(&mut listener);
    pretend::set_room(Some(SPARE + new.len()));
    assert_eq!(listener.answer(&call, &new), 1);
    assert!(listener.lacked_memory());
    assert!(listener.allows(0, 0) && !listener.allows(0, 1));
    // A known set is not parsed again.
    let call = refreshed(&mut listener);
    assert_eq!(listener.answer(&call, &key_set(&[0], 0)), 1);
    let refreshed_at = now.get();
    let call = refreshed(&mut listener);
    let taken = now.get().saturating_since(refreshed_at);
    assert!(taken > Duration::from_mins(5), "the refresh was good");
    pretend::set_room(None);
    listener.answer(&call, &new);
    assert!(listener.allows(0, 1) && !listener.allows(0, 0));
}

#[test]
fn all_key_sets_together_are_bounded_and_each_can_be_replaced() {
    let (shared, now, policy) = (FakeShared::default(), clock(), policy(3));
    let mut listener = Listener::start(&policy, &shared, &now);
    let large = |key| {
        let (start, more) = (
            r#"{"keys":["#,
            format!(r#"{{"more":"{}","#, "x".repeat(100_000)),
        );
        let set = String::from_utf8(key_set(&[key], 0)).unwrap();
        set.replacen(&format!("{start}{{"), &format!("{start}{more}"), 1)
            .into_bytes()
    };
    let calls = listener.tick();
    // A set counts as four times the text of its keys.
    shelf::pretend_max_bytes(1_000_000);
    for call in &calls {
        listener.answer(call, &large(0));
    }
    assert!(listener.allows(0, 0) && listener.allows(1, 0) && !listener.allows(2, 0));
    assert!(listener.lacked_memory());
    // A worker that finds the limit reached does not adopt shared sets.
    let mut refreshed = BTreeSet::new();
    while refreshed.len() < 2 {
        for call in listener.tick() {
            let is_third = call.uri.host().starts_with('2');
            listener.answer(&call, &large(usize::from(!is_third)));
            if !is_third {
                refreshed.insert(call.uri.to_string());
            }
        }
    }
    assert!(listener.allows(0, 1) && listener.allows(1, 1) && !listener.allows(2, 0));
    shelf::pretend_max_bytes(2_000_000);
    while !listener.allows(2, 0) {
        for call in listener.tick() {
            listener.answer(&call, &large(0));
        }
    }
}

/// Another worker fetches new keys.
fn bring(
    shared: &FakeShared,
    entries: &SourceEntries,
    (version, now): (u64, UnixTime),
    set: &[u8],
) {
    let content = Content {
        version,
        started_at: now,
        as_of: now,
        fetched_at: now,
        max_age: None,
        jitter: Jitter(0),
    };
    let record = Record {
        content: Some(content),
        ..Record::default()
    };
    entries.write_document(shared, version, set).unwrap();
    entries.write(shared, &record, None).unwrap();
}

#[test]
fn no_source_starves_while_others_always_have_new_keys() {
    const LAST: usize = 100;
    let (shared, now, policy) = (FakeShared::default(), clock(), policy(LAST + 1));
    let mut listener = Listener::start(&policy, &shared, &now);
    serve(&mut listener, LAST + 1, 0);
    let entries: Vec<_> = policy.sources.iter().map(SourceEntries::of).collect();
    listener.pass(Duration::from_secs(1));
    bring(&shared, &entries[LAST], (1, now.get()), &key_set(&[1], 0));
    let large = key_set(&[0], MAX_KEY_SET_BYTES);
    let mut ticks = 0;
    let last = format!("p{LAST}");
    listener.taken.clear();
    while !listener.taken.iter().any(|provider| **provider == *last) {
        ticks += 1;
        assert!(ticks <= 2 * LAST, "the last source starves");
        for (place, version) in entries[..LAST].iter().zip(10 * ticks..) {
            let version = u64::try_from(1000 * version).unwrap();
            bring(&shared, place, (version, now.get()), &large);
        }
        listener.tick();
    }
}

#[test]
fn shared_keys_that_cannot_be_used_are_read_once() {
    let (shared, now, policy) = (FakeShared::default(), clock(), policy(1));
    let mut listener = Listener::start(&policy, &shared, &now);
    serve(&mut listener, 1, 0);
    let entries = SourceEntries::of(&policy.sources[0]);
    let visits = |listener: &mut Listener<'_>| {
        let before = shared.gets.get();
        listener.pass(Duration::from_secs(10));
        assert!(listener.allows(0, 0), "the former keys remain in use");
        shared.gets.get() - before
    };
    let usual = visits(&mut listener);
    bring(&shared, &entries, (1, now.get()), b"{}");
    assert_eq!(visits(&mut listener), usual + 1);
    bring(&shared, &entries, (2, now.get()), &key_set(&[1], 0));
    listener.pass(Duration::from_secs(1));
    assert!(listener.allows(0, 1));
}
