//! Policies that are activated, are superseded, or cannot be activated.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Fallback, HostError, Settler};
use super::exchange::failures;
use super::issuer::{Issuer, fetched, inline};
use super::proxy::Proxy;
use super::world::{Call, Failure, Fault, Held, Phase, START};
use crate::engine::StreamId;

fn private(proxy: &mut Proxy, token: &str) -> StreamId {
    proxy.request(&[
        (":method", "GET"),
        (":path", "/private"),
        (":authority", "api.example"),
        ("authorization", &format!("Bearer {token}")),
    ])
}

#[test]
fn a_policy_without_a_clock_or_ticks_is_not_activated() {
    for call in [Call::Time, Call::TickPeriod] {
        let mut proxy = Proxy::new();
        proxy.world().fault = Some(Fault {
            call,
            failure: Failure::Error(HostError::NoFunction),
            phase: Phase::Start,
            after: 0,
        });
        assert!(!proxy.configure(&fetched()), "{call:?}");
    }
}

#[test]
fn the_fallback_refuses_and_counts_at_once() {
    for failing in [None, Some(Call::Reply)] {
        let proxy = Proxy::new();
        proxy.world().phase = Some(Phase::RequestHeaders);
        proxy.world().fault = failing.map(|call| Fault {
            call,
            failure: Failure::Error(HostError::NoFunction),
            phase: Phase::RequestHeaders,
            after: 0,
        });
        let id = StreamId(1);
        proxy.world().streams.insert(id, Held::default());
        Fallback::new(proxy.host.clone()).refuse(&proxy.host.exchange(id));
        let (status, is_reset) = (proxy.status_of(id), proxy.held(id, |held| held.reset));
        let expected = match failing {
            None => (Some(503), false),
            Some(_) => (None, true),
        };
        assert_eq!((status, is_reset), expected);
        assert_eq!(proxy.reported("edge_authz.requests.internal_error.none"), 1);
    }
}

#[test]
fn a_superseded_policy_makes_no_later_decisions() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let waits = private(&mut proxy, &issuer.token(START));
    assert!(proxy.configure(&inline(&Issuer::new("k2"))));
    assert_eq!(proxy.status_of(waits), Some(503));
    assert!(!proxy.body(waits));
}

/// A connection may still use the former configuration.
#[test]
fn a_request_to_a_superseded_policy_is_judged_or_refused_but_never_waits() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let driver = proxy.driver();
    assert!(proxy.configure(&inline(&issuer)));
    let waits = proxy.request_to(&driver, "/private", &issuer.token(START));
    assert_eq!(proxy.status_of(waits), Some(503));
    let public = proxy.request_to(&driver, "/public", "");
    assert!(proxy.forwarded(public).is_some());
}

#[test]
fn an_answer_to_an_unknown_fetch_is_not_read() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    proxy.world().made.clear();
    proxy.answer(7, &issuer.jwks().to_string());
    let made = std::mem::take(&mut proxy.world().made);
    let read = made
        .keys()
        .any(|(_, call)| matches!(call, Call::AnswerHead | Call::AnswerBody));
    assert!(!read, "{made:?}");
    let waits = private(&mut proxy, &issuer.token(START));
    assert!(proxy.waits(waits));
}

/// Checks the recovery after the fault: the next fetch returns the keys.
fn assert_recovers(proxy: &mut Proxy, issuer: &Issuer) {
    proxy.world().fault = None;
    let number = proxy.next_sent();
    proxy.answer(number, &issuer.jwks().to_string());
    let id = private(proxy, &issuer.token(START));
    assert!(proxy.forwarded(id).is_some());
}

const FAILURES: &str = "edge_authz.key_fetches.idp.failure";

#[test]
fn a_fetch_that_the_host_does_not_send_is_tried_again() {
    let issuer = Issuer::new("k1");
    for failure in failures(Call::Send) {
        let mut proxy = Proxy::with(&fetched());
        proxy.world().fault = Some(Fault {
            call: Call::Send,
            failure,
            phase: Phase::Tick,
            after: 0,
        });
        proxy.pass(Duration::from_secs(5));
        assert!(proxy.sent().is_empty());
        assert!(proxy.metric(FAILURES) > 1, "{failure:?}");
        assert_recovers(&mut proxy, &issuer);
    }
}

#[test]
fn a_clock_that_stops_while_an_issuer_answers_costs_that_fetch_only() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let number = proxy.next_sent();
    proxy.world().fault = Some(Fault {
        call: Call::Time,
        failure: Failure::Error(HostError::NoFunction),
        phase: Phase::Fetched,
        after: 0,
    });
    proxy.answer(number, &issuer.jwks().to_string());
    assert_eq!(proxy.metric(FAILURES), 1);
    assert_recovers(&mut proxy, &issuer);
}

#[test]
fn cached_tokens_take_memory_until_it_is_released() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&inline(&issuer));
    assert_eq!(proxy.driver().cached_token_bytes(), 0);
    let token = issuer.token(START);
    let id = private(&mut proxy, &token);
    assert!(proxy.forwarded(id).is_some());
    assert!(proxy.driver().cached_token_bytes() >= token.len());
    proxy.driver().release_memory();
    assert_eq!(proxy.driver().cached_token_bytes(), 0);
    let id = private(&mut proxy, &token);
    assert!(proxy.forwarded(id).is_some());
}

#[test]
fn an_answer_is_applied_to_its_own_request_in_any_callback() {
    let mut proxy = Proxy::with(&fetched());
    let token = Issuer::new("k1").token(START);
    let (one, other) = (private(&mut proxy, &token), private(&mut proxy, &token));
    let policy = crate::config::compile(fetched().as_bytes()).unwrap();
    let settler = Settler::new(Rc::clone(&proxy.host), Arc::new(policy));
    let refusal = Box::new(settler.refusal(one, None));
    proxy.apply_while_headers_arrive(other, refusal);
    assert!(proxy.waits(one) && proxy.waits(other));
    proxy.tick();
    assert_eq!(proxy.status_of(one), Some(503));
    assert!(proxy.waits(other));
}
