//! Revocation lists: workers, their shared data, and a server whose list the tests change.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::shared::FakeShared;
use super::signer::{KeyId, Memory, SIGNER};
use super::world::LATE;
use crate::config;
use crate::engine::{Action, Effect, Engine, Env, FetchCall, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::{AnswerHead, Ending};
use crate::policy::Policy;
use crate::revocation::shelf;
use crate::telemetry::{Change, Event, Metric, Reason};
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";

/// What the server of the list does.
#[derive(Clone)]
struct Server {
    status: u16,
    etag: Option<&'static str>,
    body: Vec<u8>,
}

struct Stage {
    now: Cell<UnixTime>,
    shared: FakeShared,
    server: RefCell<Server>,
    /// The requests so far, each with its `If-None-Match`.
    asked: RefCell<Vec<Option<String>>>,
    events: RefCell<Vec<Event>>,
    gauges: RefCell<BTreeMap<String, u64>>,
}

struct Worker {
    stage: Rc<Stage>,
    engine: Engine,
    decided: BTreeMap<u32, Reason>,
    streams: u32,
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn policy(revoked: &str) -> Arc<Policy> {
    let keys = SIGNER.with(|signer| signer.key_set(&[KeyId(0)]));
    let keys = String::from_utf8(keys).unwrap();
    let text = format!(
        r#"{{"providers":[{{"name":"a","issuer":"{ISSUER}","audiences":"any","jwks":{{"inline":{keys}}},
            "revoked":{{"cluster":"lists","uri":"https://lists.example/revoked.json"{revoked}}}}}],
            "routes":[{{"match":"$default"}}]}}"#
    );
    Arc::new(config::compile(text.as_bytes()).unwrap())
}

impl Stage {
    fn new(body: &str) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(UnixTime::from_secs(1_800_000_000)),
            shared: FakeShared::default(),
            server: RefCell::new(Server {
                status: 200,
                etag: Some("\"1\""),
                body: body.as_bytes().to_vec(),
            }),
            asked: RefCell::default(),
            events: RefCell::default(),
            gauges: RefCell::default(),
        })
    }

    fn publish(&self, body: &str, etag: &'static str) {
        *self.server.borrow_mut() = Server {
            status: 200,
            etag: Some(etag),
            body: body.as_bytes().to_vec(),
        };
    }

    /// Answers as a server with conditional requests does.
    fn answer(&self, call: &FetchCall) -> (AnswerHead, Vec<u8>) {
        self.asked
            .borrow_mut()
            .push(call.etag.as_deref().map(ToOwned::to_owned));
        let Server { status, etag, body } = self.server.borrow().clone();
        let unchanged = etag.is_some() && call.etag.as_deref() == etag && status == 200;
        let head = AnswerHead {
            ending: Ending::Status(if unchanged { 304 } else { status }),
            etag: etag.map(Into::into),
            body_size: if unchanged { 0 } else { body.len() },
            ..AnswerHead::default()
        };
        (head, body)
    }

    fn logged(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.events.borrow().iter().filter(|one| what(one)).count()
    }

    fn gauge(&self, name: &str) -> Option<u64> {
        self.gauges.borrow().get(name).copied()
    }
}

impl Worker {
    fn start(stage: &Rc<Stage>, policy: &Arc<Policy>, seed: u64) -> Self {
        let mut worker = Self {
            stage: Rc::clone(stage),
            engine: Engine::new(Arc::clone(policy), seed),
            decided: BTreeMap::new(),
            streams: 0,
        };
        worker.event(Engine::start);
        worker
    }

    fn event(&mut self, what: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>) {
        let stage = Rc::clone(&self.stage);
        let env = Env {
            now: stage.now.get(),
            shared: &stage.shared,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        let mut effects = what(&mut self.engine, env);
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Fetch(call) => {
                    let (head, body) = stage.answer(&call);
                    let copy = || Some(body.clone());
                    effects.extend(self.engine.fetched(call.id, &head, &copy, env));
                }
                Effect::Answer(answer) => {
                    let passes = matches!(answer.action, Action::Forward(_));
                    assert_eq!(passes, answer.reason == Reason::Allowed);
                    self.decided.insert(answer.stream.0, answer.reason);
                }
                Effect::Measure(measured) => {
                    if let (
                        Metric::RevokedEntries { .. } | Metric::RevokedAge { .. },
                        Change::Set(value),
                    ) = (&measured.metric, measured.change)
                    {
                        let name = measured.metric.name();
                        stage.gauges.borrow_mut().insert(name, value);
                    }
                }
                Effect::Log(event) => stage.events.borrow_mut().push(event),
            }
        }
    }

    fn tick(&mut self) {
        self.event(Engine::tick);
    }

    fn request(&mut self) -> u32 {
        let stream = self.streams;
        self.streams += 1;
        let token = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
        let authorization = format!("Bearer {token}");
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &authorization),
        ]));
        self.event(|engine, env| engine.request(StreamId(stream), head, env));
        stream
    }

    /// The reason of a decision about a request that does not wait.
    fn reason(&mut self) -> Option<Reason> {
        let stream = self.request();
        self.decided.remove(&stream)
    }
}

