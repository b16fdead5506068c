//! One key service and several judges in real threads. This shows what a schedule cannot:
//! that the parts can be shared between threads, and that the exchange loses nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use super::signer::{KeyId, Memory, SIGNER};
use super::world::LATE;
use crate::config;
use crate::engine::{
    Demand, Effect, Env, Exchange, FetchCall, Judge, KeyService, NoRandomness, NoSharedData,
    NonceStore, ProofMemory, Proofs, Snapshot, StreamId, TokenCache,
};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::{AnswerHead, Ending};
use crate::policy::Policy;
use crate::telemetry::{Event, Reason};
use crate::time::UnixTime;

const ISSUER: &str = "https://a.example";
const JUDGES: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(1);
const CONFIGURATION: &str = r#"{"providers":[{"name":"a","issuer":"https://a.example",
    "audiences":"any","jwks":{"cluster":"a","uri":"https://a.example/keys",
    "timeout":"1s","refresh":"10m","max_stale":"1h"}}],"routes":[{"match":"$default"}]}"#;

#[test]
fn the_parts_can_be_in_different_threads() {
    const fn can_move<T: Send>() {}
    const fn can_be_shared<T: Send + Sync>() {}
    can_move::<Judge>();
    can_move::<KeyService>();
    can_move::<Demand>();
    can_be_shared::<Snapshot>();
    can_be_shared::<Exchange>();
    can_be_shared::<Policy>();
}

/// An adopted key set.
struct Taken {
    /// The number of the first snapshot that contains it.
    number: u64,
    keys: Vec<KeyId>,
    began: UnixTime,
}

/// The state that all threads share.
struct Process {
    policy: Arc<Policy>,
    exchange: Exchange,
    /// The issuer's keys, and their set.
    published: Mutex<(Vec<KeyId>, Vec<u8>)>,
    taken: Mutex<Vec<Taken>>,
    gets: AtomicUsize,
    /// The number of keys for which the clients have tokens.
    tokens: AtomicUsize,
    /// What each judge has allowed, by key.
    allowed: [[AtomicUsize; 3]; JUDGES],
    over: AtomicBool,
}

fn now() -> UnixTime {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixTime::EPOCH.saturating_add(since)
}

fn env() -> Env<'static> {
    Env {
        now: now(),
        shared: &NoSharedData,
        host_signatures: &Memory,
        connection: &crate::engine::NoConnection,
    }
}

fn published(keys: &[usize]) -> (Vec<KeyId>, Vec<u8>) {
    let keys: Vec<_> = keys.iter().copied().map(KeyId).collect();
    let set = SIGNER.with(|signer| signer.key_set(&keys));
    (keys, set)
}

/// The thread of the service. Judges with an urgent demand wake it through `woken`.
fn serve(process: &Process, mut service: KeyService, woken: &Receiver<()>) {
    let mut call: Option<(FetchCall, UnixTime)> = None;
    while !process.over.load(Ordering::Relaxed) {
        let _ = woken.recv_timeout(service.next_tick().min(Duration::from_millis(20)));
        let mut effects = Vec::new();
        if let Some((asked, began)) = call.take() {
            let (keys, set) = process.published.lock().unwrap().clone();
            let head = AnswerHead {
                ending: Ending::Status(200),
                body_size: set.len(),
                ..AnswerHead::default()
            };
            effects = service.fetched(asked.id, &head, &|| Some(set.clone()), env());
            let took = |effect: &Effect| match effect {
                Effect::Log(event) => matches!(**event, Event::KeysLoaded { .. }),
                Effect::Answer(_) | Effect::Fetch(_) | Effect::Measure(_) => false,
            };
            assert!(effects.iter().any(took), "{effects:?}");
            process.taken.lock().unwrap().push(Taken {
                number: service.snapshot().number(),
                keys,
                began,
            });
            process.exchange.publish(&service);
        }
        effects.extend(service.tick(&process.exchange.demands(), env()));
        process.exchange.publish(&service);
        for effect in effects {
            if let Effect::Fetch(asked) = effect {
                process.gets.fetch_add(1, Ordering::Relaxed);
                let before = call.replace((*asked, now()));
                assert!(before.is_none(), "two concurrent fetches");
            }
        }
    }
}

/// The thread of a judge.
struct Thread<'p> {
    process: &'p Process,
    index: usize,
    judge: Judge,
    waiting: BTreeMap<StreamId, (usize, UnixTime)>,
    wake: Sender<()>,
}

