//! Very many requests that wait for the keys of very many sources.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::issuer::Mode;
use super::settings::SETTINGS;
use super::shared::FakeShared;
use super::signer::{KeyId, Memory, SIGNER};
use super::world::{LATE, Token, World};
use crate::config;
use crate::engine::judging::Allowance;
use crate::engine::{Action, Effect, Engine, Env, FetchCall, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::{AnswerHead, Ending};
use crate::telemetry::{Change, Measurement, Metric, Reason};
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";

/// A worker with the given number of providers of one issuer, each with its own key set.
struct Crowded {
    engine: Engine,
    shared: FakeShared,
    now: UnixTime,
    streams: u32,
    /// The key that each key set location publishes; key 0 if there is no entry.
    published: BTreeMap<String, usize>,
    answers: Vec<(StreamId, Reason)>,
    waiting: i64,
}

impl Crowded {
    fn with_providers(count: usize) -> Self {
        let mut providers = String::new();
        for number in 0..count {
            let comma = if number == 0 { "" } else { "," };
            write!(
                providers,
                r#"{comma}{{"name":"p{number}","issuer":"{ISSUER}","audiences":"any",
                    "jwks":{{"cluster":"a","uri":"{ISSUER}/keys/{number}"}}}}"#
            )
            .unwrap();
        }
        let text = format!(r#"{{"providers":[{providers}],"routes":[{{"match":"$default"}}]}}"#);
        let policy = Arc::new(config::compile(text.as_bytes()).unwrap());
        let mut crowded = Self {
            engine: Engine::new(policy, 1),
            shared: FakeShared::default(),
            now: UnixTime::from_secs(1_800_000_000),
            streams: 0,
            published: BTreeMap::new(),
            answers: Vec::new(),
            waiting: 0,
        };
        // The first tick creates the record, the second fetches.
        for _ in 0..3 {
            crowded.pass(Duration::from_millis(10));
        }
        crowded.pass(Duration::from_secs(20));
        crowded
    }

    /// Handles an event and applies its effects. Returns the number of answered requests
    /// and the number of fetches that began.
    fn event(&mut self, what: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>) -> (usize, usize) {
        let env = Env {
            now: self.now,
            shared: &self.shared,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        let effects = what(&mut self.engine, env);
        let before = self.answers.len();
        let mut calls = Vec::new();
        for effect in effects {
            match effect {
                Effect::Answer(answer) => {
                    let passed = matches!(answer.action, Action::Forward(_));
                    assert_eq!(passed, answer.reason == Reason::Allowed);
                    self.answers.push((answer.stream, answer.reason));
                }
                Effect::Fetch(call) => calls.push(*call),
                Effect::Measure(Measurement {
                    metric: Metric::WaitingRequests,
                    change: Change::Add(change),
                }) => self.waiting += change,
                Effect::Measure(_) | Effect::Log(_) => {}
            }
        }
        for call in &calls {
            self.serve(call);
        }
        (self.answers.len() - before, calls.len())
    }

    fn serve(&mut self, call: &FetchCall) {
        let key = self.published.get(call.uri.path()).copied();
        let body = SIGNER.with(|signer| signer.key_set(&[KeyId(key.unwrap_or_default())]));
        let head = AnswerHead {
            ending: Ending::Status(200),
            body_size: body.len(),
            ..AnswerHead::default()
        };
        let (answered, _) =
            self.event(|engine, env| engine.fetched(call.id, &head, &|| Some(body.clone()), env));
        assert_eq!(answered, 0, "only ticks answer");
    }

    fn tick(&mut self) -> (usize, usize) {
        self.now = self.now.saturating_add(self.engine.next_tick());
        self.event(Engine::tick)
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.saturating_add(time);
        while self.now.saturating_add(self.engine.next_tick()) <= end {
            self.tick();
        }
        self.now = end;
    }

    fn request(&mut self, token: &str) -> StreamId {
        let stream = StreamId(self.streams);
        self.streams += 1;
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {token}")),
        ]));
        self.event(|engine, env| engine.request(stream, head, env));
        stream
    }

    fn reason(&self, stream: StreamId) -> Option<Reason> {
        let answer = self.answers.iter().find(|(known, _)| *known == stream);
        answer.map(|(_, reason)| *reason)
    }
}

fn good(key: usize) -> String {
    SIGNER.with(|signer| signer.good(ISSUER, KeyId(key), LATE))
}

fn made_up(kid: &str) -> String {
    SIGNER.with(|signer| signer.forged(ISSUER, kid, LATE))
}

/// A `kid` that makes a token almost as long as the limit.
fn long_kid(number: usize) -> String {
    format!("{number:04}{}", "x".repeat(11_000))
}

#[test]
fn six_hundred_long_kids_and_three_hundred_sources_are_held_in_bounds() {
    let mut crowd = Crowded::with_providers(300);
    // An early refresh has just happened, so the next one is five seconds away.
    crowd.request(&made_up("first"));
    crowd.pass(Duration::from_secs(1));
    assert_eq!(crowd.waiting, 0);
    let mut most = 0;
    for round in 0..2 {
        let before = crowd.answers.len();
        let streams: Vec<_> = (0..600)
            .map(|number| crowd.request(&made_up(&long_kid(1000 * round + number))))
            .collect();
        let refused = crowd.answers.len() - before;
        assert_eq!(usize::try_from(crowd.waiting).unwrap(), 600 - refused);
        for (_, reason) in &crowd.answers[before..] {
            assert_eq!(*reason, Reason::TooManyWaiting);
        }
        // The token alone takes 15,000 bytes of a request.
        assert!(600 - refused > 500, "{refused} were refused");
        assert!((600 - refused) * 15_000 < 16 * 1024 * 1024);
        // A request whose key is known passes at once.
        let passed = crowd.request(&good(0));
        assert_eq!(crowd.reason(passed), Some(Reason::Allowed));
        crowd.pass(Duration::from_secs(7));
        assert_eq!(crowd.waiting, 0);
        for stream in streams {
            let reason = crowd.reason(stream).unwrap();
            let expected = [
                Reason::UnknownKey,
                Reason::TooManyWaiting,
                Reason::KeysUnavailable,
            ];
            assert!(expected.contains(&reason), "{reason:?}");
        }
        // All memory was released.
        assert!(most == 0 || most == 600 - refused);
        most = 600 - refused;
    }
}

