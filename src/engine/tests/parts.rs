//! The key service and the judges, step by step.

use std::sync::Arc;
use std::time::Duration;

use super::signer::{KeyId, Memory, SIGNER};
use super::world::LATE;
use crate::config;
use crate::engine::{
    Demand, Effect, Env, Exchange, FetchCall, Judge, KeyService, NoSharedData, StreamId,
};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::{AnswerHead, Ending};
use crate::policy::{Policy, SourceId};
use crate::telemetry::Reason;
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";
const CONFIGURATION: &str = r#"{"providers":[{"name":"a","issuer":"https://a.example",
    "audiences":"any","jwks":{"cluster":"a","uri":"https://a.example/keys",
    "timeout":"5s","refresh":"10m","max_stale":"1h"}}],"routes":[{"match":"$default"}]}"#;

struct Parts {
    now: UnixTime,
    policy: Arc<Policy>,
    service: KeyService,
    judge: Judge,
    streams: u32,
}

impl Parts {
    /// Both parts, with this key.
    fn with(key: usize) -> Self {
        let policy = Arc::new(config::compile(CONFIGURATION.as_bytes()).unwrap());
        let service = KeyService::new(&policy, 1);
        let mut parts = Self {
            now: UnixTime::from_secs(1_800_000_000),
            judge: Judge::new(Arc::clone(&policy), Arc::clone(service.snapshot())),
            policy,
            service,
            streams: 0,
        };
        let call = parts.serve(&Demand::default()).unwrap();
        parts.answer(&call, &[key]);
        parts.adopt();
        parts
    }

    fn env(&self) -> Env<'static> {
        Env {
            now: self.now,
            shared: &NoSharedData,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.saturating_add(time);
    }

    fn adopt(&mut self) {
        self.judge.adopt(self.service.snapshot(), self.now);
    }

    /// Runs a tick of the service. Returns the fetch that begins.
    fn serve(&mut self, demand: &Demand) -> Option<FetchCall> {
        self.pass(Duration::from_millis(10));
        let env = self.env();
        let effects = self.service.tick(std::slice::from_ref(demand), env);
        effects.into_iter().find_map(|effect| match effect {
            Effect::Fetch(call) => Some(*call),
            Effect::Answer(_) | Effect::Measure(_) | Effect::Log(_) => None,
        })
    }

    fn answer(&mut self, call: &FetchCall, keys: &[usize]) {
        self.pass(Duration::from_millis(10));
        let keys: Vec<_> = keys.iter().copied().map(KeyId).collect();
        let set = SIGNER.with(|signer| signer.key_set(&keys));
        let head = AnswerHead {
            ending: Ending::Status(200),
            body_size: set.len(),
            ..AnswerHead::default()
        };
        let env = self.env();
        self.service
            .fetched(call.id, &head, &|| Some(set.clone()), env);
    }

    /// Sends a request with a token of this key. Returns the reason of its answer.
    fn request(&mut self, key: usize) -> Option<Reason> {
        self.pass(Duration::from_millis(1));
        let text = SIGNER.with(|signer| signer.good(ISSUER, KeyId(key), LATE));
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {text}")),
        ]));
        self.streams += 1;
        let env = self.env();
        let effects = self.judge.request(StreamId(self.streams), head, env);
        reasons(effects).next()
    }

    fn tick(&mut self) -> Vec<Reason> {
        let env = self.env();
        reasons(self.judge.tick(env)).collect()
    }
}

fn reasons(effects: Vec<Effect>) -> impl Iterator<Item = Reason> {
    let answers = effects.into_iter().filter_map(Effect::answer);
    answers.map(|answer| answer.reason)
}

#[test]
fn a_kid_that_may_have_arrived_already_causes_no_fetch() {
    let mut parts = Parts::with(0);
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    // A token of a new key arrives while the keys are refreshed.
    parts.pass(Duration::from_mins(11));
    let call = parts.serve(&Demand::default()).unwrap();
    assert_eq!(parts.request(1), None);
    let before = parts.judge.demand();
    parts.answer(&call, &[0, 1]);
    // The judge does not know the new keys yet.
    assert_eq!(parts.serve(&before), None);
    // The judge knows the new keys, but has not judged the waiting requests again.
    parts.adopt();
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    let unjudged = parts.judge.demand();
    assert_eq!(parts.serve(&unjudged), None);
    assert_eq!(parts.tick(), [Reason::Allowed]);
    // A `kid` that is certainly missing is fetched at once.
    assert_eq!(parts.request(2), None);
    let demand = parts.judge.demand();
    assert!(parts.serve(&demand).is_some_and(|call| call.fresh));
}

#[test]
fn a_kid_is_absent_for_ten_seconds_after_keys_without_it_arrived() {
    let mut parts = Parts::with(0);
    assert_eq!(parts.request(1), None);
    let call = parts.serve(&parts.judge.demand()).unwrap();
    parts.answer(&call, &[0]);
    // The judge reaches the request late.
    parts.pass(Duration::from_secs(4));
    parts.adopt();
    assert_eq!(parts.tick(), [Reason::UnknownKey]);
    assert_eq!(parts.request(1), Some(Reason::UnknownKey));
    parts.pass(Duration::from_secs(5));
    assert_eq!(parts.request(1), Some(Reason::UnknownKey));
    parts.pass(Duration::from_secs(1));
    assert_eq!(parts.request(1), None);
}

