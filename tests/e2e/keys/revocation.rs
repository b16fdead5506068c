//! Revocation lists: what a real Envoy fetches, shares between workers and does without.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{SLACK, get, merge, settle, unavailable, workers};
use crate::support::issuer::Issuer;
use crate::support::process::wait_until;
use crate::support::server::Answer;
use crate::world::{World, configuration};

const LIST_PATH: &str = "/revoked.json";

/// The usual configuration with a revocation list of the same server.
fn listed(revoked: Value) -> impl Fn(&Issuer) -> Value {
    move |issuer| {
        issuer.answer(LIST_PATH, list(&json!({"jti": []}), "\"1\""));
        let mut configuration = configuration(issuer);
        let mut own = json!({
            "cluster": "issuer",
            "uri": format!("{}{LIST_PATH}", issuer.name()),
            "refresh": "1s",
            "timeout": "1s",
        });
        merge(&mut own, &revoked);
        configuration["providers"][0]["revoked"] = own;
        configuration
    }
}

fn list(list: &Value, etag: &str) -> Answer {
    Answer::json(list).header("etag", etag)
}

#[test]
fn every_worker_refuses_a_remembered_token_within_a_second_of_the_list() {
    let world = World::with(listed(json!({})), workers);
    let stolen = world.token(json!({"jti": "stolen"}));
    let other = world.token(json!({"jti": "other"}));
    settle(&world);
    for _ in 0..16 {
        get(&world.envoy, &stolen).expect(200);
    }
    // 50,000 entries, which the workers share.
    let mut ids: Vec<_> = (0..49_999).map(|n| format!("{n:050}")).collect();
    ids.push("stolen".to_owned());
    let published = Instant::now();
    world
        .issuer
        .answer(LIST_PATH, list(&json!({"jti": ids}), "\"2\""));
    let mut last_taken = published;
    let mut refused = 0;
    while published.elapsed() < Duration::from_secs(5) {
        let asked = Instant::now();
        match get(&world.envoy, &stolen).status {
            200 => last_taken = asked,
            401 => refused += 1,
            other => panic!("{other} for a revoked token"),
        }
        get(&world.envoy, &other).expect(200);
        thread::sleep(Duration::from_millis(10));
    }
    let times = world.issuer.times(LIST_PATH);
    let fetched = times.into_iter().find(|time| *time > published);
    let longer = last_taken.saturating_duration_since(fetched.expect("a fetch"));
    assert!(longer <= Duration::from_secs(1) + SLACK, "{longer:?}");
    assert!(refused > 0);
    world.envoy.assert_no_trap();
}

#[test]
fn a_list_that_has_not_changed_is_confirmed_and_not_sent() {
    let world = World::with(listed(json!({"max_stale": "3s"})), workers);
    let token = world.token(json!({}));
    settle(&world);
    let unchanged = Answer::new(304, "").header("etag", "W/\"1\"");
    world.issuer.answer(LIST_PATH, unchanged);
    thread::sleep(Duration::from_secs(6));
    // Without a confirmation, the list would be too old.
    for _ in 0..16 {
        get(&world.envoy, &token).expect(200);
    }
    let tags = world.issuer.received_fields(LIST_PATH, "if-none-match");
    assert!(tags.len() >= 5, "{tags:?}");
    assert_eq!(tags[0], None);
    assert!(tags[1..].iter().all(|tag| tag.as_deref() == Some("\"1\"")));
    world.envoy.assert_no_trap();
}

#[test]
fn without_a_list_nobody_passes_and_recovery_needs_no_restart() {
    let world = World::with(listed(json!({"max_stale": "3s"})), workers);
    let token = world.token(json!({"jti": "a"}));
    settle(&world);
    world.issuer.answer(LIST_PATH, Answer::new(500, "broken"));
    thread::sleep(Duration::from_millis(1500));
    get(&world.envoy, &token).expect(200);
    thread::sleep(Duration::from_secs(3));
    for _ in 0..8 {
        unavailable(&get(&world.envoy, &token));
    }
    world
        .issuer
        .answer(LIST_PATH, list(&json!({"jti": ["b"]}), "\"3\""));
    wait_until(Duration::from_secs(10), || {
        let all = (0..16).all(|_| get(&world.envoy, &token).status == 200);
        all.then_some(())
    })
    .expect("every worker has a list again");
    world.envoy.assert_no_trap();
}

#[test]
fn a_document_that_is_no_list_keeps_the_last_good_one() {
    let world = World::with(listed(json!({})), workers);
    let stolen = world.token(json!({"jti": "stolen"}));
    let other = world.token(json!({"jti": "other"}));
    settle(&world);
    world
        .issuer
        .answer(LIST_PATH, list(&json!({"jti": ["stolen"]}), "\"2\""));
    wait_until(Duration::from_secs(5), || {
        let all = (0..16).all(|_| get(&world.envoy, &stolen).status == 401);
        all.then_some(())
    })
    .expect("every worker has the list");
    let ids: Vec<_> = (0..500_000).map(|n| format!("{n:x}")).collect();
    for answer in [
        Answer::json(&json!({"keys": []})),
        Answer::json(&json!({"jti": ids})),
        Answer::new(200, "[".repeat(4 << 20)),
        Answer::new(200, " ".repeat(40 << 20)),
        list(&json!({"jti": []}), "\"3\"").header("content-encoding", "gzip"),
        Answer::new(302, "").header("location", "/other.json"),
        Answer::new(304, "").header("etag", "\"other\""),
    ] {
        let before = world.issuer.gets(LIST_PATH);
        world.issuer.answer(LIST_PATH, answer);
        wait_until(Duration::from_secs(90), || {
            (world.issuer.gets(LIST_PATH) > before).then_some(())
        })
        .expect("a fetch");
        thread::sleep(Duration::from_millis(500));
        get(&world.envoy, &stolen).expect(401);
        get(&world.envoy, &other).expect(200);
        // A good answer ends the back-off.
        let fetched = world.issuer.gets(LIST_PATH);
        world
            .issuer
            .answer(LIST_PATH, list(&json!({"jti": ["stolen"]}), "\"2\""));
        wait_until(Duration::from_secs(90), || {
            (world.issuer.gets(LIST_PATH) > fetched).then_some(())
        })
        .expect("another fetch");
    }
    world.envoy.assert_no_trap();
}