/// Lets time pass, with a tick of each worker in each half second.
fn pass(stage: &Stage, workers: &mut [&mut Worker], time: Duration) {
    let end = stage.now.get().saturating_add(time);
    while stage.now.get() < end {
        stage
            .now
            .set(stage.now.get().saturating_add(Duration::from_millis(500)));
        for worker in workers.iter_mut() {
            worker.tick();
        }
    }
}

const EMPTY: &str = r#"{"jti":[]}"#;
/// It names every token of the signer, which have no `iat`.
const ALICE: &str = r#"{"sub":{"alice":1}}"#;

#[test]
fn a_remembered_token_is_refused_by_every_worker_within_a_second_of_the_lists_arrival() {
    let stage = Stage::new(EMPTY);
    let policy = policy("");
    let mut one = Worker::start(&stage, &policy, 1);
    let mut other = Worker::start(&stage, &policy, 2);
    pass(&stage, &mut [&mut one, &mut other], secs(2));
    assert_eq!(stage.asked.borrow().len(), 1, "one fetch for both");
    assert_eq!(one.reason(), Some(Reason::Allowed));
    assert_eq!(other.reason(), Some(Reason::Allowed));
    stage.publish(ALICE, "\"2\"");
    let before = stage.asked.borrow().len();
    while stage.asked.borrow().len() == before {
        pass(
            &stage,
            &mut [&mut one, &mut other],
            secs(0) + Duration::from_millis(500),
        );
    }
    pass(&stage, &mut [&mut one, &mut other], secs(1));
    assert_eq!(one.reason(), Some(Reason::Revoked));
    assert_eq!(other.reason(), Some(Reason::Revoked));
    assert_eq!(stage.gauge("edge_authz.revoked_entries.a"), Some(1));
    // And accepted again when the entry is gone.
    stage.publish(EMPTY, "\"3\"");
    pass(&stage, &mut [&mut one, &mut other], secs(32));
    assert_eq!(one.reason(), Some(Reason::Allowed));
    assert_eq!(other.reason(), Some(Reason::Allowed));
}

#[test]
fn a_304_renews_the_age_on_every_worker_and_transfers_nothing() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"30s","max_stale":"60s""#);
    let mut one = Worker::start(&stage, &policy, 1);
    let mut other = Worker::start(&stage, &policy, 2);
    pass(&stage, &mut [&mut one, &mut other], secs(600));
    let asked = stage.asked.borrow().clone();
    assert!((19..27).contains(&asked.len()), "{}", asked.len());
    assert_eq!(asked[0], None);
    assert!(
        asked[1..]
            .iter()
            .all(|etag| etag.as_deref() == Some("\"1\""))
    );
    // Without the renewal, both would be too old by now.
    assert_eq!(one.reason(), Some(Reason::Revoked));
    assert_eq!(other.reason(), Some(Reason::Revoked));
    assert_eq!(
        stage.logged(|event| matches!(event, Event::ListLoaded { .. })),
        1
    );
    assert_eq!(
        stage.logged(|event| matches!(event, Event::TooOld { .. })),
        0
    );
    assert!(stage.gauge("edge_authz.revoked_age_seconds.a").unwrap() <= 31);
}

#[test]
fn the_last_good_list_serves_until_max_stale_and_then_nobody_passes() {
    let stage = Stage::new(EMPTY);
    let policy = policy(r#","refresh":"10s","max_stale":"60s","timeout":"2s""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    stage.server.borrow_mut().status = 500;
    pass(&stage, &mut [&mut worker], secs(50));
    assert_eq!(worker.reason(), Some(Reason::Allowed));
    pass(&stage, &mut [&mut worker], secs(20));
    let waits = worker.request();
    assert_eq!(worker.decided.get(&waits), None);
    pass(&stage, &mut [&mut worker], secs(3));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
    assert_eq!(
        stage.logged(|event| matches!(event, Event::TooOld { .. })),
        1
    );
    // After a failure, the list is fetched without a condition.
    assert_eq!(stage.asked.borrow().last(), Some(&None));
    // A request that waits is served by the list that confirms what is known.
    let waits = worker.request();
    stage.server.borrow_mut().status = 200;
    pass(
        &stage,
        &mut [&mut worker],
        secs(1) + Duration::from_millis(500),
    );
    pass(&stage, &mut [&mut worker], secs(5));
    let reason = worker.decided.get(&waits).copied();
    assert!(reason.is_some());
    assert_eq!(worker.reason(), Some(Reason::Allowed));
}

#[test]
fn an_answer_that_is_not_a_list_keeps_the_last_good_one() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"1s","max_stale":"1h""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    let too_many: Vec<_> = (0..500_000).map(|n| format!("\"{n:x}\"")).collect();
    for body in [
        String::new(),
        r#"{"keys":[]}"#.to_owned(),
        r#"{"sub":{"alice":"1"}}"#.to_owned(),
        format!(r#"{{"jti":[{}]}}"#, too_many.join(",")),
        format!("{EMPTY}{}", " ".repeat(40 << 20)),
        "[".repeat(1 << 20),
    ] {
        stage.publish(&body, "\"bad\"");
        let before = stage.asked.borrow().len();
        pass(&stage, &mut [&mut worker], secs(70));
        assert!(stage.asked.borrow().len() > before);
        assert_eq!(worker.reason(), Some(Reason::Revoked));
    }
    stage.publish(EMPTY, "\"good\"");
    pass(&stage, &mut [&mut worker], secs(70));
    assert_eq!(worker.reason(), Some(Reason::Allowed));
}

