//! Issuers that are down, and clusters without a reachable host.

use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::under_load;
use super::{SLACK, WORKERS, get, good_token, opens, settle, unavailable, with_jwks, workers};
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::tokens::TokenMaker;
use crate::world::{World, configuration};

#[test]
fn an_outage_has_no_effect_until_max_stale_and_ends_by_itself() {
    let mut world = World::with(
        with_jwks(json!({"refresh": "1s", "max_stale": "5s", "timeout": "1s"})),
        workers,
    );
    let tokens = RwLock::new(vec![world.token(json!({}))]);
    settle(&world);
    let address = world.envoy.address();
    world.issuer.stop();
    // Longer than `refresh`, shorter than `max_stale`.
    let seen = under_load(address, &tokens, || thread::sleep(Duration::from_secs(3)));
    seen.all_are(200);
    // Without the issuer, it is unknown whether this key exists.
    let unknown = good_token(&TokenMaker::generate("ES256", "key-2"));
    unavailable(&get(&world.envoy, &unknown));
    // After `max_stale`, this applies to cached tokens, too.
    let seen = under_load(address, &tokens, || thread::sleep(Duration::from_secs(4)));
    assert!(
        seen.statuses
            .keys()
            .all(|status| matches!(status, 200 | 503)),
        "{:?}",
        seen.statuses
    );
    for _ in 0..8 {
        unavailable(&get(&world.envoy, &tokens.read().unwrap()[0]));
    }
    world.issuer.restart();
    let back = Instant::now();
    opens(&world.envoy, &tokens.read().unwrap()[0]);
    // The longest back-off without keys is 5 s.
    assert!(back.elapsed() < Duration::from_secs(6) + SLACK);
    wait_until(Duration::from_secs(3), || {
        let all = (0..16).all(|_| get(&world.envoy, &tokens.read().unwrap()[0]).status == 200);
        all.then_some(())
    })
    .expect("every worker has keys again");
    world.envoy.assert_no_trap();
}

#[test]
fn with_the_issuer_down_at_the_start_requests_wait_to_their_deadline() {
    let key = TokenMaker::generate("ES256", "key-1");
    let mut issuer = Issuer::with_keys(&[&key]);
    issuer.stop();
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .cluster("issuer", issuer.address())
        .edge_authz(with_jwks(json!({"timeout": "1s"}))(&issuer))
        .concurrency(WORKERS)
        .start();
    let token = good_token(&key);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let start = Instant::now();
                unavailable(&get(&envoy, &token));
                let waited = start.elapsed();
                assert!(waited >= Duration::from_millis(900), "{waited:?}");
                assert!(waited <= Duration::from_secs(2) + SLACK, "{waited:?}");
            });
        }
    });
    assert_eq!(upstream.count(), 0);
    issuer.restart();
    opens(&envoy, &token);
    envoy.assert_no_trap();
}

#[test]
fn a_cluster_without_hosts_causes_503_and_nothing_else() {
    let key = TokenMaker::generate("ES256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let upstream = Echo::start();
    let configuration = with_jwks(json!({"timeout": "1s"}))(&issuer);
    let build = || Builder::new(upstream.address()).edge_authz(configuration.clone());
    for envoy in [build().start(), build().empty_cluster("issuer").start()] {
        unavailable(&get(&envoy, &good_token(&key)));
        envoy.assert_no_trap();
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_healthy_issuer_s_keys_are_available_at_once() {
    let world = World::with(configuration, workers);
    let start = Instant::now();
    get(&world.envoy, &world.token(json!({}))).expect(200);
    let waited = start.elapsed();
    assert!(waited < SLACK, "{waited:?}");
    assert_eq!(world.issuer.gets(JWKS_PATH), 1);
}
