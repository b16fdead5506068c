//! Runs the module on several threads, as Envoy does: the main thread, workers, and the
//! module's own thread. `make test-threads` runs this with `ThreadSanitizer`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::issuer::{Issuer, configuration};
use super::proxy::{Config, answer, configure, deliver, destroy, forwarded, leave, request, sent};
use super::world::{begin, with_world};
use crate::clock;
use crate::ticker::tests::ALONE;
use edge_authz_native::locked;

const WORKERS: u32 = 4;
/// The number of requests of one worker that wait at the same time.
const CROWD: usize = 20;
const PATIENCE: Duration = Duration::from_mins(1);

/// A configuration that several threads use, as in Envoy.
#[derive(Clone, Copy)]
struct Shared {
    id: usize,
    module: usize,
}

impl Shared {
    fn config(self) -> Config {
        Config {
            id: self.id,
            module: self.module as *mut _,
        }
    }
}

fn in_thread(worker: u32) {
    begin(worker);
    clock::tests::CLOCK.set(None);
    with_world(|world| {
        world.workers = WORKERS;
        world.is_validation = false;
    });
}

/// Delivers the events of this thread until the condition holds.
#[expect(clippy::disallowed_methods, reason = "a test bounds its time")]
fn until(config: Config, what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    let queue = with_world(|world| Arc::clone(&world.queue));
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not {what}");
        if let Some((target, event)) = queue.pop(Duration::from_millis(5)) {
            deliver(config, target, event);
        }
    }
}

/// Runs one worker: crowds of requests wait for the keys, and some of the clients leave.
fn work(worker: u32, shared: Shared, tokens: &[String], done: &AtomicUsize) {
    let workers = usize::try_from(WORKERS).unwrap();
    in_thread(worker);
    let config = shared.config();
    for (number, token) in tokens.iter().enumerate() {
        // The issuer withdraws the previous round's keys.
        until(config, "its turn", || {
            done.load(Ordering::Acquire) >= number * workers
        });
        let get = |token: &str| {
            let token = format!("Bearer {token}");
            let head = [
                (":method", "GET"),
                (":path", "/private"),
                (":authority", "api.example"),
                ("authorization", &*token),
            ];
            request(config, &head)
        };
        let crowd: Vec<_> = (0..CROWD).map(|_| get(token)).collect();
        let (leaving, staying) = crowd.split_at(CROWD / 4);
        for id in leaving {
            leave(*id);
        }
        until(config, "decided", || {
            staying.iter().all(|id| forwarded(*id).is_some())
        });
        for id in staying {
            leave(*id);
        }
        done.fetch_add(1, Ordering::Release);
    }
    assert!(with_world(|world| world.streams.is_empty()));
}

#[test]
fn keys_reach_all_threads_and_those_that_wait_go_on_in_their_own() {
    let _alone = locked(&ALONE);
    in_thread(0);
    let issuers = [Issuer::new("k1"), Issuer::new("k2")];
    let source = json!({
        "cluster": "idp",
        "uri": "https://issuer.example/threads",
        "timeout": "60s",
    });
    let config = configure(&configuration(&source).to_string()).unwrap();
    let shared = Shared {
        id: config.id,
        module: config.module as usize,
    };
    let now = clock::now().unwrap().as_secs().cast_unsigned();
    let tokens: Vec<_> = issuers.iter().map(|issuer| issuer.token(now)).collect();
    let done = AtomicUsize::new(0);
    let all = tokens.len() * usize::try_from(WORKERS).unwrap();
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (tokens, done) = (&tokens, &done);
            scope.spawn(move || work(worker, shared, tokens, done));
        }
        let mut fetched = 0;
        until(config, "ended", || {
            for call in sent() {
                let issuer = &issuers[fetched.min(1)];
                answer(config, &call, 200, &issuer.jwks().to_string());
                fetched += 1;
            }
            done.load(Ordering::Acquire) == all
        });
        assert!(fetched >= 2);
    });
    destroy(config);
}
