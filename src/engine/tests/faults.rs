//! What issuers, networks and clients do wrong, and what comes of it.

use std::time::Duration;

use super::issuer::{MODES, Mode, Published};
use super::signer::{KeyId, SIGNER};
use super::world::{LATE, SETTINGS, Settings, Token, World};
use crate::engine::StreamId;
use crate::keys::answer::{AnswerHead, Ending, MAX_BODY_BYTES};
use crate::telemetry::{Event, FetchFailure, Reason};

const GOOD: Token = Token::Good(KeyId(0));

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn failures(world: &World) -> Vec<FetchFailure> {
    let events = world.events.borrow();
    let failure = |event: &Event| match event {
        Event::FetchFailed { failure, .. } => Some(*failure),
        Event::Refused { .. }
        | Event::KeysTaken { .. }
        | Event::KeySkipped { .. }
        | Event::KeysTooOld { .. } => None,
    };
    events.iter().filter_map(failure).collect()
}

#[test]
fn f1_any_answer_but_a_200_keeps_the_last_good_keys() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(1));
    for status in [500, 404, 403, 204, 301, 302, 307] {
        world.issuers[0].mode.set(Mode::Status(status));
        world.pass(secs(700));
        assert!(world.all_allow(0, 0), "{status}");
        assert!(failures(&world).contains(&FetchFailure::Status(status)));
    }
}

#[test]
fn f1_a_redirect_is_not_followed() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Status(302));
    world.pass(secs(60));
    let paths = world.paths_of(0);
    assert!(paths.iter().all(|path| path == "/keys"), "{paths:?}");
}

#[test]
fn f1_without_keys_a_failure_is_503_and_not_401() {
    for mode in MODES.into_iter().filter(|mode| *mode != Mode::Good) {
        let world = World::new(2, SETTINGS);
        for issuer in &world.issuers {
            issuer.mode.set(mode);
        }
        world.pass(secs(1));
        let streams = [0, 1].map(|issuer| world.request(&world.worker(1), issuer, GOOD));
        world.pass(millis(5_020));
        for stream in streams {
            let outcome = world.outcome(stream).expect("it waits to its deadline");
            assert_eq!(outcome.status, Some(503), "{mode:?}");
            assert!(
                outcome
                    .retry_after
                    .is_some_and(|secs| (1..=5).contains(&secs))
            );
        }
    }
}

#[test]
fn f2_a_request_that_is_not_sent_or_not_answered_is_tried_again() {
    for mode in [Mode::NotSent, Mode::NoAnswer] {
        let world = World::new(1, SETTINGS);
        world.issuers[0].mode.set(mode);
        world.pass(secs(1));
        let stream = world.request(&world.worker(0), 0, GOOD);
        world.issuers[0].mode.set(Mode::Good);
        world.pass(secs(2));
        assert_eq!(world.reason(stream), Some(Reason::Allowed), "{mode:?}");
    }
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::NotSent);
    world.pass(secs(1));
    assert_eq!(failures(&world)[0], FetchFailure::NotSent);
}

#[test]
fn f3_a_slow_issuer_is_given_up_and_everybody_who_waits_is_answered() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Silent);
    let streams: Vec<StreamId> = (0..20)
        .map(|_| world.request(&world.worker(0), 0, GOOD))
        .collect();
    world.pass(millis(5_020));
    for stream in streams {
        assert_eq!(world.reason(stream), Some(Reason::KeysUnavailable));
    }
    assert_eq!(failures(&world), [FetchFailure::Status(504)]);
}

#[test]
fn f3_an_answer_that_never_comes_is_waited_for_as_long_as_its_lease() {
    let world = World::new(1, SETTINGS);
    world.pass(millis(15));
    let lost: Vec<_> = world.calls.borrow_mut().drain(..).collect();
    assert_eq!(lost.len(), 2);
    world.pass(secs(6));
    assert_eq!(world.gets_of(0), 1);
    world.pass(secs(2));
    assert!(world.all_allow(0, 0));
    // It comes after all, and nobody asks for it any more.
    world.issuers[0].publish(&[3]);
    world.answer(&lost[0]);
    assert!(world.all_allow(0, 0));
}

