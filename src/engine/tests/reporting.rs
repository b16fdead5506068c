//! The log lines about failed fetches.

use std::time::Duration;

use super::issuer::{Mode, Published};
use super::settings::SETTINGS;
use super::signer::KeyId;
use super::world::{Token, World};
use crate::keys::answer::Ending;
use crate::telemetry::{Event, Level};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The relevant lines, starting with this event.
fn warnings(world: &World, from: usize) -> Vec<String> {
    let events = world.events.borrow();
    let matters = |event: &&Event| event.level() >= Level::Warn;
    let lines = events.iter().skip(from).filter(matters);
    lines.map(ToString::to_string).collect()
}

/// The lines about the first fetch of the first source if it is answered with this body.
fn lines_about(body: &str) -> Vec<String> {
    let world = World::new(1, SETTINGS);
    world.latency.set(None);
    world.pass(millis(30));
    let call = world.calls.borrow()[0].clone();
    assert_eq!(call.source, 0);
    let mut answer = Published::ending(Ending::Status(200));
    (answer.head.body_size, answer.body) = (body.len(), body.into());
    answer.set = Some(Vec::new());
    world.answer_call(&call, &answer);
    warnings(&world, 0)
}

#[test]
fn a_failure_names_the_location_the_cluster_the_cause_and_the_next_attempt() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Status(500));
    world.pass(millis(100));
    let lines = warnings(&world, 0);
    assert_eq!(
        lines,
        [
            "provider `a`: fetching keys failed: `https://a.example/keys` through the cluster `a`: \
             the issuer answered 500, not 200; no keys are available, its tokens are answered 503; \
             next attempt in 1 s"
        ]
    );
}

#[test]
fn discovery_names_the_location_that_failed() {
    let world = World::new(1, SETTINGS);
    world.issuers[1].metadata_at.set("/nowhere");
    world.pass(millis(200));
    let lines = warnings(&world, 0);
    let place =
        "`https://b.example/.well-known/oauth-authorization-server` through the cluster `b`: ";
    assert!(lines[0].contains(place), "{lines:?}");
}

#[test]
fn a_set_that_is_too_large_says_so() {
    let keys = |count| format!(r#"{{"keys":[{}]}}"#, vec!["{}"; count].join(","));
    let [line] = &*lines_about(&keys(257)) else {
        panic!("one line")
    };
    assert!(line.contains("257 keys, more than 256"), "{line}");
    let [line] = &*lines_about(&" ".repeat(512 * 1024 + 1)) else {
        panic!("one line")
    };
    assert!(
        line.contains("the response is larger than 524288 bytes"),
        "{line}"
    );
    let [line] = &*lines_about("<html>") else {
        panic!("one line")
    };
    let html = "not a usable JWK Set: not valid JSON (line 1, column 1)";
    assert!(line.contains(html), "{line}");
}

#[test]
fn if_no_key_is_usable_each_reason_is_logged() {
    let body = r#"{"keys":[{"kty":"X"},{"kty":"oct","k":"AAAA"},{"kty":"Y"},{}]}"#;
    let lines = lines_about(body);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(
        lines[0].contains("none of the 4 keys of the set can be used"),
        "{lines:?}"
    );
    assert_eq!(
        lines[1..],
        [
            "provider `a`: keys 0 and 2 of the set are not used: unknown `kty`",
            "provider `a`: key 1 of the set is not used: a shared key in a published set",
            "provider `a`: key 3 of the set is not used: no `kty`",
        ]
    );
    let [line] = &*lines_about(r#"{"keys":[]}"#) else {
        panic!("one line")
    };
    assert!(line.contains("no keys"), "{line}");
}

#[test]
fn the_reasons_of_one_set_are_at_most_eight_lines() {
    let rsa = |bytes: usize| {
        let n = "q".repeat(bytes * 4);
        format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#)
    };
    let set = |count: usize| {
        let keys: Vec<String> = (1..=count)
            .flat_map(|size| [rsa(size), rsa(size)])
            .collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    };
    let eight = lines_about(&set(8));
    assert_eq!(eight.len(), 9, "{eight:?}");
    assert!(eight[8].contains("keys 14 and 15 of the set are not used: RSA modulus of"));
    let many = lines_about(&set(20));
    assert_eq!(many.len(), 9, "{many:?}");
    let last = "provider `a`: 26 more keys of the set are not used, for other reasons";
    assert_eq!(many[8], last);
}

#[test]
fn after_a_failed_early_refresh_the_next_attempt_is_the_next_early_one() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(60));
    world.issuers[0].mode.set(Mode::Status(500));
    let before = world.events.borrow().len();
    let worker = world.worker(0);
    let stream = world.request(&worker, 0, Token::Good(KeyId(2)));
    world.pass(millis(100));
    let lines = warnings(&world, before);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].ends_with("the last good keys are used; next attempt in 5 s"),
        "{lines:?}"
    );
    // No request waits any more: the scheduled refresh is the next one.
    world.leave(&worker, stream);
    world.pass(secs(5));
    world.latency.set(None);
    let again = world.request(&worker, 0, Token::Good(KeyId(2)));
    world.pass(millis(15));
    world.leave(&worker, again);
    world.pass(secs(1));
    let call = world.calls.borrow()[0].clone();
    world.answer(&call);
    let lines = warnings(&world, before);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let seconds = lines[1]
        .rsplit(' ')
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 300), "{lines:?}");
}

#[test]
fn only_fetches_for_a_kid_bypass_caches() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(1200));
    let fresh = |world: &World| {
        let gets = world.gets.borrow();
        let gets = gets.iter().filter(|get| get.source == 0);
        gets.map(|get| get.asked.fresh).collect::<Vec<_>>()
    };
    assert_eq!(fresh(&world), [false; 3]);
    world.request(&world.worker(0), 0, Token::Good(KeyId(2)));
    world.pass(millis(100));
    assert_eq!(fresh(&world), [false, false, false, true]);
}
