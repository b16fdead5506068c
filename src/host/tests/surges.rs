//! Many requests that wait at once: a callback answers a few of them, in order. `proxy`
//! fails a test in which a callback answers more.

use std::time::Duration;

use super::super::{HostError, MAX_ANSWERS};
use super::issuer::{Issuer, fetched, inline};
use super::proxy::{Outcome, Proxy, values};
use super::world::{Call, Failure, Fault, Phase, START};
use crate::engine::StreamId;

const ORIGIN: &str = "https://app.example";

/// A request that waits for keys.
fn private(proxy: &mut Proxy, token: &str) -> StreamId {
    proxy.request(&[
        (":method", "GET"),
        (":path", "/private"),
        (":authority", "api.example"),
        ("authorization", &format!("Bearer {token}")),
        ("origin", ORIGIN),
    ])
}

/// This number of such requests.
fn surge(proxy: &mut Proxy, count: usize, token: &str) -> Vec<StreamId> {
    let all: Vec<StreamId> = (0..count).map(|_| private(proxy, token)).collect();
    assert!(all.iter().all(|id| proxy.waits(*id)));
    all
}

fn keys_come(proxy: &mut Proxy, issuer: &Issuer) {
    let number = proxy.next_sent();
    proxy.answer(number, &issuer.jwks().to_string());
}

fn from_now_on(proxy: &Proxy, call: Call, phase: Phase) {
    proxy.world().fault = Some(Fault {
        call,
        failure: Failure::Error(HostError::NoFunction),
        phase,
        after: 0,
    });
}

/// Checks that each was answered with this status, and that its page can read the answer.
fn answered_readably(proxy: &Proxy, ids: &[StreamId], status: u16) {
    for id in ids {
        let Outcome::Answered(reply) = proxy.outcome(*id) else {
            panic!("{:?}", proxy.outcome(*id));
        };
        assert_eq!(reply.status, status);
        let allowed = values(&reply.headers, "access-control-allow-origin");
        assert_eq!(allowed, [ORIGIN]);
    }
}

fn ticks_are(proxy: &Proxy) -> Duration {
    proxy.world().tick_period
}

/// Runs ticks until none of these requests waits. Each tick must answer the next ones in
/// order.
fn answered_in_order(proxy: &mut Proxy, all: &[StreamId]) {
    let mut order = Vec::new();
    while order.len() < all.len() {
        proxy.world().nanos += 1_000_000;
        proxy.tick();
        let acted = proxy.world().acted.clone();
        assert!(!acted.is_empty(), "{} of {}", order.len(), all.len());
        order.extend(acted);
    }
    assert_eq!(order, all);
}

#[test]
fn expired_requests_are_answered_in_order_up_to_the_limit_of_a_callback() {
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 300, &Issuer::new("k1").token(START));
    proxy.world().nanos += 5_100_000_000;
    answered_in_order(&mut proxy, &all);
    answered_readably(&proxy, &all, 503);
    assert_eq!(proxy.metric("edge_authz.waiting_requests"), 0);
    assert!(ticks_are(&proxy) >= Duration::from_millis(10));
}

#[test]
fn a_request_with_a_known_key_overtakes_waiting_requests() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 100, &Issuer::new("k1").token(START));
    keys_come(&mut proxy, &issuer);
    assert!(all.iter().any(|id| proxy.waits(*id)));
    let id = private(&mut proxy, &issuer.token(START));
    assert!(proxy.forwarded(id).is_some());
}

#[test]
fn a_client_that_leaves_before_it_is_answered_is_forgotten() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 100, &issuer.token(START));
    keys_come(&mut proxy, &issuer);
    let (gone, stay) = all.split_at(98);
    for id in gone {
        proxy.leave(*id);
    }
    // At the next tick the other requests come first.
    proxy.tick();
    assert!(stay.iter().all(|id| proxy.forwarded(*id).is_some()));
    assert_eq!(proxy.metric("edge_authz.waiting_requests"), 0);
}

