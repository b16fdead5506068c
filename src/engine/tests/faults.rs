//! Faults of issuers, networks and clients, and their effects.

use std::time::Duration;

use super::issuer::{MODES, Mode, Published};
use super::settings::{SETTINGS, Settings};
use super::signer::{KeyId, SIGNER};
use super::world::{LATE, Token, World};
use crate::engine::StreamId;
use crate::keys::answer::{AnswerHead, Ending, MAX_METADATA_BYTES};
use crate::telemetry::{Event, FetchFailure, NotSent, Reason};

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
        Event::FetchFailed { failure, .. } => Some(failure.clone()),
        Event::Refused { .. }
        | Event::Reported { .. }
        | Event::KeysLoaded { .. }
        | Event::KeysSkipped { .. }
        | Event::MoreKeysSkipped { .. }
        | Event::ListLoaded { .. }
        | Event::ListNearLimit { .. }
        | Event::NoMemory { .. }
        | Event::TooOld { .. } => None,
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
            let outcome = world
                .outcome(stream)
                .expect("the request waits until its deadline");
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
fn f2_a_request_that_is_not_sent_or_not_answered_is_retried() {
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
    assert_eq!(failures(&world)[0], FetchFailure::NotSent(NotSent::NoHost));
}

#[test]
fn f3_a_fetch_from_a_slow_issuer_times_out_and_every_waiting_request_is_answered() {
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
fn f3_the_wait_for_an_answer_ends_with_its_lease() {
    let world = World::new(1, SETTINGS);
    world.pass(millis(15));
    let lost: Vec<_> = world.calls.borrow_mut().drain(..).collect();
    assert_eq!(lost.len(), 2);
    world.pass(secs(6));
    assert_eq!(world.gets_of(0), 1);
    world.pass(secs(2));
    assert!(world.all_allow(0, 0));
    // The answer arrives late, when no request waits for it any more.
    world.issuers[0].publish(&[3]);
    world.answer(&lost[0]);
    assert!(world.all_allow(0, 0));
}

#[test]
fn f4_a_large_or_encoded_body_is_refused_before_it_is_copied() {
    for (size, encoded) in [
        (MAX_METADATA_BYTES + 1, false),
        (40 << 20, false),
        (10, true),
    ] {
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
        let env = crate::engine::Env {
            now: world.now(),
            shared: &world.shared,
            host_signatures: &super::signer::Memory,
            connection: &crate::engine::NoConnection,
        };
        let _ = worker
            .engine
            .borrow_mut()
            .fetched(call.id, &head, &copy, env);
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
    // The answer is 503 for every token: cached or not, with a known key or not.
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
    let too_old = |event: &&Event| matches!(event, Event::TooOld { .. });
    let reported = world.events.borrow().iter().filter(too_old).count();
    assert_eq!(reported, 2, "once a worker");
    world.issuers[0].mode.set(Mode::Good);
    world.pass(secs(61));
    assert!(world.all_allow(0, 0));
}

#[test]
fn f12_clients_that_leave_and_late_answers_do_no_harm() {
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
    // A worker that has ended gets no answer, and a new one starts from the beginning.
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
    // The other source has its own limit of one thousand, and a client that leaves makes
    // room.
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
    // The earlier fetches do not show that an unknown `kid` is absent.
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
fn an_expired_token_is_dropped_from_the_cache_and_refused() {
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
    let env = crate::engine::Env {
        now: world.now(),
        shared: &world.shared,
        host_signatures: &super::signer::Memory,
        connection: &crate::engine::NoConnection,
    };
    let effects = worker
        .engine
        .borrow_mut()
        .request(StreamId(9999), head, env);
    let refused = effects.iter().any(|effect| {
        matches!(effect, crate::engine::Effect::Answer(answer) if answer.reason == Reason::Expired)
    });
    assert!(refused);
}
