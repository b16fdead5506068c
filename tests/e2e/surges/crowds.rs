//! Requests that want the keys of very many sources.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PATIENCE, STREAMS, Sent, made_up, private, statuses, still_works};
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http1::Connection;
use crate::support::issuer::{Issuer, key_set};
use crate::support::process::wait_until;
use crate::support::server::Answer;
use crate::support::tokens::TokenMaker;
use crate::world::{AUDIENCE, World, configuration};

const PROVIDERS: usize = 300;

/// As many providers of one issuer, as for as many audiences, each with a key set
/// at a place of its own.
fn providers(issuer: &Issuer, key: &TokenMaker) -> Value {
    let provider = |number: usize| {
        let path = format!("/keys/{number}");
        issuer.answer(&path, Answer::json(&key_set(&[key])));
        json!({
            "name": format!("p{number}"),
            "issuer": issuer.name(),
            "audiences": [AUDIENCE],
            "jwks": {
                "cluster": "issuer",
                "uri": format!("{}{path}", issuer.name()),
                "timeout": "20s",
            },
        })
    };
    (0..PROVIDERS).map(provider).collect()
}

/// How long good requests take, the longest first.
fn latencies(envoy: &Envoy, token: &str, enough: impl Fn(usize) -> bool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !enough(took.len()) {
        let mut connection = Connection::open(envoy.address()).expect("a connection");
        for _ in 0..20 {
            let began = Instant::now();
            let answer = connection.exchange(&private(token)).expect("an answer");
            answer.expect(200);
            took.push(began.elapsed());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    took.sort();
    took.reverse();
    took
}

#[test]
fn hundreds_of_long_kids_for_hundreds_of_sources_hold_no_good_token_up() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let upstream = Echo::start();
    let mut configuration = configuration(&issuer);
    configuration["providers"] = providers(&issuer, &key);
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .edge_authz(configuration)
        .start();
    let world = World {
        key,
        issuer,
        upstream,
        envoy,
    };
    still_works(&world);
    // This one is refused when every source has been asked again: those that follow
    // wait for the next time.
    world.envoy.send(&private(&made_up("first"))).expect(401);
    let token = world.token(json!({}));
    let before = latencies(&world.envoy, &token, |count| count >= 200);
    let long = "x".repeat(11_000);
    let requests: Vec<_> = (0..600)
        .map(|number| private(&made_up(&format!("{number}{long}"))))
        .collect();
    let sent = Sent::over_http2(world.envoy.address(), &requests, STREAMS);
    let waiting = || world.envoy.stat("wasmcustom.edge_authz.waiting_requests");
    let some = wait_until(PATIENCE, || (waiting() > 400).then_some(()));
    some.expect("a crowd that waits");
    let during = latencies(&world.envoy, &token, |count| count >= 400 && waiting() == 0);
    let statuses = statuses(&sent.answers());
    assert!(statuses.keys().all(|status| [401, 503].contains(status)));
    assert!(statuses[&401] > 400, "{statuses:?}");
    // The machine may be busy with something else.
    let nearly_longest = |took: &[Duration]| took[took.len() / 20];
    let [before, during] = [before, during].map(|took| nearly_longest(&took));
    let most = Duration::from_millis(50) + before;
    assert!(during < most, "{during:?} instead of {before:?}");
    still_works(&world);
}
