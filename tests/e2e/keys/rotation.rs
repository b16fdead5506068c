//! Issuers that rotate their keys.

use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::under_load;
use super::{SLACK, get, good_token, settle, with_jwks, workers};
use crate::support::issuer::JWKS_PATH;
use crate::support::process::wait_until;
use crate::support::tokens::TokenMaker;
use crate::world::{World, configuration};

#[test]
fn a_new_key_that_a_token_shows_first_is_never_refused() {
    let world = World::with(configuration, workers);
    let new = TokenMaker::generate("ES256", "key-2");
    let tokens = RwLock::new(vec![world.token(json!({}))]);
    let before = settle(&world);
    let seen = under_load(world.envoy.address(), &tokens, || {
        thread::sleep(Duration::from_millis(500));
        world.issuer.publish(&[&world.key, &new]);
        tokens.write().unwrap().push(good_token(&new));
        thread::sleep(Duration::from_secs(1));
        // Tokens are signed only with the new key by now.
        tokens.write().unwrap().remove(0);
        thread::sleep(Duration::from_millis(500));
    });
    seen.all_are(200);
    // One early refresh updated all workers.
    assert_eq!(world.issuer.gets(JWKS_PATH) - before, 1);
    world.envoy.assert_no_trap();
}

#[test]
fn a_withdrawn_key_is_refused_after_the_refresh_and_the_others_are_not() {
    let world = World::with(with_jwks(json!({"refresh": "1s"})), workers);
    let new = TokenMaker::generate("ES256", "key-2");
    world.issuer.publish(&[&world.key, &new]);
    let withdrawn = world.token(json!({}));
    settle(&world);
    wait_until(Duration::from_secs(5), || {
        (get(&world.envoy, &good_token(&new)).status == 200).then_some(())
    })
    .expect("the new key");
    let good = RwLock::new(vec![good_token(&new)]);
    let (mut last_taken, mut refused) = (Instant::now(), 0);
    let mut refreshed = None;
    let seen = under_load(world.envoy.address(), &good, || {
        world.issuer.publish(&[&new]);
        let published = Instant::now();
        while published.elapsed() < Duration::from_secs(5) {
            let asked = Instant::now();
            // Each on its own connection, so that every worker gets some.
            match get(&world.envoy, &withdrawn).status {
                200 => last_taken = asked,
                401 => refused += 1,
                other => panic!("{other} for a withdrawn key"),
            }
            thread::sleep(Duration::from_millis(10));
        }
        let times = world.issuer.times(JWKS_PATH);
        refreshed = times.into_iter().find(|time| *time > published);
    });
    seen.all_are(200);
    let refreshed = refreshed.expect("a refresh");
    let longer = last_taken.saturating_duration_since(refreshed);
    assert!(longer <= Duration::from_secs(1) + SLACK, "{longer:?}");
    assert!(refused > 0);
    world.envoy.assert_no_trap();
}
