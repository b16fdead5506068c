//! What the listeners of one worker share, and what replaced listeners release.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::issuer::Mode;
use super::settings::SETTINGS;
use super::shared::FakeShared;
use super::signer::KeyId;
use super::world::{Token, World};
use crate::config;
use crate::crypto::NoHostSignatures;
use crate::engine::{Action, Effect, Engine, Env, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::jwk::shelf;
use crate::policy::{Policy, ProviderKeys};
use crate::telemetry::Reason;
use crate::time::UnixTime;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn listeners_with_different_routes_share_key_sets_and_issuers_do_not() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(2));
    // Both issuers publish the same bytes.
    assert_eq!(shelf::count(), 2);
    let other = SETTINGS
        .configuration()
        .replace("GET /public", "GET /other");
    world.start_with(&other, SETTINGS);
    world.pass(secs(2));
    assert!(world.all_allow(0, 0) && world.all_allow(1, 0));
    assert_eq!(shelf::count(), 2);
    // A set exists as long as any listener uses it.
    world.issuers[0].publish(&[1]);
    world.pass(secs(600));
    assert!(world.all_allow(0, 1) && world.all_allow(1, 0));
    assert_eq!(shelf::count(), 2);
    world.kill(1);
    assert_eq!(shelf::count(), 2);
    world.kill(2);
    assert_eq!(shelf::count(), 0);
}

#[test]
fn requests_that_wait_in_a_replaced_listener_are_answered() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Silent);
    world.pass(secs(1));
    let old = world.worker(0);
    let waits = world.request(&old, 0, Token::Good(KeyId(0)));
    old.engine.borrow_mut().release_memory();
    assert_eq!(world.reason(waits), None);
    world.issuers[0].mode.set(Mode::Good);
    world.pass(secs(1));
    assert_eq!(world.reason(waits), Some(Reason::Allowed));
    // The same is true for requests that arrive later.
    let later = world.request(&old, 0, Token::Good(KeyId(0)));
    assert_eq!(world.reason(later), Some(Reason::Allowed));
}

#[test]
fn a_replaced_listener_caches_no_token_until_it_is_used_again() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(1));
    assert!(world.all_allow(0, 0));
    let remembered = |index: usize| world.worker(index).engine.borrow().judge.tokens.bytes();
    assert!(remembered(0) > 0);
    world.worker(0).engine.borrow_mut().release_memory();
    assert_eq!(remembered(0), 0);
    assert!(remembered(1) > 0);
    assert!(world.all_allow(0, 0));
    assert_eq!(remembered(0), remembered(1));
}

/// An issuer with one key, which is in the configuration.
struct Inline {
    pair: Ed25519KeyPair,
}

impl Inline {
    fn new() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        Self { pair }
    }

    fn policy(&self, routes: &str) -> Arc<Policy> {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        let configuration = format!(
            r#"{{"providers":[{{"name":"a","issuer":"i","audiences":"any",
                "jwks":{{"inline":{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}}}}}],
                "routes":[{routes}]}}"#
        );
        Arc::new(config::compile(configuration.as_bytes()).unwrap())
    }

    fn token(&self, number: i64) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let claims = format!(r#"{{"iss":"i","exp":{}}}"#, super::world::LATE + number);
        let signed = format!("{}.{}", encode(r#"{"alg":"EdDSA"}"#), encode(&claims));
        let signature = self.pair.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn env(shared: &FakeShared) -> Env<'_> {
    Env {
        now: UnixTime::from_secs(1_800_000_000),
        shared,
        host_signatures: &NoHostSignatures,
        connection: &crate::engine::NoConnection,
    }
}

fn has_tables(policy: &Policy) -> bool {
    policy.providers.iter().all(|(_, provider)| {
        let ProviderKeys::Inline(set) = &provider.keys else {
            panic!("no inline keys");
        };
        set.iter().all(|key| key.key().is_prepared())
    })
}

#[test]
fn tables_are_dropped_unless_another_listener_has_the_same_keys() {
    let (one, other) = (Inline::new(), Inline::new());
    let old = one.policy(r#"{"match":"GET /a"}"#);
    let mut engine = Engine::new(Arc::clone(&old), 1);
    assert!(has_tables(&old));
    // Same keys, other routes: both use one set.
    let new = one.policy(r#"{"match":"GET /b"}"#);
    assert_eq!(shelf::count(), 1);
    engine.release_memory();
    assert!(has_tables(&old) && has_tables(&new));
    drop(new);
    assert!(!has_tables(&old));
    let unrelated = other.policy(r#"{"match":"GET /b"}"#);
    assert_eq!(shelf::count(), 2);
    assert!(has_tables(&unrelated) && !has_tables(&old));
}

#[test]
fn a_listener_that_is_still_in_use_builds_its_tables_again() {
    let issuer = Inline::new();
    let policy = issuer.policy(r#"{"match":"$default"}"#);
    let mut engine = Engine::new(Arc::clone(&policy), 1);
    let shared = FakeShared::default();
    engine.release_memory();
    let allow = |engine: &mut Engine, number: i64| {
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {}", issuer.token(number))),
        ]));
        let effects = engine.request(StreamId(1), head, env(&shared));
        let answer = effects.into_iter().find_map(Effect::answer);
        let action = answer.map(|answer| answer.action);
        assert!(matches!(action, Some(Action::Forward(_))));
    };
    for number in 0..63 {
        allow(&mut engine, number);
        // Cached tokens cost no check.
        allow(&mut engine, number);
    }
    engine.tick(env(&shared));
    assert!(!has_tables(&policy));
    allow(&mut engine, 63);
    assert!(!has_tables(&policy));
    engine.tick(env(&shared));
    assert!(has_tables(&policy));
    // The tables are built once.
    engine.tick(env(&shared));
    engine.release_memory();
    engine.tick(env(&shared));
    assert!(!has_tables(&policy));
}