#[test]
fn a_waiting_request_that_the_proxy_answers_gets_its_cors_headers() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 100, &issuer.token(START));
    keys_come(&mut proxy, &issuer);
    let client = proxy.respond(all[99], &[(":status", "504")]).unwrap();
    assert_eq!(values(&client, "access-control-allow-origin"), [ORIGIN]);
    proxy.pass(Duration::from_millis(100));
    assert!(proxy.waits(all[99]), "it is the proxy's");
    assert!(!proxy.body(all[99]));
    assert!(proxy.forwarded(all[98]).is_some());
}

#[test]
fn a_newer_configuration_answers_waiting_requests_of_the_former_a_few_at_a_time() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 300, &issuer.token(START));
    assert!(proxy.configure(&inline(&issuer)));
    let (first, others) = all.split_at(MAX_ANSWERS);
    answered_readably(&proxy, first, 503);
    assert!(others.iter().all(|id| proxy.waits(*id)));
    assert_eq!(ticks_are(&proxy), Duration::from_millis(1));
    // New requests are judged meanwhile.
    let id = private(&mut proxy, &issuer.token(START));
    assert!(proxy.forwarded(id).is_some());
    assert_eq!(ticks_are(&proxy), Duration::from_millis(1));
    answered_in_order(&mut proxy, others);
    answered_readably(&proxy, &all, 503);
    assert_eq!(proxy.metric("edge_authz.waiting_requests"), 0);
    assert!(ticks_are(&proxy) > Duration::from_millis(10));
}

#[test]
fn decisions_without_room_are_queued_in_order() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    surge(&mut proxy, 2 * MAX_ANSWERS, &issuer.token(START));
    let mut other = fetched();
    other.insert_str(1, r#""responses":{"realm":"other"},"#);
    assert!(proxy.configure(&other));
    let latter = surge(&mut proxy, 4, &issuer.token(START));
    // The next tick has room only for requests of the former configuration.
    proxy.world().nanos += 5_100_000_000;
    proxy.tick();
    assert!(latter.iter().all(|id| proxy.waits(*id)));
    assert_eq!(ticks_are(&proxy), Duration::from_millis(1));
    // A request that arrives meanwhile does not slow the ticks down.
    private(&mut proxy, "");
    assert_eq!(ticks_are(&proxy), Duration::from_millis(1));
    proxy.leave(latter[1]);
    let client = proxy.respond(latter[2], &[(":status", "504")]).unwrap();
    assert_eq!(values(&client, "access-control-allow-origin"), [ORIGIN]);
    proxy.tick();
    answered_readably(&proxy, &[latter[0], latter[3]], 503);
    assert!(proxy.waits(latter[2]), "it is the proxy's");
}

#[test]
fn waiting_requests_are_answered_even_if_ticks_cannot_be_sped_up() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 300, &issuer.token(START));
    from_now_on(&proxy, Call::TickPeriod, Phase::Start);
    assert!(proxy.configure(&inline(&issuer)));
    assert_eq!(ticks_are(&proxy), Duration::from_millis(10));
    from_now_on(&proxy, Call::TickPeriod, Phase::Tick);
    answered_in_order(&mut proxy, &all[MAX_ANSWERS..]);
    answered_readably(&proxy, &all, 503);
    let id = private(&mut proxy, &issuer.token(START));
    assert!(proxy.forwarded(id).is_some());
}

#[test]
fn a_clock_that_stops_ends_every_wait_a_few_at_a_time() {
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 300, &Issuer::new("k1").token(START));
    from_now_on(&proxy, Call::Time, Phase::Tick);
    answered_in_order(&mut proxy, &all);
    answered_readably(&proxy, &all, 503);
    assert_eq!(proxy.metric("edge_authz.waiting_requests"), 0);
}

#[test]
fn a_clock_that_stops_for_a_tick_ends_no_more_waits_than_one_tick_does() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let all = surge(&mut proxy, 300, &issuer.token(START));
    from_now_on(&proxy, Call::Time, Phase::Tick);
    proxy.tick();
    proxy.world().fault = None;
    let (ended, others) = all.split_at(MAX_ANSWERS);
    answered_readably(&proxy, ended, 503);
    keys_come(&mut proxy, &issuer);
    proxy.pass(Duration::from_millis(40));
    assert!(others.iter().all(|id| proxy.forwarded(*id).is_some()));
}
