//! Keys that may have changed although no token names a new one, and caches in front of
//! the issuer.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{get, good_token, settle, with_jwks, workers};
use crate::support::envoy::Envoy;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::server::Gate;
use crate::support::tokens::TokenMaker;
use crate::world::{World, configuration};

/// Waits until the token is accepted. Until then it is refused, and no request waits.
#[track_caller]
fn is_found_out(envoy: &Envoy, token: &str) {
    let found = wait_until(Duration::from_secs(15), || {
        let start = Instant::now();
        let answer = get(envoy, token);
        assert!(matches!(answer.status, 200 | 401), "{answer}");
        assert!(start.elapsed() < Duration::from_secs(4), "it waited");
        thread::sleep(Duration::from_millis(20));
        (answer.status == 200).then_some(())
    });
    assert!(found.is_some(), "still the old key");
}

#[test]
fn a_key_that_reuses_the_kid_of_another_is_found_through_its_tokens() {
    let world = World::with(configuration, workers);
    let before = settle(&world);
    let new = TokenMaker::generate("RS256", "key-1");
    world.issuer.publish(&[&new]);
    get(&world.envoy, &good_token(&new)).expect(401);
    is_found_out(&world.envoy, &good_token(&new));
    // The tokens of the replaced key are refused on every worker, and cause no second
    // refresh within the minute.
    let old = world.token(json!({}));
    let gone = wait_until(Duration::from_secs(5), || {
        let refused = (0..16).all(|_| get(&world.envoy, &old).status == 401);
        refused.then_some(())
    });
    assert!(gone.is_some(), "the old key is still good");
    thread::sleep(Duration::from_secs(7));
    assert_eq!(world.issuer.gets(JWKS_PATH) - before, 1);
    get(&world.envoy, &good_token(&new)).expect(200);
    world.envoy.assert_no_trap();
}

/// Sends a request that needs no missing key: it is answered at once.
#[track_caller]
fn at_once(envoy: &Envoy, token: &str, status: u16) {
    let start = Instant::now();
    get(envoy, token).expect(status);
    assert!(start.elapsed() < Duration::from_secs(4), "it waited");
}

#[test]
fn no_request_waits_for_the_refresh_after_a_bad_signature() {
    let world = World::with(with_jwks(json!({"timeout": "60s"})), |builder| builder);
    let before = settle(&world);
    let gate = Gate::default();
    world.issuer.change(JWKS_PATH, |keys| keys.behind(&gate));
    let good = world.token(json!({}));
    let forged = good_token(&TokenMaker::generate("RS256", "key-1"));
    let asked = || world.issuer.gets(JWKS_PATH) - before;
    at_once(&world.envoy, &forged, 401);
    let begun = wait_until(Duration::from_secs(10), || (asked() == 1).then_some(()));
    begun.expect("a refresh in the background");
    // The refresh is in progress, and stays so.
    for _ in 0..50 {
        at_once(&world.envoy, &forged, 401);
        at_once(&world.envoy, &good, 200);
    }
    thread::sleep(Duration::from_secs(1));
    let waiting = world.envoy.stat("wasmcustom.edge_authz.waiting_requests");
    assert_eq!(waiting, 0);
    gate.open();
    // An unknown `kid` could cause another refresh by now; a bad signature may not within
    // the minute.
    let end = Instant::now() + Duration::from_secs(12);
    while Instant::now() < end {
        at_once(&world.envoy, &forged, 401);
        at_once(&world.envoy, &good, 200);
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(asked(), 1);
    world.envoy.assert_no_trap();
}

#[test]
fn a_new_key_without_kid_is_found_by_its_tokens() {
    let old = TokenMaker::generate("ES256", "unused").without_kid();
    let new = TokenMaker::generate("ES256", "unused").without_kid();
    let world = World::with(
        |issuer| {
            issuer.publish(&[&old]);
            configuration(issuer)
        },
        workers,
    );
    for _ in 0..16 {
        get(&world.envoy, &good_token(&old)).expect(200);
    }
    let before = world.issuer.gets(JWKS_PATH);
    world.issuer.publish(&[&new]);
    get(&world.envoy, &good_token(&new)).expect(401);
    is_found_out(&world.envoy, &good_token(&new));
    assert_eq!(world.issuer.gets(JWKS_PATH) - before, 1);
}

#[test]
fn a_cached_answer_does_not_make_a_new_key_unknown() {
    let world = World::with(with_jwks(json!({"timeout": "12s"})), |builder| builder);
    settle(&world);
    // The issuer already has a new key, and its cache has the old answer.
    let aged = |issuer: &Issuer| issuer.change(JWKS_PATH, |keys| keys.header("age", "30"));
    aged(&world.issuer);
    let new = TokenMaker::generate("ES256", "key-2");
    get(&world.envoy, &good_token(&new)).expect(401);
    world.issuer.publish(&[&world.key, &new]);
    // The request waits for the next refresh instead of getting the same answer again.
    get(&world.envoy, &good_token(&new)).expect(200);
    let asked = world.issuer.received_fields(JWKS_PATH, "cache-control");
    let no_cache = Some("no-cache".to_owned());
    assert_eq!(asked, [None, no_cache.clone(), no_cache]);
    world.envoy.assert_no_trap();
}

#[test]
fn a_fetch_names_its_user_agent_and_its_coding() {
    let world = World::with(configuration, workers);
    settle(&world);
    let first = |field: &str| world.issuer.received_fields(JWKS_PATH, field)[0].clone();
    let version = concat!("edge-authz/", env!("CARGO_PKG_VERSION"));
    assert_eq!(first("user-agent").as_deref(), Some(version));
    assert_eq!(first("accept-encoding").as_deref(), Some("identity"));
    assert_eq!(first("cache-control"), None);
    let accepted = first("accept");
    assert!(accepted.is_some_and(|types| types.contains("application/json")));
}