#[test]
fn a_judge_never_returns_to_withdrawn_keys() {
    let mut parts = Parts::with(0);
    let old = Arc::clone(parts.service.snapshot());
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    parts.pass(Duration::from_mins(11));
    let call = parts.serve(&Demand::default()).unwrap();
    parts.answer(&call, &[1]);
    parts.adopt();
    let now = parts.now;
    parts.judge.adopt(&old, now);
    assert_eq!(parts.request(0), None);
    assert_eq!(parts.request(1), Some(Reason::Allowed));
}

#[test]
fn a_doubt_is_reported_until_keys_are_fetched_after_it() {
    let mut parts = Parts::with(4);
    // Both keys have the same `kid`.
    assert_eq!(parts.request(5), Some(Reason::BadSignature));
    let demand = parts.judge.demand();
    assert!(!demand.is_urgent());
    // A lost demand is reported again, and a duplicate does no harm.
    assert_eq!(parts.judge.demand(), demand);
    parts.pass(Duration::from_millis(500));
    let call = parts.serve(&demand).unwrap();
    parts.pass(Duration::from_millis(500));
    assert_eq!(parts.serve(&demand), None);
    parts.answer(&call, &[5]);
    parts.pass(Duration::from_mins(2));
    assert_eq!(parts.serve(&demand), None);
    parts.adopt();
    assert!(parts.judge.demand().doubted.is_empty());
    assert_eq!(parts.request(5), Some(Reason::Allowed));
}

#[test]
fn a_kid_is_not_absent_because_only_the_judge_saw_the_clock_set_back() {
    let mut parts = Parts::with(0);
    let source = SourceId::new(0);
    let fetch_started_at = |parts: &Parts| parts.judge.snapshot().fetch_started_at(source);
    let fetched = fetch_started_at(&parts);
    assert!(fetched > Some(UnixTime::EPOCH));
    parts.pass(Duration::from_mins(11));
    let ahead = parts.now;
    let call = parts.serve(&Demand::default()).unwrap();
    // The judge notices that the clock was set back. The keys seem to come from the
    // future, and may lack a `kid` that is needed now.
    parts.now = ahead.saturating_sub(Duration::from_mins(20));
    assert_eq!(parts.request(1), None);
    assert_eq!(fetch_started_at(&parts), Some(UnixTime::EPOCH));
    // This remains so when the service, which has not noticed, publishes the keys again.
    let now = parts.now;
    parts.now = ahead;
    assert_eq!(parts.serve(&Demand::default()), None);
    assert!(parts.service.snapshot().number() > parts.judge.snapshot().number());
    assert_eq!(parts.service.snapshot().fetch_started_at(source), fetched);
    parts.adopt();
    assert_eq!(fetch_started_at(&parts), Some(UnixTime::EPOCH));
    // New keys whose fetch seems to begin later are not trusted either.
    parts.answer(&call, &[0]);
    parts.now = now;
    parts.adopt();
    assert_eq!(fetch_started_at(&parts), Some(UnixTime::EPOCH));
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    assert_eq!(parts.request(1), None);
}

#[test]
fn the_exchange_passes_new_values_and_reports_which_thread_to_wake() {
    let mut parts = Parts::with(0);
    let exchange = Exchange::new(&parts.service, 2);
    assert!(exchange.newer_than(&parts.judge).is_none());
    let behind = Judge::new(
        Arc::clone(&parts.policy),
        Arc::clone(KeyService::new(&parts.policy, 2).snapshot()),
    );
    assert!(exchange.newer_than(&behind).is_some());
    assert!(!exchange.set_demand(0, parts.judge.demand()));
    assert_eq!(parts.request(1), None);
    assert!(exchange.set_demand(0, parts.judge.demand()));
    assert!(!exchange.set_demand(0, parts.judge.demand()));
    // There is no judge with this index.
    assert!(!exchange.set_demand(2, parts.judge.demand()));
    let needed = exchange.demands();
    assert_eq!(needed, [parts.judge.demand(), Demand::default()]);
    let call = parts.serve(&needed[0]).unwrap();
    parts.answer(&call, &[0, 1]);
    assert!(exchange.newer_than(&parts.judge).is_none());
    exchange.publish(&parts.service);
    let newer = exchange.newer_than(&parts.judge).unwrap();
    let now = parts.now;
    parts.judge.adopt(&newer, now);
    assert_eq!(parts.tick(), [Reason::Allowed]);
    assert!(!exchange.set_demand(0, parts.judge.demand()));
    assert!(!exchange.demands().iter().any(Demand::is_urgent));
}

#[test]
fn judges_share_verified_tokens_and_each_decides_by_its_own_keys() {
    let mut parts = Parts::with(0);
    let other = Judge::sharing(
        Arc::clone(&parts.policy),
        Arc::clone(parts.service.snapshot()),
        Arc::clone(&parts.judge.tokens),
        parts.judge.proofs.clone(),
    );
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    assert_eq!(parts.judge.checks, 1);
    let first = std::mem::replace(&mut parts.judge, other);
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    assert_eq!(parts.judge.checks, 0);
    // One judge knows that the key is gone. The other one still has the key, and caches the
    // token again.
    parts.pass(Duration::from_mins(11));
    let call = parts.serve(&Demand::default()).unwrap();
    parts.answer(&call, &[1]);
    parts.adopt();
    let second = std::mem::replace(&mut parts.judge, first);
    assert_eq!(parts.request(0), Some(Reason::Allowed));
    parts.judge = second;
    assert_eq!(parts.request(0), None);
    assert_eq!(parts.judge.checks, 0);
    assert_eq!(parts.request(1), Some(Reason::Allowed));
}