#[test]
fn f4_a_large_or_encoded_body_is_refused_before_it_is_copied() {
    for (size, encoded) in [(MAX_BODY_BYTES + 1, false), (40 << 20, false), (10, true)] {
        let world = World::new(1, SETTINGS);
        world.pass(millis(15));
        let worker = world.worker(0);
        let call = world.calls.borrow()[0].asked.clone();
        let head = AnswerHead {
            ending: Ending::Status(200),
            body_size: size,
            encoded,
            ..AnswerHead::default()
        };
        let copy = || -> Option<Vec<u8>> { panic!("the body is copied") };
        let around = crate::engine::Surroundings {
            now: world.now(),
            shared: &world.shared,
            native: &super::signer::Memory,
        };
        let _ = worker
            .engine
            .borrow_mut()
            .fetched(call.id, &head, &copy, around);
    }
}

#[test]
fn f5_a_page_an_empty_set_or_one_without_usable_keys_replaces_nothing() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(1));
    let symmetric = r#"{"keys":[{"kty":"oct","kid":"k0","k":"c2VjcmV0"}]}"#;
    for body in ["<html>", "{}", r#"{"keys":[]}"#, "[]", "", symmetric] {
        world.latency.set(None);
        while world.calls.borrow().is_empty() {
            world.pass(secs(1));
        }
        let call = world.calls.borrow()[0].clone();
        let mut answer = Published::ending(Ending::Status(200));
        (answer.head.body_size, answer.body) = (body.len(), body.into());
        world.answer_call(&call, &answer);
        assert!(world.all_allow(call.source, 0), "{body}");
        world.latency.set(Some(millis(20)));
        world.pass(secs(70));
    }
}

