//! Everything at once, for a long time: `make soak TIME=10m`. Good, bad and hostile
//! requests are sent while the issuer rotates its keys, configurations replace one
//! another, and many requests ask for missing keys. At the end no memory has leaked,
//! every request is counted, and nothing has trapped.

mod surges;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::Request;
use crate::support::http1::{self, Connection};
use crate::support::http2;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::tokens::{self, TokenMaker, claims_with};
use crate::world::{AUDIENCE, World, configuration};
use surges::Surges;

/// The number of clients, each with one request at a time.
const CLIENTS: u64 = 4;
/// How often a new key replaces the oldest one.
const ROTATION: Duration = Duration::from_secs(6);
/// The number of keys that the issuer publishes.
const PUBLISHED: usize = 3;
/// The maximum growth of the memory after the warm-up.
const GROWTH_KIB: u64 = 8 * 1024;

/// The issuer's keys, the newest first, withdrawn ones included.
struct Keys(RwLock<Vec<TokenMaker>>);

impl Keys {
    fn token(&self, place: usize, more: serde_json::Value) -> String {
        let keys = self.0.read().expect("the keys");
        let claims = claims_with("https://issuer.example.com", AUDIENCE, more);
        keys[place.min(keys.len() - 1)].token(&claims)
    }

    fn rotate(&self, world: &World) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let algorithm = ["ES256", "EdDSA", "ES256"][(number % 3) as usize];
        let key = TokenMaker::generate(algorithm, &format!("rotated-{number}"));
        let mut keys = self.0.write().expect("the keys");
        keys.insert(0, key);
        keys.truncate(2 * PUBLISHED);
        let published: Vec<_> = keys.iter().take(PUBLISHED).collect();
        world.issuer.publish(&published);
    }
}

/// A kind of request, its allowed answers, and the reason under which it is counted if
/// there is only one.
struct Kind {
    name: &'static str,
    statuses: &'static [u16],
    reason: Option<&'static str>,
    make: fn(&Keys, u64) -> Request,
}

const fn kind(
    name: &'static str,
    statuses: &'static [u16],
    reason: &'static str,
    make: fn(&Keys, u64) -> Request,
) -> Kind {
    Kind {
        name,
        statuses,
        reason: if reason.is_empty() {
            None
        } else {
            Some(reason)
        },
        make,
    }
}

fn private(token: &str) -> Request {
    Request::get("/private/a").bearer(token)
}

/// The requests of a round. A key signs valid tokens if it is neither the newest, which a
/// worker may not have yet, nor about to be withdrawn.
const KINDS: &[Kind] = &[
    kind("good", &[200], "", |keys, _| {
        private(&keys.token(1, json!({})))
    }),
    kind("good, other user", &[200], "", |keys, number| {
        private(&keys.token(1, json!({"sub": format!("user-{number}")})))
    }),
    kind("good, with a body", &[200], "", |keys, number| {
        let token = keys.token(1, json!({}));
        Request::post("/private/a", vec![7; (number % 50_000) as usize]).bearer(&token)
    }),
    kind("scoped", &[200], "", |keys, _| {
        Request::get("/pets/7").bearer(&keys.token(1, json!({"scope": "pets:read"})))
    }),
    // At first only the issuer knows it: the request waits, and is never refused.
    kind("newest key", &[200, 503], "", |keys, _| {
        private(&keys.token(0, json!({})))
    }),
    kind("public", &[200], "public", |_, _| Request::get("/public/a")),
    kind("no token", &[401], "no_token", |_, _| {
        Request::get("/private/a")
    }),
    kind("expired", &[401], "expired", |keys, _| {
        private(&keys.token(1, json!({"exp": tokens::now() - 3600})))
    }),
    kind("no scope", &[403], "missing_scope", |keys, _| {
        Request::get("/pets/7").bearer(&keys.token(1, json!({})))
    }),
    kind("withdrawn key", &[401, 503], "", |keys, _| {
        private(&keys.token(PUBLISHED + 1, json!({})))
    }),
    kind("made-up key", &[401, 503], "", |_, number| {
        let key = TokenMaker::generate("ES256", &format!("made-up-{number}"));
        private(&key.token(&claims_with(
            "https://issuer.example.com",
            AUDIENCE,
            json!({}),
        )))
    }),
    kind("no JSON", &[401], "malformed_token", |_, number| {
        let part = tokens::encode(number.to_le_bytes());
        private(&format!("{part}.{part}.{part}"))
    }),
    kind("bytes", &[401], "malformed_token", |_, number| {
        let noise: Vec<u8> = (0..200)
            .map(|at| 0x80 | (number.wrapping_mul(31).wrapping_add(at) & 0x7f) as u8)
            .collect();
        Request::get("/private/a")
            .header("authorization", [b"Bearer ", noise.as_slice()].concat())
            .header("cookie", &noise)
            .header("origin", &noise)
    }),
    kind("too long", &[401], "token_too_long", |_, _| {
        private(&"a".repeat(20_000))
    }),
    kind("two tokens", &[400], "", |keys, _| {
        let token = keys.token(1, json!({}));
        private(&token).bearer(&token)
    }),
    kind("ambiguous path", &[400], "bad_path", |keys, _| {
        Request::get("/public/%2e%2e/private/a").bearer(&keys.token(1, json!({})))
    }),
    kind("no route", &[404], "no_route", |_, number| {
        Request::get(format!("/nowhere/{number}"))
    }),
    kind("preflight", &[204], "preflight", |_, _| {
        Request::preflight("/private/a", "https://app.example.com", "GET")
    }),
    kind("foreign preflight", &[403], "preflight_refused", |_, _| {
        Request::preflight("/private/a", "https://evil.example", "GET")
    }),
];