#[test]
fn a_304_without_a_known_list_is_a_failure() {
    let stage = Stage::new(EMPTY);
    stage.server.borrow_mut().status = 304;
    let policy = policy(r#","timeout":"1s""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    let waits = worker.request();
    pass(&stage, &mut [&mut worker], secs(2));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
    assert!(stage.asked.borrow().iter().all(Option::is_none));
}

#[test]
fn a_new_configuration_continues_with_the_list_and_its_age() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"10s","max_stale":"60s","timeout":"1s""#);
    let mut old = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut old], secs(2));
    stage.server.borrow_mut().status = 500;
    pass(&stage, &mut [&mut old], secs(40));
    let mut new = Worker::start(&stage, &policy, 2);
    assert_eq!(new.reason(), Some(Reason::Revoked));
    // Both listeners use one copy.
    assert_eq!(shelf::count(), 1);
    drop(old);
    pass(&stage, &mut [&mut new], secs(20));
    let waits = new.request();
    pass(&stage, &mut [&mut new], secs(2));
    let reason = new.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
}

#[test]
fn shared_data_that_are_not_a_list_are_not_used() {
    let stage = Stage::new(ALICE);
    let policy = policy(r#","refresh":"10s""#);
    let mut one = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut one], secs(2));
    let [name] = &stage.shared.names("/list")[..] else {
        panic!("one list");
    };
    let known = stage.shared.peek(name).unwrap();
    let garbage = [&known[..8], br#"{"jti":[]}"#].concat();
    stage.shared.sabotage(name, &garbage);
    drop(one);
    let mut other = Worker::start(&stage, &policy, 2);
    let waits = other.request();
    pass(&stage, &mut [&mut other], secs(2));
    // It has fetched the list itself.
    assert_eq!(other.decided.get(&waits).copied(), Some(Reason::Revoked));
    assert_eq!(stage.asked.borrow().len(), 2);
}

#[test]
fn each_fetch_of_a_list_near_a_limit_warns() {
    let ids: Vec<_> = (0..40_000).map(|n| format!("\"{n}\"")).collect();
    let stage = Stage::new(&format!(r#"{{"jti":[{}]}}"#, ids.join(",")));
    let mut worker = Worker::start(&stage, &policy(""), 1);
    pass(&stage, &mut [&mut worker], secs(100));
    let fetches = stage.asked.borrow().len();
    assert!(fetches >= 3);
    let warned = stage.logged(|event| matches!(event, Event::ListNearLimit { .. }));
    assert_eq!(warned, fetches);
}

#[test]
fn an_age_from_before_the_clock_was_set_back_does_not_extend_the_list() {
    let stage = Stage::new(EMPTY);
    let policy = policy(r#","refresh":"10s","max_stale":"60s","timeout":"1s""#);
    let mut worker = Worker::start(&stage, &policy, 1);
    pass(&stage, &mut [&mut worker], secs(2));
    stage.server.borrow_mut().status = 500;
    stage.now.set(stage.now.get().saturating_sub(secs(3600)));
    pass(&stage, &mut [&mut worker], secs(50));
    assert_eq!(worker.reason(), Some(Reason::Allowed));
    pass(&stage, &mut [&mut worker], secs(20));
    let waits = worker.request();
    pass(&stage, &mut [&mut worker], secs(2));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
    // The time of the record passes, and the list is not renewed by it.
    pass(&stage, &mut [&mut worker], secs(3600));
    let waits = worker.request();
    pass(&stage, &mut [&mut worker], secs(2));
    let reason = worker.decided.get(&waits).copied();
    assert_eq!(reason, Some(Reason::RevocationListUnavailable));
}
