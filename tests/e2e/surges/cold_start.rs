//! Requests that arrive before the first keys, or before a new key.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{
    PATIENCE, Sent, WAITING, behind_a_gate, each_is_due, good_and_bad, posts, private, statuses,
    still_works, surge_size, wait_for,
};
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::http::Request;
use crate::support::issuer::{JWKS_PATH, key_set};
use crate::support::process::wait_until;
use crate::support::server::{Answer, Gate};
use crate::support::tokens::{TokenMaker, claims};
use crate::world::{AUDIENCE, World, configuration};

#[test]
fn thousands_before_the_first_keys_pass_unchanged_or_exceed_the_limit() {
    let (world, gate) = behind_a_gate("60s", |builder| builder);
    let tokens = good_and_bad(&world);
    let requests = posts(surge_size(), &tokens);
    let sent = Sent::to(world.envoy.address(), &requests);
    wait_for(&world.envoy, WAITING);
    thread::sleep(Duration::from_secs(2));
    gate.open();
    let answers = sent.answers();
    let statuses = statuses(&answers);
    assert_eq!(statuses[&200] + statuses[&401], WAITING, "{statuses:?}");
    assert_eq!(statuses[&503], requests.len() - WAITING, "{statuses:?}");
    each_is_due(&requests, &answers, &tokens);
    assert_eq!(world.upstream.count(), statuses[&200]);
    still_works(&world);
}

#[test]
fn thousands_while_the_issuer_is_down_are_unavailable_and_the_next_pass() {
    let (mut world, gate) = behind_a_gate("15s", |builder| builder);
    let tokens = good_and_bad(&world);
    let requests = posts(surge_size(), &tokens);
    let sent = Sent::to(world.envoy.address(), &requests);
    wait_for(&world.envoy, WAITING);
    // The process is stopped for a while: all deadlines pass at once.
    world.envoy.process().signal("STOP");
    thread::sleep(Duration::from_secs(16));
    world.envoy.process().signal("CONT");
    let answers = sent.answers();
    assert_eq!(statuses(&answers)[&503], requests.len());
    each_is_due(&requests, &answers, &tokens);
    assert_eq!(world.upstream.count(), 0);
    gate.open();
    still_works(&world);
}

#[test]
fn thousands_are_forwarded_to_an_upstream_with_few_slots() {
    let (world, gate) = behind_a_gate("60s", |builder| builder.most_requests(20));
    let tokens = good_and_bad(&world);
    let mut requests = posts(surge_size(), &tokens[..1]);
    for request in &mut requests {
        *request = request.clone().header("x-echo-delay-ms", "50");
    }
    let sent = Sent::to(world.envoy.address(), &requests);
    wait_for(&world.envoy, WAITING);
    gate.open();
    let answers = sent.answers();
    let statuses = statuses(&answers);
    assert_eq!(statuses[&200] + statuses[&503], requests.len());
    let overflow = world
        .envoy
        .stat("cluster.upstream.upstream_rq_pending_overflow");
    assert!(overflow > 500, "{overflow}: {statuses:?}");
    assert_eq!(world.upstream.count(), statuses[&200]);
    still_works(&world);
}

#[test]
fn hundreds_with_a_new_key_pass_to_a_direct_response() {
    let world = World::with(
        |issuer| {
            let mut configuration = configuration(issuer);
            configuration["providers"][0]["jwks"]["timeout"] = json!("60s");
            configuration
        },
        |builder| builder,
    );
    still_works(&world);
    let new = TokenMaker::generate("ES256", "key-2");
    let gate = Gate::default();
    let both = Answer::json(&key_set(&[&world.key, &new]));
    world.issuer.answer(JWKS_PATH, both.behind(&gate));
    let token = new.token(&claims(world.issuer.name(), AUDIENCE));
    let request = Request::get("/private/answered-by-envoy").bearer(&token);
    let sent = Sent::to(world.envoy.address(), &vec![request; 900]);
    wait_for(&world.envoy, 900);
    gate.open();
    for answer in sent.answers() {
        assert_eq!(answer.expect(200).text(), "by Envoy");
    }
    still_works(&world);
}

#[test]
fn an_update_of_the_configuration_leaves_the_hundreds_that_wait() {
    let gate = Gate::default();
    let longer = |issuer: &_| {
        let mut configuration = configuration(issuer);
        configuration["providers"][0]["jwks"]["timeout"] = json!("60s");
        configuration
    };
    let world = World::with(
        |issuer| {
            issuer.change(JWKS_PATH, |keys| keys.behind(&gate));
            longer(issuer)
        },
        |builder: Builder| builder.reloadable().drain_time(120),
    );
    let tokens = good_and_bad(&world);
    let requests = posts(500, &tokens[1..]);
    let sent = Sent::to(world.envoy.address(), &requests);
    wait_for(&world.envoy, 500);
    let mut next = longer(&world.issuer);
    next["routes"][4]["access"] = json!("public");
    let listener = Listener::new("main", EdgeAuthz::new(next));
    assert!(world.envoy.reload(&[listener]));
    let in_force = wait_until(PATIENCE, || {
        (world.envoy.send(&Request::get("/closed")).status == 200).then_some(())
    });
    in_force.expect("the new configuration");
    // The clients of the new configuration wait for the same keys.
    let more = posts(500, &tokens[..1]);
    let more_sent = Sent::to(world.envoy.address(), &more);
    wait_for(&world.envoy, 1000);
    gate.open();
    for (requests, sent, status) in [(requests, sent, 401), (more, more_sent, 200)] {
        let answers = sent.answers();
        assert_eq!(statuses(&answers)[&status], 500);
        each_is_due(&requests, &answers, &tokens);
    }
    assert_eq!(world.issuer.gets(JWKS_PATH), 1);
    still_works(&world);
}

#[test]
fn the_places_of_clients_that_leave_are_free_within_a_second() {
    let (world, gate) = behind_a_gate("60s", |builder| builder);
    let token = [world.token(json!({}))];
    let sent = Sent::to(world.envoy.address(), &posts(WAITING, &token));
    wait_for(&world.envoy, WAITING);
    world.envoy.send(&private(&token[0])).expect(503);
    drop(sent);
    thread::sleep(Duration::from_secs(1));
    let sent = Sent::to(world.envoy.address(), &posts(WAITING, &token));
    wait_for(&world.envoy, WAITING);
    gate.open();
    assert_eq!(statuses(&sent.answers())[&200], WAITING);
    assert_eq!(world.upstream.count(), WAITING);
    still_works(&world);
}
