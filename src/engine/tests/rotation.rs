//! Keys that are added and removed, and tokens that name them.

use std::time::Duration;

use super::settings::SETTINGS;
use super::signer::KeyId;
use super::world::{Token, World};
use crate::telemetry::Reason;

const GOOD: Token = Token::Good(KeyId(0));

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn f6_ten_thousand_made_up_kids_in_ten_seconds_cause_at_most_two_gets() {
    let world = World::new(4, SETTINGS);
    world.pass(secs(60));
    let before = [world.gets_of(0), world.gets_of(1)];
    for made_up in 0..10_000 {
        let worker = world.worker(made_up % 4);
        world.request(
            &worker,
            made_up % 2,
            Token::Forged(format!("{}", made_up % 3000)),
        );
        if made_up % 20 == 0 {
            world.pass(millis(20));
        }
        if made_up % 500 == 0 {
            // Valid tokens are not affected.
            assert!(world.all_allow(0, 0) && world.all_allow(1, 1));
        }
    }
    for source in [0, 1] {
        let gets = world.gets_of(source) - before[source];
        assert!((1..=2).contains(&gets), "{gets}");
    }
}

#[test]
fn f7_a_rotation_within_the_cool_down_is_waited_for() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(60));
    let worker = world.worker(0);
    world.request(&worker, 0, Token::Forged("made-up".into()));
    world.pass(secs(1));
    world.issuers[0].publish(&[1, 2]);
    let stream = world.request(&worker, 0, Token::Good(KeyId(2)));
    world.pass(millis(3_500));
    assert_eq!(world.reason(stream), None);
    world.pass(millis(1_000));
    assert_eq!(world.reason(stream), Some(Reason::Allowed));
}

#[test]
fn f8_a_withdrawn_key_stops_at_once_in_the_fetching_worker_and_soon_in_the_others() {
    let world = World::new(3, SETTINGS);
    world.pass(secs(60));
    assert!(world.all_allow(0, 0));
    world.issuers[0].publish(&[1]);
    // A request needs a missing key: the set is fetched again.
    let asking = world.worker(1);
    world.request(&asking, 0, Token::Forged("made-up".into()));
    let taken = world.events.borrow().len();
    while world.events.borrow().len() == taken {
        world.pass(millis(1));
    }
    let stream = world.request(&asking, 0, GOOD);
    assert_ne!(world.reason(stream), Some(Reason::Allowed));
    world.pass(secs(1));
    for index in 0..3 {
        let stream = world.request(&world.worker(index), 0, GOOD);
        assert_ne!(
            world.reason(stream),
            Some(Reason::Allowed),
            "worker {index}"
        );
    }
    assert!(world.all_allow(0, 1));
}

#[test]
fn f8_the_tokens_of_a_withdrawn_key_wait_once_and_are_then_refused_at_once() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(60));
    world.issuers[0].publish(&[1]);
    world.pass(secs(600));
    let worker = world.worker(0);
    let first = world.request(&worker, 0, GOOD);
    assert_eq!(world.reason(first), None);
    world.pass(millis(100));
    assert_eq!(world.reason(first), Some(Reason::UnknownKey));
    // New sets that other requests cause do not change this.
    for second in 0..9 {
        world.request(&worker, 0, Token::Forged(format!("made-up-{second}")));
        let again = world.request(&worker, 0, GOOD);
        assert_eq!(world.reason(again), Some(Reason::UnknownKey), "{second}");
        world.pass(secs(1));
    }
    world.pass(secs(2));
    let again = world.request(&worker, 0, GOOD);
    assert_eq!(world.reason(again), None);
}

#[test]
fn f8_a_kid_that_names_another_key_verifies_tokens_of_that_key_only() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].publish(&[4]);
    world.pass(secs(1));
    assert!(world.all_allow(0, 4));
    world.issuers[0].publish(&[5]);
    world.pass(secs(600));
    let stream = world.request(&world.worker(0), 0, Token::Good(KeyId(4)));
    assert_eq!(world.reason(stream), Some(Reason::BadSignature));
    assert!(world.all_allow(0, 5));
}

#[test]
fn f9_an_older_answer_does_not_replace_a_newer_one() {
    let world = World::new(2, SETTINGS);
    world.latency.set(None);
    world.pass(millis(30));
    let mut calls = world.calls.borrow().clone();
    calls.retain(|call| call.source == 0);
    let [late] = &calls[..] else {
        panic!("{} fetches", calls.len())
    };
    let old = world.issuers[0].answer(&late.asked.uri);
    // The host is busy for longer than a lease lasts.
    let now = world.now().saturating_add(secs(8));
    world.clock.set(now);
    let other = world.worker(usize::from(late.life == 1));
    world.tick(&other);
    world.issuers[0].publish(&[2]);
    let calls = world.calls.borrow().clone();
    let newer = calls
        .iter()
        .find(|call| call.source == 0 && call.life == other.life);
    world.answer(newer.expect("the lease is over"));
    world.answer_call(late, &old);
    world.latency.set(Some(millis(20)));
    world.pass(secs(1));
    assert!(world.all_allow(0, 2));
    for index in [0, 1] {
        let stream = world.request(&world.worker(index), 0, GOOD);
        assert_ne!(world.reason(stream), Some(Reason::Allowed));
    }
}

