//! Requests that need the keys of very many sources.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, STREAMS, Sent, made_up, private, statuses, still_works};
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http1::Connection;
use crate::support::issuer::{Issuer, key_set};
use crate::support::process::wait_until;
use crate::support::server::Answer;
use crate::support::tokens::TokenMaker;
use crate::world::{AUDIENCE, World, configuration};

const PROVIDERS: usize = 300;

/// Providers of one issuer with different audiences, each with its own key set URI.
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

/// Sends valid requests, a few milliseconds apart, to a path of their own.
fn send_good(envoy: &Envoy, path: &str, token: &str, enough: impl Fn(usize) -> bool) {
    let mut sent = 0;
    while !enough(sent) {
        let mut connection = Connection::open(envoy.address()).expect("a connection");
        for _ in 0..20 {
            let request = Request::get(path).bearer(token);
            let answer = connection.exchange(&request).expect("an answer");
            answer.expect(200);
            sent += 1;
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// How long the requests to a path took, in milliseconds by Envoy's own clock, in
/// ascending order. The client's time for sending and reading does not count.
fn durations(envoy: &Envoy, path: &str) -> Vec<u64> {
    let entries = envoy.access_log(1);
    let those = entries.iter().filter(|entry| entry["path"] == path);
    let mut took: Vec<_> = those
        .map(|entry| entry["duration_ms"].as_u64().expect("a number"))
        .collect();
    took.sort_unstable();
    took
}

#[test]
fn hundreds_of_long_kids_for_hundreds_of_sources_delay_no_good_token() {
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
    // This one is refused when every source was refreshed: the requests that follow wait
    // for the next refresh.
    world.envoy.send(&private(&made_up("first"))).expect(401);
    let token = world.token(json!({}));
    send_good(&world.envoy, "/private/before", &token, |sent| sent >= 200);
    let long = "x".repeat(11_000);
    let requests: Vec<_> = (0..600)
        .map(|number| private(&made_up(&format!("{number}{long}"))))
        .collect();
    let sent = Sent::over_http2(world.envoy.address(), &requests, STREAMS);
    let waiting = || world.envoy.stat("wasmcustom.edge_authz.waiting_requests");
    let some = wait_until(PATIENCE, || (waiting() > 400).then_some(()));
    some.expect("a crowd that waits");
    send_good(&world.envoy, "/private/during", &token, |sent| {
        sent >= 400 && waiting() == 0
    });
    let statuses = statuses(&sent.answers());
    assert!(statuses.keys().all(|status| [401, 503].contains(status)));
    assert!(statuses[&401] > 400, "{statuses:?}");
    // Envoy writes its log every ten seconds.
    let logged = || durations(&world.envoy, "/private/during").len() >= 400;
    wait_until(PATIENCE, || logged().then_some(())).expect("the requests in the log");
    let [before, during] = ["/private/before", "/private/during"].map(|path| {
        let took = durations(&world.envoy, path);
        let of = |percent: usize| took[(took.len() - 1) * percent / 100];
        println!("{path}: p50 {}, p99 {}, max {} ms", of(50), of(99), of(100));
        of(95)
    });
    // The machine may be busy with other work. Then it was busy before, too.
    assert!(during < 50 + before, "{during} ms instead of {before} ms");
    still_works(&world);
}
