//! The module's thread and its memory, in Envoy's process.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::only_here;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http2;
use crate::support::issuer::Issuer;
use crate::support::process::wait_until;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::world::{AUDIENCE, World, configuration};

/// The number of the module's own threads in the process.
fn own_threads(envoy: &Envoy) -> usize {
    let threads = envoy.threads();
    threads.iter().filter(|name| *name == "edge_authz").count()
}

/// Waits until superseded listeners are drained and the module has this many threads.
#[track_caller]
fn has_threads(envoy: &Envoy, count: usize) {
    let settled = wait_until(Duration::from_secs(30), || {
        let draining = envoy.stats("draining").values().sum::<u64>();
        (draining == 0 && own_threads(envoy) == count).then_some(())
    });
    assert!(settled.is_some(), "{:?}", envoy.threads());
}

#[test]
#[ignore = "of the dynamic module"]
fn one_thread_serves_all_configurations_and_ends_with_the_last() {
    only_here();
    let world = World::with(configuration, |builder| builder.concurrency(2).reloadable());
    let listener = |name: &str, number: usize| {
        let mut configuration = configuration(&world.issuer);
        configuration["responses"] = json!({"realm": format!("update-{number}")});
        Listener::new(name, EdgeAuthz::new(configuration))
    };
    has_threads(&world.envoy, 1);
    let all = world.envoy.threads().len();
    for number in 0..20 {
        assert!(world.envoy.reload(&[listener("main", number)]));
        assert_eq!(own_threads(&world.envoy), 1);
    }
    let two = [listener("main", 20), listener("other", 21)];
    assert!(world.envoy.reload(&two));
    has_threads(&world.envoy, 1);
    assert_eq!(world.envoy.threads().len(), all);
    // Without a configuration the thread ends, and the next configuration starts it
    // again.
    for _ in 0..3 {
        assert!(world.envoy.reload(&[Listener::plain("main")]));
        has_threads(&world.envoy, 0);
        assert_eq!(world.envoy.threads().len(), all - 1);
        assert!(world.envoy.reload(&[listener("main", 22)]));
        has_threads(&world.envoy, 1);
    }
    let good = Request::get("/private/a").bearer(&world.token(json!({})));
    let works = wait_until(Duration::from_secs(20), || {
        (world.envoy.send(&good).status == 200).then_some(())
    });
    works.expect("the last configuration");
    world.envoy.assert_no_trap();
}

/// The tokens of the comparison, and the connections that send all of them.
const TOKENS: usize = 10_000;
const CONNECTIONS: usize = 8;

/// The memory of an Envoy of so many workers in KiB, after each connection has sent all of
/// the tokens.
fn memory_with(workers: u32, issuer: &Issuer, tokens: &[String]) -> u64 {
    const AT_ONCE: usize = 100;
    let upstream = Echo::start();
    let mut configuration = configuration(issuer);
    configuration["token_cache"] = json!({"max_tokens": TOKENS});
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .edge_authz(configuration)
        .concurrency(workers)
        .start();
    let to = envoy.address();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut connection = http2::Connection::open(to).expect("a connection");
                for tokens in tokens.chunks(AT_ONCE) {
                    // It is refused after its token was verified: no upstream is needed.
                    let request = |token: &String| Request::get("/pets").bearer(token);
                    let send = |token| connection.send(&request(token)).expect("it writes");
                    let streams: Vec<_> = tokens.iter().map(send).collect();
                    for stream in streams {
                        connection.response(stream).expect("an answer").expect(403);
                    }
                }
            });
        }
    });
    envoy.memory_kib()
}

#[test]
#[ignore = "of the dynamic module"]
fn ten_thousand_tokens_take_little_more_memory_in_four_workers_than_in_one() {
    only_here();
    let key = TokenMaker::generate("ES256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let token = |number: usize| {
        let more = json!({"sub": format!("user-{number}"), "padding": "x".repeat(400)});
        key.token(&claims_with(issuer.name(), AUDIENCE, more))
    };
    let tokens: Vec<_> = (0..TOKENS).map(token).collect();
    let [one, four] = [1, 4].map(|workers| memory_with(workers, &issuer, &tokens));
    println!("one worker: {one} KiB, four: {four} KiB");
    assert!(four * 10 <= one * 13, "{four} KiB instead of {one} KiB");
}
