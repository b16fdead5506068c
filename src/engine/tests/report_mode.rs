//! Requests that pass although they would be refused or wait.

use std::rc::Rc;
use std::time::Duration;

use super::issuer::Mode;
use super::settings::SETTINGS;
use super::signer::KeyId;
use super::world::{Token, Worker, World};
use crate::engine::StreamId;
use crate::telemetry::Reason;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A world whose workers only report, at the beginning of their first fetch.
fn world(workers: usize) -> Rc<World> {
    let world = World::new(0, SETTINGS);
    let configuration = SETTINGS.configuration();
    let configuration = configuration.replacen('{', r#"{"mode":"report","#, 1);
    for _ in 0..workers {
        world.start_with(&configuration, SETTINGS);
    }
    world
}

/// Sends a request and checks that it passes at once. Returns why it would not have.
fn reported(world: &World, worker: &Worker, token: Token) -> Option<Reason> {
    let stream = world.request(worker, 0, token);
    let outcome = world.outcome(stream).expect("a request that waits");
    assert_eq!(outcome.status, None);
    outcome.reported
}

fn made_up(kid: &impl ToString) -> Token {
    Token::Forged(kid.to_string())
}

/// A world in which a request has just needed a `kid` that the keys lack, and a function
/// that sends such a request again.
fn world_with_an_unknown_kid() -> (Rc<World>, impl Fn() -> Option<Reason>) {
    let world = world(1);
    world.pass(secs(60));
    let (again, worker) = (Rc::clone(&world), world.worker(0));
    let asked = move || reported(&again, &worker, made_up(&"gone"));
    assert_eq!(asked(), Some(Reason::KeysUnavailable));
    (world, asked)
}

#[test]
fn before_the_first_keys_no_request_waits() {
    let world = world(2);
    let worker = world.worker(0);
    let good = || Token::Good(KeyId(0));
    assert_eq!(
        reported(&world, &worker, good()),
        Some(Reason::KeysUnavailable)
    );
    world.pass(secs(1));
    assert_eq!(reported(&world, &worker, good()), None);
    let stream = world.request(&worker, 0, good());
    assert_eq!(world.reason(stream), Some(Reason::Allowed));
}

#[test]
fn while_the_issuer_is_down_nothing_is_refused() {
    let world = world(1);
    world.issuers[0].mode.set(Mode::Status(500));
    let worker = world.worker(0);
    for _ in 0..100 {
        world.pass(secs(1));
        let reason = reported(&world, &worker, made_up(&"k"));
        assert_eq!(reason, Some(Reason::KeysUnavailable));
    }
    // The back-off is that of enforced policies.
    assert!((20..40).contains(&world.gets_of(0)), "{}", world.gets_of(0));
}

#[test]
fn an_unknown_kid_causes_a_fetch_without_a_request_that_waits() {
    let world = world(2);
    world.pass(secs(60));
    let worker = world.worker(1);
    world.issuers[0].publish(&[0, 2]);
    let rotated = || Token::Good(KeyId(2));
    assert_eq!(
        reported(&world, &worker, rotated()),
        Some(Reason::KeysUnavailable)
    );
    // Sources are visited twice a second.
    world.pass(secs(1));
    assert_eq!(reported(&world, &worker, rotated()), None);
    assert_eq!(world.gets_of(0), 2);
    assert_eq!(reported(&world, &world.worker(0), rotated()), None);
}

#[test]
fn a_kid_that_the_new_keys_lack_is_unknown_for_ten_seconds() {
    let (world, asked) = world_with_an_unknown_kid();
    world.pass(secs(1));
    assert_eq!(asked(), Some(Reason::UnknownKey));
    let gets = world.gets_of(0);
    world.pass(secs(8));
    assert_eq!(asked(), Some(Reason::UnknownKey));
    assert_eq!(world.gets_of(0), gets);
    world.pass(secs(3));
    assert_eq!(asked(), Some(Reason::KeysUnavailable));
}

#[test]
fn keys_that_a_cache_stored_before_the_request_decide_nothing() {
    let world = world(1);
    world.pass(secs(60));
    let worker = world.worker(0);
    world.issuers[0].age.set(30);
    assert_eq!(
        reported(&world, &worker, made_up(&"gone")),
        Some(Reason::KeysUnavailable)
    );
    world.pass(secs(1));
    assert_eq!(
        reported(&world, &worker, made_up(&"gone")),
        Some(Reason::KeysUnavailable)
    );
}

#[test]
fn a_hundred_thousand_made_up_kids_cause_at_most_two_gets_in_ten_seconds() {
    let world = world(3);
    world.pass(secs(60));
    let before = world.gets_of(0);
    for number in 0..100_000 {
        let worker = world.worker(number % 3);
        let reason = reported(&world, &worker, made_up(&number));
        assert!(matches!(
            reason,
            Some(Reason::KeysUnavailable | Reason::UnknownKey)
        ));
        if number % 1000 == 0 {
            world.pass(millis(99));
            // Valid tokens are not affected.
            assert!(world.all_allow(0, 0));
        }
    }
    let gets = world.gets_of(0) - before;
    assert!((1..=2).contains(&gets), "{gets}");
}

#[test]
fn the_need_for_a_kid_ends_when_a_request_would_have_stopped_waiting() {
    let world = world(1);
    world.pass(secs(60));
    let worker = world.worker(0);
    world.issuers[0].mode.set(Mode::Status(500));
    let before = world.gets_of(0);
    reported(&world, &worker, made_up(&"k"));
    world.pass(secs(300));
    let gets = world.gets_of(0) - before;
    assert!((1..=2).contains(&gets), "{gets}");
}

#[test]
fn a_kid_that_new_keys_lack_is_unknown_although_the_clock_was_set_back() {
    let (world, asked) = world_with_an_unknown_kid();
    world.model.borrow_mut().jumped = true;
    world.set_clock(|now| now.saturating_sub(secs(100)));
    world.pass(secs(1));
    assert_eq!(asked(), Some(Reason::UnknownKey));
}

#[test]
fn requests_that_would_wait_hold_no_memory() {
    let world = world(1);
    let worker = world.worker(0);
    for number in 0..10_000 {
        let reason = reported(&world, &worker, made_up(&number));
        assert_eq!(reason, Some(Reason::KeysUnavailable));
    }
    assert_eq!(worker.waits.borrow().gauge, 0);
    assert!(
        worker
            .engine
            .borrow()
            .cors_of_waiting(StreamId(0))
            .is_none()
    );
}