#[test]
fn f10_two_issuers_with_the_same_kid_have_separate_keys() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].publish(&[4]);
    world.issuers[1].publish(&[5]);
    world.pass(secs(1));
    assert_eq!(KeyId(4).kid(), KeyId(5).kid());
    assert!(world.all_allow(0, 4) && world.all_allow(1, 5));
    for (issuer, key) in [(0, 5), (1, 4)] {
        let stream = world.request(&world.worker(0), issuer, Token::Good(KeyId(key)));
        assert_eq!(world.reason(stream), Some(Reason::BadSignature));
    }
}

#[test]
fn a_set_cached_before_the_request_does_not_show_a_kid_absent() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(60));
    let worker = world.worker(0);
    let new = || world.request(&worker, 0, Token::Good(KeyId(2)));
    // The issuer has published the key, and the cache in front of it has the old set.
    world.issuers[0].age.set(30);
    let first = new();
    world.pass(millis(100));
    assert_eq!(world.reason(first), Some(Reason::UnknownKey));
    assert_eq!(world.outcome(first).unwrap().status, Some(401));
    // The next request waits for the next refresh instead of getting the same answer.
    let second = new();
    assert_eq!(world.reason(second), None);
    world.issuers[0].age.set(0);
    world.issuers[0].publish(&[0, 1, 2]);
    world.pass(millis(5_000));
    assert_eq!(world.reason(second), Some(Reason::Allowed));
}

#[test]
fn a_set_cached_after_the_request_shows_a_kid_absent() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(60));
    let worker = world.worker(0);
    let asks = |kid: &str| world.request(&worker, 0, Token::Forged(kid.to_owned()));
    // This uses up the first refresh, so the next one is 5 s later.
    asks("other");
    world.pass(millis(100));
    for (age, remembered) in [(0, true), (3, true), (4, false), (u32::MAX, false)] {
        world.pass(secs(20));
        asks("other");
        world.pass(millis(100));
        let kid = format!("made-up-{age}");
        world.issuers[0].age.set(age);
        let waits = asks(&kid);
        assert_eq!(world.reason(waits), None);
        world.pass(millis(4_950));
        assert_eq!(world.reason(waits), Some(Reason::UnknownKey), "{age}");
        let again = asks(&kid);
        let at_once = remembered.then_some(Reason::UnknownKey);
        assert_eq!(world.reason(again), at_once, "{age}");
        world.issuers[0].age.set(0);
    }
}

#[test]
fn a_set_has_the_same_age_in_all_workers() {
    let world = World::new(3, SETTINGS);
    world.pass(secs(60));
    world.issuers[0].age.set(30);
    let workers = [0, 1, 2].map(|index| world.worker(index));
    let ask = || {
        let ask = |worker| world.request(worker, 0, Token::Good(KeyId(2)));
        workers.each_ref().map(|worker| ask(worker))
    };
    let first = ask();
    world.pass(millis(200));
    for stream in first {
        assert_eq!(world.reason(stream), Some(Reason::UnknownKey));
    }
    for stream in ask() {
        assert_eq!(world.reason(stream), None);
    }
}

#[test]
fn a_kid_that_names_another_key_is_noticed_with_the_first_bad_signature() {
    let world = World::new(3, SETTINGS);
    world.issuers[0].publish(&[4]);
    world.pass(secs(60));
    assert!(world.all_allow(0, 4));
    world.issuers[0].publish(&[5]);
    let gets = world.gets_of(0);
    let stream = world.request(&world.worker(1), 0, Token::Good(KeyId(5)));
    assert_eq!(world.reason(stream), Some(Reason::BadSignature), "at once");
    // No request waits, so the tick is slow.
    assert_eq!(world.worker(1).engine.borrow().next_tick(), millis(500));
    world.pass(secs(2));
    assert!(world.all_allow(0, 5));
    assert_eq!(world.gets_of(0), gets + 1);
}

#[test]
fn any_number_of_bad_signatures_causes_one_get_a_minute() {
    let world = World::new(4, SETTINGS);
    world.pass(secs(60));
    let gets = world.gets_of(0);
    for second in 0..180 {
        for worker in 0..4 {
            for kid in ["k0", "k1"] {
                let forged = Token::Forged(kid.to_owned());
                let stream = world.request(&world.worker(worker), 0, forged);
                assert_eq!(world.reason(stream), Some(Reason::BadSignature));
            }
        }
        if second % 20 == 0 {
            assert!(world.all_allow(0, 0));
        }
        world.pass(secs(1));
    }
    assert_eq!(world.gets_of(0) - gets, 3);
}

#[test]
fn a_bad_signature_during_an_outage_causes_one_get_and_changes_nothing() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(60));
    world.issuers[0].mode.set(super::issuer::Mode::Status(500));
    let (gets, reported) = (world.gets_of(0), world.events.borrow().len());
    world.request(&world.worker(0), 0, Token::Forged("k0".into()));
    world.pass(secs(300));
    assert_eq!(world.gets_of(0) - gets, 1);
    assert!(world.all_allow(0, 0));
    let line = world.events.borrow()[reported].to_string();
    let seconds = line
        .rsplit(' ')
        .nth(1)
        .and_then(|text| text.parse::<u64>().ok());
    // The scheduled refresh is the next attempt.
    assert!(seconds.is_some_and(|seconds| seconds > 300), "{line}");
}

#[test]
fn bad_signatures_delay_a_new_key_no_longer_than_the_budget_does() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(60));
    let worker = world.worker(0);
    world.request(&worker, 0, Token::Forged("k0".into()));
    world.pass(secs(1));
    world.issuers[0].publish(&[0, 1, 2]);
    let stream = world.request(&worker, 0, Token::Good(KeyId(2)));
    world.pass(millis(4_990));
    assert_eq!(world.reason(stream), Some(Reason::Allowed));
}