#[test]
fn f6_ten_thousand_made_up_kids_in_ten_seconds_are_at_most_two_gets() {
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
            // Good tokens do not notice.
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
fn f8_a_withdrawn_key_stops_at_once_where_the_set_was_taken_and_soon_elsewhere() {
    let world = World::new(3, SETTINGS);
    world.pass(secs(60));
    assert!(world.all_allow(0, 0));
    world.issuers[0].publish(&[1]);
    // Somebody asks for a key that is not there: the set is fetched again.
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
    // New sets, asked for by others, change nothing in that.
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
fn f10_two_issuers_with_one_kid_have_each_its_own_key() {
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
fn f11_the_last_good_keys_serve_until_max_stale_then_503_and_then_again() {
    let settings = Settings {
        max_stale: secs(3600),
        ..SETTINGS
    };
    let world = World::new(2, settings);
    world.pass(secs(1));
    world.issuers[0].mode.set(Mode::Status(500));
    world.pass(secs(3590));
    assert!(world.all_allow(0, 0));
    world.pass(secs(20));
    // Remembered or not, with a known key or not: 503.
    let worker = world.worker(0);
    let streams = [
        world.request(&worker, 0, GOOD),
        world.request(&worker, 0, Token::Forged("made-up".into())),
        world.request(&worker, 0, Token::Forged("k0".into())),
    ];
    world.pass(millis(5_020));
    for stream in streams {
        assert_eq!(world.reason(stream), Some(Reason::KeysUnavailable));
    }
    let too_old = |event: &&Event| matches!(event, Event::KeysTooOld { .. });
    let told = world.events.borrow().iter().filter(too_old).count();
    assert_eq!(told, 2, "once a worker");
    world.issuers[0].mode.set(Mode::Good);
    world.pass(secs(61));
    assert!(world.all_allow(0, 0));
}

#[test]
fn f12_clients_that_leave_and_answers_that_nobody_waits_for_do_no_harm() {
    let world = World::new(2, SETTINGS);
    world.latency.set(None);
    let worker = world.worker(0);
    let stream = world.request(&worker, 0, GOOD);
    world.pass(millis(30));
    world.leave(&worker, stream);
    world.leave(&worker, stream);
    world.leave(&worker, StreamId(77));
    let calls = world.calls.borrow().clone();
    for call in calls.iter().chain(&calls) {
        world.answer(call);
    }
    assert_eq!(world.reason(stream), None);
    assert!(world.worker(0).waits.borrow().requests.is_empty());
    // A worker that has gone gets no answer, and a new one begins anew.
    world.latency.set(Some(millis(20)));
    world.issuers[0].publish(&[1, 2]);
    world.kill(1);
    world.kill(2);
    for call in &calls {
        world.answer(call);
    }
    world.start(SETTINGS);
    world.pass(secs(1));
    assert!(world.all_allow(0, 1));
}

#[test]
fn f14_a_thousand_requests_wait_for_a_source_and_the_rest_are_503() {
    let world = World::new(1, SETTINGS);
    world.latency.set(None);
    let worker = world.worker(0);
    let waiting: Vec<_> = (0..1000).map(|_| world.request(&worker, 0, GOOD)).collect();
    let refused = world.request(&worker, 0, GOOD);
    let outcome = world.outcome(refused).unwrap();
    assert_eq!(outcome.reason, Reason::TooManyWaiting);
    assert_eq!((outcome.status, outcome.retry_after), (Some(503), Some(1)));
    // The other source has its own thousand, and a client that leaves makes room.
    let other = world.request(&worker, 1, GOOD);
    assert_eq!(world.reason(other), None);
    world.leave(&worker, waiting[3]);
    let instead = world.request(&worker, 0, GOOD);
    assert_eq!(world.reason(instead), None);
    world.latency.set(Some(millis(20)));
    world.pass(millis(100));
    assert_eq!(world.reason(instead), Some(Reason::Allowed));
    assert_eq!(world.reason(waiting[999]), Some(Reason::Allowed));
}

#[test]
fn f15_a_clock_set_back_an_hour_stalls_no_refresh_and_revives_no_keys() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(60));
    world.model.borrow_mut().jumped = true;
    world.set_clock(|at| at.saturating_sub(secs(3600)));
    world.issuers[0].publish(&[1]);
    let gets = world.gets_of(0);
    world.pass(secs(2));
    assert_eq!(world.gets_of(0), gets + 1, "one refresh, at once");
    let stream = world.request(&world.worker(1), 0, GOOD);
    assert_ne!(world.reason(stream), Some(Reason::Allowed));
    assert!(world.all_allow(0, 1));
    // And an unknown `kid` is not shown to be absent by what came before.
    let unknown = world.request(&world.worker(0), 0, Token::Good(KeyId(3)));
    assert_eq!(world.reason(unknown), None);
    world.issuers[0].publish(&[1, 3]);
    world.pass(millis(5_020));
    assert_eq!(world.reason(unknown), Some(Reason::Allowed));
}

#[test]
fn f15_a_request_that_waits_while_the_clock_is_set_back_waits_no_longer() {
    let world = World::new(1, SETTINGS);
    world.issuers[0].mode.set(Mode::Silent);
    let stream = world.request(&world.worker(0), 0, GOOD);
    world.pass(secs(1));
    world.model.borrow_mut().jumped = true;
    world.set_clock(|at| at.saturating_sub(secs(3600)));
    world.pass(millis(5_020));
    assert_eq!(world.reason(stream), Some(Reason::KeysUnavailable));
}

#[test]
fn an_expired_token_is_remembered_no_longer_and_refused() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(1));
    let soon = world.now().as_secs() + 30;
    let text = SIGNER.with(|signer| signer.good("https://a.example", KeyId(0), soon));
    let worker = world.worker(0);
    assert!(soon < LATE);
    let allowed = world.request_with(&worker, 0, GOOD, &text);
    assert_eq!(world.reason(allowed), Some(Reason::Allowed));
    world.pass(secs(100));
    let head = crate::http::RequestHead::new(crate::http::HeaderMap::from_pairs([
        (":method", "GET"),
        (":path", "/"),
        ("authorization", &format!("Bearer {text}")),
    ]));
    let around = crate::engine::Surroundings {
        now: world.now(),
        shared: &world.shared,
        native: &super::signer::Memory,
    };
    let effects = worker
        .engine
        .borrow_mut()
        .request(StreamId(9999), head, around);
    let refused = effects.iter().any(|effect| {
        matches!(effect, crate::engine::Effect::Answer(answer) if answer.reason == Reason::Expired)
    });
    assert!(refused);
}
