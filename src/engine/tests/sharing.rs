//! Several workers that share one fetch.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::issuer::Mode;
use super::settings::{SETTINGS, Settings};
use super::signer::KeyId;
use super::world::{Token, World};
use crate::telemetry::Reason;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn eight_workers_and_the_main_thread_send_one_get_per_refresh() {
    let world = World::new(9, SETTINGS);
    world.pass(secs(2));
    assert_eq!((world.gets_of(0), world.gets_of(1)), (1, 2));
    assert!(world.all_allow(0, 0) && world.all_allow(1, 0));
    for refreshes in 1..5 {
        world.pass(secs(540));
        assert_eq!(world.gets_of(0), 1 + refreshes);
    }
}

#[test]
fn two_workers_that_start_together_send_one_get_in_every_interleaving() {
    // The second worker starts and ticks between two calls of the first one, and ticks
    // again between any two later calls.
    for start_at in 0..12 {
        for (ticks, tick_from) in [(0, 0), (0, 7), (1, 0), (2, 9), (3, 0), (3, 50)] {
            let world = World::new(0, SETTINGS);
            let calls = Cell::new(0);
            let second = RefCell::new(None);
            let others = Rc::downgrade(&world);
            world.shared.interleave(Rc::new(move || {
                let Some(world) = others.upgrade() else {
                    return;
                };
                let call = calls.get();
                calls.set(call + 1);
                if call == start_at {
                    let started = world.start(SETTINGS);
                    for _ in 0..ticks {
                        world.tick(&started);
                    }
                    *second.borrow_mut() = Some(started);
                } else if call >= tick_from
                    && let Some(second) = &*second.borrow()
                {
                    world.tick(second);
                }
            }));
            let first = world.start(SETTINGS);
            for _ in 0..4 {
                world.tick(&first);
            }
            world.shared.stop_interleaving();
            world.pass(secs(2));
            let gets = (world.gets_of(0), world.gets_of(1));
            assert_eq!(gets, (1, 2), "{start_at} {ticks} {tick_from}");
            assert!(world.all_allow(0, 0));
        }
    }
}

#[test]
fn a_host_that_compares_numbers_of_missing_entries_works_too() {
    let world = World::new(0, SETTINGS);
    world.shared.strict.set(true);
    for _ in 0..3 {
        world.start(SETTINGS);
    }
    world.pass(secs(2));
    assert_eq!(world.gets_of(0), 1);
    assert!(world.all_allow(0, 0));
}

#[test]
fn without_shared_data_every_worker_fetches_for_itself() {
    for (unreadable, unwritable) in [(true, true), (true, false), (false, true)] {
        let world = World::new(0, SETTINGS);
        world.model.borrow_mut().alone = true;
        world.shared.unreadable.set(unreadable);
        world.shared.unwritable.set(unwritable);
        for _ in 0..3 {
            world.start(SETTINGS);
        }
        world.pass(secs(300));
        assert_eq!(world.gets_of(0), 3, "{unreadable} {unwritable}");
        assert!(world.all_allow(0, 0) && world.all_allow(1, 0));
        world.issuers[0].mode.set(Mode::Status(500));
        world.pass(secs(600));
        assert!(world.all_allow(0, 0));
        assert!(world.gets_of(0) < 40, "they back off: {}", world.gets_of(0));
    }
}

#[test]
fn a_reload_during_an_outage_refuses_no_good_token() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(10));
    world.issuers[0].mode.set(Mode::NoAnswer);
    world.pass(secs(3600));
    world.kill(1);
    world.kill(2);
    world.start(SETTINGS);
    assert!(world.all_allow(0, 0));
    // The age is kept: `max_stale` counts from the last successful fetch.
    world.slowness.set(secs(10));
    world.pass(secs(24 * 3600));
    assert!(!world.all_allow(0, 0));
}

#[test]
fn a_new_configuration_starts_with_the_keys_of_the_old_one() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(10));
    let brief = Settings {
        timeout: secs(1),
        refresh: secs(60),
        max_stale: secs(7200),
    };
    let new = world.start(brief);
    let stream = world.request(&new, 0, Token::Good(KeyId(0)));
    assert_eq!(world.reason(stream), Some(Reason::Allowed));
    assert_eq!(world.gets_of(0), 1);
}

#[test]
fn a_configuration_with_a_shorter_timeout_does_not_fetch_beside_the_old_one() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Silent);
    world.pass(millis(100));
    world.start(Settings {
        timeout: secs(1),
        ..SETTINGS
    });
    world.pass(secs(4));
    assert_eq!(world.gets_of(0), 1);
}

