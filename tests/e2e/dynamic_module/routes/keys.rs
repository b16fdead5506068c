//! The keys of a route's document.

use std::time::Duration;

use serde_json::json;

use super::only_here;
use super::stage::{Stage, all_hosts, config, route};
use crate::support::http::Request;
use crate::support::issuer::JWKS_PATH;
use crate::support::process::wait_until;
use crate::world::configuration;

#[test]
#[ignore = "of the dynamic module"]
fn they_are_fetched_with_the_first_request_and_shared_with_the_process() {
    only_here();
    let stage = Stage::new();
    let shared = configuration(&stage.issuer);
    let envoy = stage.start(&[
        route("/private/shared", Some(config(&shared))),
        route("/private/tenant", Some(config(&stage.second_document()))),
        route("/", None),
    ]);
    let token = stage.token();
    for _ in 0..3 {
        let get = |path: &str| Request::get(path).bearer(&token);
        envoy.send(&get("/private/a")).expect(200);
        envoy.send(&get("/private/shared")).expect(200);
    }
    // Both documents have the same source.
    assert_eq!(stage.issuer.gets(JWKS_PATH), 1);
    assert_eq!(stage.second.gets(JWKS_PATH), 0);
    let tenant = Request::get("/private/tenant").bearer(&token);
    let tenant = tenant.header("x-tenant-token", stage.second_token());
    for _ in 0..10 {
        envoy.send(&tenant).expect(200);
    }
    assert_eq!(stage.second.gets(JWKS_PATH), 1);
    let fetched = "wasmcustom.edge_authz.key_fetches.second.success";
    let stats = envoy.stats_once(fetched, |stats| stats.contains_key(fetched));
    assert_eq!(stats[fetched], 1);
}

#[test]
#[ignore = "of the dynamic module"]
fn a_request_waits_for_the_keys_of_both_and_is_refused_without_them() {
    only_here();
    for (delays, status) in [([1, 2], 200), ([2, 1], 200), ([0, 60], 503), ([60, 0], 503)] {
        let stage = Stage::new();
        for (issuer, delay) in [&stage.issuer, &stage.second].into_iter().zip(delays) {
            issuer.change(JWKS_PATH, |keys| keys.delay(Duration::from_secs(delay)));
        }
        let mut listener = configuration(&stage.issuer);
        let mut own = stage.second_document();
        for document in [&mut listener, &mut own] {
            document["providers"][0]["jwks"]["timeout"] = json!("4s");
        }
        let routes = [route("/", Some(config(&own)))];
        let envoy = stage.builder_with(&listener, &all_hosts(&routes)).start();
        let request = Request::post("/private/a", vec![7; 100_000])
            .bearer(&stage.token())
            .header("x-tenant-token", stage.second_token())
            .header("origin", super::stage::PAGE);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| envoy.send2(&request).expect(status));
            let answer = envoy.send(&request).expect(status);
            let allowed = answer.all("access-control-allow-origin");
            assert_eq!(allowed, [super::stage::PAGE]);
            second.join().expect("an answer");
        });
        // No request waits any more.
        let waiting = "wasmcustom.edge_authz.waiting_requests";
        let stats = envoy.stats_once(waiting, |stats| stats.get(waiting) == Some(&0));
        assert_eq!(stats.get(waiting), Some(&0), "{delays:?}");
        envoy.assert_no_trap();
    }
}

#[test]
#[ignore = "of the dynamic module"]
fn a_refusal_of_one_does_not_wait_for_the_other() {
    only_here();
    let stage = Stage::new();
    stage
        .issuer
        .change(JWKS_PATH, |keys| keys.delay(Duration::from_mins(1)));
    let envoy = stage.start(&[route("/", Some(config(&stage.second_document())))]);
    let request = Request::get("/private/a").bearer(&stage.token());
    let began = std::time::Instant::now();
    envoy.send(&request).expect(401);
    envoy.send2(&request).expect(401);
    assert!(began.elapsed() < Duration::from_secs(3));
    let gone = wait_until(Duration::from_secs(5), || {
        (envoy.stat("wasmcustom.edge_authz.waiting_requests") == 0).then_some(())
    });
    gone.expect("nobody waits");
}