#[test]
fn the_work_of_a_tick_is_bounded_for_any_number_of_sources() {
    let mut crowd = Crowded::with_providers(300);
    crowd.request(&made_up("first"));
    crowd.pass(Duration::from_secs(1));
    let streams: Vec<_> = (0..600)
        .map(|number| crowd.request(&made_up(&format!("made-up-{number}"))))
        .collect();
    assert_eq!(crowd.waiting, 600);
    // At the next early refresh all sources change, some in each tick.
    let mut begun = 0;
    while begun == 0 {
        begun = crowd.tick().1;
    }
    let mut ticks = 0;
    while crowd.waiting > 0 {
        // Each request that is judged needs at least the keys that have not arrived yet.
        let needed = 300 - begun;
        let (answered, fetches) = crowd.tick();
        let steps = answered.saturating_sub(1) * needed * (1 + Allowance::STEPS_PER_JUDGEMENT);
        assert!(steps < Allowance::WHOLE.steps, "{answered} were judged");
        assert!(fetches <= 32, "{fetches} fetches began");
        begun += fetches;
        ticks += 1;
        assert!(ticks < 300, "{} still wait", crowd.waiting);
        let passed = crowd.request(&good(0));
        assert_eq!(crowd.reason(passed), Some(Reason::Allowed));
    }
    // The answers are in order of arrival.
    let of_crowd = |(stream, reason): &(StreamId, Reason)| {
        let is_one = streams.contains(stream);
        is_one.then(|| {
            assert_eq!(*reason, Reason::UnknownKey);
            *stream
        })
    };
    let order: Vec<_> = crowd.answers.iter().filter_map(of_crowd).collect();
    assert_eq!(order, streams);
}

#[test]
fn a_new_key_of_one_of_many_sources_is_found_among_many_requests() {
    let mut crowd = Crowded::with_providers(120);
    crowd.request(&made_up("first"));
    crowd.pass(Duration::from_secs(1));
    for number in 0..600 {
        crowd.request(&made_up(&format!("made-up-{number}")));
    }
    crowd.published.insert("/keys/77".to_owned(), 3);
    let stream = crowd.request(&good(3));
    assert_eq!(crowd.reason(stream), None);
    while crowd.tick().1 == 0 {}
    crowd.pass(Duration::from_millis(300));
    assert_eq!(crowd.reason(stream), Some(Reason::Allowed));
}

#[test]
fn ticks_that_only_answer_do_not_visit_the_sources() {
    let mut crowd = Crowded::with_providers(20);
    crowd.request(&made_up("first"));
    crowd.pass(Duration::from_secs(1));
    for number in 0..600 {
        crowd.request(&made_up(&format!("made-up-{number}")));
    }
    while crowd.tick().1 == 0 {}
    let before = crowd.shared.gets.get();
    let mut ticks = 0;
    while crowd.waiting > 0 {
        crowd.tick();
        ticks += 1;
    }
    assert!(ticks > 30, "{ticks}");
    let visits = (crowd.shared.gets.get() - before) / 20;
    assert!(visits <= ticks / 10 + 1, "{visits} visits in {ticks} ticks");
}

#[test]
fn a_thousand_are_answered_in_order_of_arrival_when_their_keys_come() {
    let world = World::new(1, SETTINGS);
    world.latency.set(None);
    let worker = world.worker(0);
    let token = Token::Good(KeyId(0));
    let all: Vec<_> = (0..1000)
        .map(|_| world.request(&worker, 0, token.clone()))
        .collect();
    world.latency.set(Some(Duration::from_millis(20)));
    world.pass(Duration::from_millis(120));
    let outcomes: Vec<_> = all.iter().map(|id| world.outcome(*id).unwrap()).collect();
    assert!(outcomes.is_sorted_by_key(|outcome| outcome.at));
    for at in outcomes.iter().map(|outcome| outcome.at) {
        let same = outcomes.iter().filter(|outcome| outcome.at == at).count();
        assert!(same <= worker.allowance.judgements, "{same} in a tick");
    }
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.reason == Reason::Allowed)
    );
}

#[test]
fn a_thousand_requests_are_answered_soon_after_their_deadline() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Silent);
    let worker = world.worker(0);
    let token = Token::Good(KeyId(0));
    let all: Vec<_> = (0..1000)
        .map(|_| world.request(&worker, 0, token.clone()))
        .collect();
    let up = world.now().saturating_add(SETTINGS.timeout);
    world.pass(SETTINGS.timeout + Duration::from_millis(50));
    for id in all {
        let outcome = world.outcome(id).unwrap();
        assert_eq!(outcome.reason, Reason::KeysUnavailable);
        assert!(outcome.at <= up.saturating_add(Duration::from_millis(50)));
    }
}