/// The results of the clients.
#[derive(Default)]
struct Tally {
    answers: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Requests whose client left: they may or may not have been decided.
    left: AtomicU64,
}

impl Tally {
    fn add(&self, name: &'static str, status: u16) {
        let mut answers = self.answers.lock().expect("the answers");
        *answers.entry((name, status)).or_default() += 1;
    }

    fn sent(&self, of: impl Fn(&str, u16) -> bool) -> u64 {
        let answers = self.answers.lock().expect("the answers");
        let counted = answers
            .iter()
            .filter(|((name, status), _)| of(name, *status));
        counted.map(|(_, count)| count).sum()
    }
}

/// One client: a round of every kind, then a request that it abandons.
fn client(world: &World, keys: &Keys, tally: &Tally, first: u64, ended: &AtomicBool) {
    let to = world.envoy.address();
    let mut number = first;
    while !ended.load(Ordering::Relaxed) {
        // Requests that may wait would delay the others.
        let round = number / CLIENTS / KINDS.len() as u64;
        let due = |kind: &&Kind| !kind.statuses.contains(&503) || round.is_multiple_of(10);
        number += CLIENTS;
        for kind in KINDS.iter().filter(due) {
            number += CLIENTS;
            let request = (kind.make)(keys, number).header("x-kind", kind.name);
            let answer = if (number / CLIENTS).is_multiple_of(3) {
                http2::exchange(to, &request).map_err(|error| format!("{error:?}"))
            } else {
                http1::exchange(to, &request).map_err(|error| error.to_string())
            };
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
            assert!(
                kind.statuses.contains(&answer.status),
                "{}: {answer}",
                kind.name
            );
            tally.add(kind.name, answer.status);
        }
        let request = Request::post("/private/a", "a body").header("x-kind", "good");
        let bytes = http1::encode(&request.bearer(&keys.token(number as usize % 2, json!({}))));
        let mut connection = Connection::open(to).expect("a connection");
        connection
            .write(&bytes[..bytes.len() - 3])
            .expect("it writes");
        tally.left.fetch_add(1, Ordering::Relaxed);
    }
}

/// `90s`, `10m`, `2h`.
fn time() -> Duration {
    let text = std::env::var("TIME").unwrap_or_else(|_| "60s".to_owned());
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => panic!("TIME={text}: write 90s, 10m or 2h"),
    };
    let number: u64 = number.parse().expect("TIME has a number");
    Duration::from_secs(number * seconds)
}

fn soaked(issuer: &Issuer) -> Value {
    let mut configuration = configuration(issuer);
    let jwks = &mut configuration["providers"][0]["jwks"];
    jwks["refresh"] = json!("2s");
    jwks["timeout"] = json!("2s");
    // So that the cache is full, and its memory constant, after the warm-up.
    configuration["token_cache"] = json!({"max_tokens": 200});
    configuration
}

fn world() -> World {
    World::with(soaked, |builder| {
        let builder = builder.concurrency(2).log_level("warning");
        // Longer than any request waits.
        builder.reloadable().drain_time(10)
    })
}