#[test]
fn the_lease_of_a_worker_that_has_died_ends_by_itself() {
    let world = World::new(2, SETTINGS);
    world.latency.set(None);
    world.pass(millis(30));
    let holder = world.calls.borrow()[0].life;
    world.kill(holder);
    world.latency.set(Some(millis(20)));
    let stream = world.request(&world.worker(0), 0, Token::Good(KeyId(0)));
    world.pass(millis(4_900));
    assert_eq!(world.reason(stream), None);
    world.pass(millis(3_000));
    assert!(world.all_allow(0, 0));
    assert_eq!(world.gets_of(0), 2);
}

#[test]
fn foreign_writes_to_the_shared_data_cause_a_fetch_and_refuse_no_good_token() {
    for end in ["/state", "/keys"] {
        for garbage in [&b""[..], b"another plugin's", &[1; 300]] {
            let world = World::new(2, SETTINGS);
            world.pass(secs(10));
            world.model.borrow_mut().sabotaged = true;
            for name in world.shared.names(end) {
                world.shared.sabotage(&name, garbage);
            }
            world.pass(secs(2));
            assert!(world.all_allow(0, 0) && world.all_allow(1, 0), "{end}");
            assert!(world.gets_of(0) <= 2, "{end}");
            // A worker that starts later finds keys, or fetches them.
            world.start(SETTINGS);
            world.pass(millis(600));
            assert!(world.all_allow(0, 0), "{end}");
            assert!(world.gets_of(0) <= 2, "{end}");
        }
    }
}

#[test]
fn a_lease_survives_foreign_writes() {
    let world = World::new(2, SETTINGS);
    world.latency.set(None);
    world.pass(millis(600));
    world.model.borrow_mut().sabotaged = true;
    for name in world.shared.names("/state") {
        world.shared.sabotage(&name, b"another plugin's");
    }
    world.pass(secs(2));
    assert_eq!(world.gets_of(0), 1);
    let calls = world.calls.borrow().clone();
    world.answer(calls.iter().find(|call| call.source == 0).unwrap());
    world.pass(secs(1));
    assert!(world.all_allow(0, 0));
}

#[test]
fn the_first_good_answer_of_an_issuer_that_was_down_at_the_start_is_used_at_once() {
    let world = World::new(4, SETTINGS);
    for issuer in &world.issuers {
        issuer.mode.set(Mode::NoAnswer);
    }
    world.pass(secs(120));
    // The back-off is at most five seconds for all workers together.
    assert!((20..40).contains(&world.gets_of(0)), "{}", world.gets_of(0));
    let stream = world.request(&world.worker(3), 0, Token::Good(KeyId(0)));
    world.pass(millis(5_020));
    assert_eq!(
        world.outcome(stream).and_then(|known| known.status),
        Some(503)
    );
    world.issuers[0].mode.set(Mode::Good);
    let stream = world.request(&world.worker(2), 0, Token::Good(KeyId(0)));
    world.pass(millis(5_020));
    assert_eq!(world.reason(stream), Some(Reason::Allowed));
    world.pass(secs(1));
    assert!(world.all_allow(0, 0));
}

#[test]
fn an_idle_worker_ticks_slowly_whether_it_has_keys_or_not() {
    for mode in [Mode::Good, Mode::NoAnswer] {
        let world = World::new(1, SETTINGS);
        for issuer in &world.issuers {
            issuer.mode.set(mode);
        }
        world.pass(secs(10));
        let gets = world.shared.gets.get();
        world.pass(secs(10));
        let visits = world.shared.gets.get() - gets;
        assert!(visits <= 2 * 20 + 10, "{mode:?}: {visits}");
        // A request waits: then every tick reads the record.
        world.issuers[0].mode.set(Mode::NoAnswer);
        world.request(&world.worker(0), 0, Token::Good(KeyId(3)));
        assert_eq!(world.worker(0).engine.borrow().next_tick(), millis(10));
    }
}

#[test]
fn a_request_waits_once_for_two_providers_with_one_key_source() {
    let configuration = r#"{"providers":[
        {"name":"one","issuer":"https://a.example","audiences":["other"],
         "jwks":{"cluster":"a","uri":"https://a.example/keys"}},
        {"name":"two","issuer":"https://a.example","audiences":["api"],
         "jwks":{"cluster":"a","uri":"https://a.example/keys"}}],
       "routes":[{"match":"$default"}]}"#;
    let world = World::new(0, SETTINGS);
    world.latency.set(None);
    let worker = world.start_with(configuration, SETTINGS);
    let streams: Vec<_> = (0..1000)
        .map(|_| world.request(&worker, 0, Token::Good(KeyId(0))))
        .collect();
    assert!(streams.iter().all(|stream| world.reason(*stream).is_none()));
    world.latency.set(Some(millis(20)));
    world.pass(millis(100));
    let allowed = |stream| world.reason(stream) == Some(Reason::Allowed);
    assert!(streams.iter().all(|stream| allowed(*stream)));
}