impl Thread<'_> {
    fn run(&mut self, tokens: &[String]) {
        let mut ticked = now();
        for number in 0_u32.. {
            let is_over = self.process.over.load(Ordering::Relaxed);
            if is_over && self.waiting.is_empty() {
                return;
            }
            if !is_over {
                let key =
                    usize::try_from(number).unwrap() % self.process.tokens.load(Ordering::Relaxed);
                self.event(|thread| {
                    let env = env();
                    let stream = StreamId(number);
                    thread.waiting.insert(stream, (key, env.now));
                    let head = RequestHead::new(HeaderMap::from_pairs([
                        (":method", "GET"),
                        (":path", "/"),
                        ("authorization", &format!("Bearer {}", tokens[key])),
                    ]));
                    thread.judge.request(stream, head, env)
                });
            }
            if now().saturating_since(ticked) >= self.judge.next_tick() {
                ticked = now();
                self.event(|thread| thread.judge.tick(env()));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn event(&mut self, what: impl FnOnce(&mut Self) -> Vec<Effect>) {
        if let Some(newer) = self.process.exchange.newer_than(&self.judge) {
            self.judge.adopt(&newer, now());
        }
        for effect in what(self) {
            if let Effect::Answer(answer) = effect {
                self.answered(answer.stream, answer.reason);
            }
        }
        let demand = self.judge.demand();
        if self.process.exchange.set_demand(self.index, demand) {
            let _ = self.wake.send(());
        }
    }

    fn answered(&mut self, stream: StreamId, reason: Reason) {
        let (key, arrived) = self.waiting.remove(&stream).expect("answered twice");
        let number = self.judge.snapshot().number();
        let taken = self.process.taken.lock().unwrap();
        let held = taken.iter().rfind(|taken| taken.number <= number);
        let held = held.expect("an answer without keys");
        let has_key = held.keys.contains(&KeyId(key));
        if reason == Reason::Allowed {
            assert!(has_key, "let through by a key that is gone");
            self.process.allowed[self.index][key].fetch_add(1, Ordering::Relaxed);
            return;
        }
        assert!(!has_key, "a good token was refused");
        if reason == Reason::KeysUnavailable {
            let waited = now().saturating_since(arrived);
            assert!(waited >= TIMEOUT, "timed out after {waited:?}");
        } else {
            assert_eq!(reason, Reason::UnknownKey);
            assert!(
                key == 0 || held.began >= arrived,
                "401 for a key that may exist"
            );
        }
    }
}

/// Ends all threads, even if a test has failed.
struct End<'o>(&'o AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until the condition holds.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let since = now();
    while !is_so() {
        assert!(
            now().saturating_since(since) < Duration::from_secs(30),
            "not {what}"
        );
        thread::sleep(Duration::from_millis(5));
    }
}

fn proofs() -> Proofs {
    let nonces = NonceStore::new(|_| Err(NoRandomness));
    Proofs::new(Arc::new(ProofMemory::new(100, 4)), Arc::new(nonces))
}

#[test]
fn a_rotation_reaches_all_threads_with_one_fetch() {
    let policy = Arc::new(config::compile(CONFIGURATION.as_bytes()).unwrap());
    let service = KeyService::new(&policy, 1);
    let process = Process {
        policy,
        exchange: Exchange::new(&service, JUDGES),
        published: Mutex::new(published(&[0, 1])),
        taken: Mutex::default(),
        gets: AtomicUsize::new(0),
        tokens: AtomicUsize::new(2),
        allowed: Default::default(),
        over: AtomicBool::new(false),
    };
    let tokens = [0, 1, 2].map(|key| SIGNER.with(|signer| signer.good(ISSUER, KeyId(key), LATE)));
    let tokens_of_all = TokenCache::new(&process.policy, JUDGES);
    let (wake, woken) = mpsc::channel();
    let all_allow = |key: usize, more: usize| {
        let counts = process.allowed.each_ref();
        let before = counts.map(|counts| counts[key].load(Ordering::Relaxed));
        move |process: &Process| {
            let mut pairs = process.allowed.iter().zip(before);
            pairs.all(|(counts, before)| counts[key].load(Ordering::Relaxed) >= before + more)
        }
    };
    thread::scope(|scope| {
        let _end = End(&process.over);
        let shared = &process;
        scope.spawn(move || serve(shared, service, &woken));
        for index in 0..JUDGES {
            let mut thread = Thread {
                process: &process,
                index,
                judge: Judge::sharing(
                    Arc::clone(&process.policy),
                    process.exchange.latest(),
                    Arc::clone(&tokens_of_all),
                    proofs(),
                ),
                waiting: BTreeMap::new(),
                wake: wake.clone(),
            };
            let tokens = &tokens;
            scope.spawn(move || thread.run(tokens));
        }
        for key in 0..2 {
            let served = all_allow(key, 20);
            until("served by the first keys", || served(&process));
        }
        assert_eq!(process.gets.load(Ordering::Relaxed), 1);
        let new = published(&[1, 2]);
        *process.published.lock().unwrap() = new;
        let rotated = now();
        process.tokens.store(3, Ordering::Relaxed);
        for key in 1..3 {
            let served = all_allow(key, 20);
            until("served by the new keys", || served(&process));
        }
        // The tokens of the first key cause one more fetch every five seconds.
        let more = usize::try_from(now().saturating_since(rotated).as_secs() / 5).unwrap();
        let gets = process.gets.load(Ordering::Relaxed);
        assert!((2..=2 + more).contains(&gets), "{gets} fetches");
    });
}