/// The decided requests by reason, once the workers have reported all of them: no more
/// requests arrive, and a tick has passed between two readings.
fn counted(world: &World) -> BTreeMap<String, u64> {
    let mut last = reported(world);
    loop {
        thread::sleep(Duration::from_secs(2));
        let now = reported(world);
        if now == last {
            return now;
        }
        last = now;
    }
}

fn reported(world: &World) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for (name, count) in world.envoy.stats("wasmcustom.edge_authz.requests.") {
        let reason = name.split('.').nth(3).expect("a reason");
        *reasons.entry(reason.to_owned()).or_default() += count;
    }
    reasons
}

/// Stops the clients when it is dropped, even after a failed assertion.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs the clients, and returns the memory after the warm-up and at the end.
fn run(world: &World, keys: &Keys, tally: &Tally, time: Duration) -> (u64, u64) {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for first in 0..CLIENTS {
            let ended = &ended;
            scope.spawn(move || client(world, keys, tally, first, ended));
        }
        let _ending = Ending(&ended);
        let end = Instant::now() + time;
        let warmed_up = Instant::now() + time / 3;
        let (mut warm, mut rotated) = (0, Instant::now());
        let mut surges = Surges::default();
        while Instant::now() < end {
            thread::sleep(Duration::from_millis(200));
            if rotated.elapsed() >= ROTATION {
                keys.rotate(world);
                rotated = Instant::now();
            }
            surges.next(world, tally);
            if Instant::now() < warmed_up {
                warm = world.envoy.memory_kib().max(warm);
            }
        }
        (warm, world.envoy.memory_kib())
    })
}

#[test]
#[ignore = "it takes as long as it is reported: make soak TIME=10m"]
fn a_long_mixed_load_leaks_no_memory_loses_no_count_and_never_traps() {
    let time = time();
    let (world, keys, tally) = (world(), Keys(RwLock::default()), Tally::default());
    for _ in 0..2 * PUBLISHED {
        keys.rotate(&world);
    }
    let opened = wait_until(Duration::from_secs(20), || {
        let request = private(&keys.token(1, json!({}))).header("x-kind", "good");
        (world.envoy.send(&request).status == 200).then_some(())
    });
    opened.expect("the first keys");
    let before = counted(&world);
    let (warm, last) = run(&world, &keys, &tally, time);
    let left = tally.left.load(Ordering::Relaxed);
    let mut counted = counted(&world);
    for (reason, count) in before {
        *counted.get_mut(&reason).expect("counters stay") -= count;
    }
    let total: u64 = counted.values().sum();
    let sent = tally.sent(|_, _| true);
    eprintln!("{sent} requests answered, {left} left, {total} counted");
    eprintln!("{} key sets fetched", world.issuer.gets(JWKS_PATH));
    eprintln!("{warm} KiB after the warm-up, {last} KiB at the end");
    for ((name, status), count) in &*tally.answers.lock().expect("the answers") {
        eprintln!("{count:>8} {status} {name}");
    }
    world.envoy.assert_no_trap();
    assert!((sent..=sent + left).contains(&total), "{counted:?}");
    add_up(&tally, &counted, left);
    only_good_ones_have_passed(&world);
    assert!(last <= warm + GROWTH_KIB, "from {warm} to {last} KiB");
}

/// The filter's counts match the requests that the clients have sent.
fn add_up(tally: &Tally, counted: &BTreeMap<String, u64>, left: u64) {
    let of = |reason: &str| counted.get(reason).copied().unwrap_or(0);
    for reason in KINDS.iter().filter_map(|kind| kind.reason) {
        let same: Vec<_> = KINDS
            .iter()
            .filter(|kind| kind.reason == Some(reason))
            .map(|kind| kind.name)
            .collect();
        let sent = tally.sent(|name, _| same.contains(&name));
        assert_eq!(of(reason), sent, "{reason}");
    }
    let good = tally.sent(|name, status| status == 200 && name != "public");
    assert!((good..=good + left).contains(&of("allowed")), "{counted:?}");
    assert_eq!(of("internal_error"), 0);
}

fn only_good_ones_have_passed(world: &World) {
    let good = KINDS.iter().filter(|kind| kind.statuses.contains(&200));
    let good: Vec<_> = good.map(|kind| kind.name).chain([surges::COLD]).collect();
    for seen in world.upstream.seen() {
        let kind = seen.text("x-kind").expect("a kind");
        assert!(good.contains(&kind.as_str()), "{kind} has passed");
    }
}
