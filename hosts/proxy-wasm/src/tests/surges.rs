//! Many requests that wait at once. The host applies the decisions of a callback in
//! nested calls on one stack: `proxy` fails a test that would use it up.

use std::time::Duration;

use super::issuer::{Issuer, fetched, inline};
use super::proxy::{
    answer, configure, configure_again, forwarded, leave, metric, next_sent, pass, request,
    respond, sent, status_of, tick,
};
use super::world::{Call, Failure, Fault, Outcome, Phase, START, in_worker, values, with_world};
use super::{proxy, world};
use edge_authz::host::MAX_ANSWERS;

const ROOT: u32 = 1;
const ORIGIN: &str = "https://app.example";

/// A request that waits for keys.
fn private(token: &str) -> u32 {
    request(
        ROOT,
        &[
            (":method", "GET"),
            (":path", "/private"),
            (":authority", "api.example"),
            ("authorization", &format!("Bearer {token}")),
            ("origin", ORIGIN),
        ],
    )
}

/// This number of such requests.
fn surge(count: usize, token: &str) -> Vec<u32> {
    let all: Vec<u32> = (0..count).map(|_| private(token)).collect();
    assert!(all.iter().all(|id| waits(*id)));
    all
}

fn waits(id: u32) -> bool {
    matches!(proxy::outcome(id), Outcome::Waits)
}

fn keys_come(issuer: &Issuer) {
    answer(&next_sent(ROOT), 200, &[], &issuer.jwks().to_string());
}

fn from_now_on(call: Call, phase: Phase) {
    let failure = Failure::Status(10);
    let after = 0;
    let fault = Fault {
        call,
        failure,
        phase,
        after,
    };
    with_world(|world| world.fault = Some(fault));
}

/// Checks that each was answered with this status, and that its page can read the answer.
fn answered_readably(ids: &[u32], status: u32) {
    for id in ids {
        let Outcome::Answered(reply) = proxy::outcome(*id) else {
            panic!("{:?}", proxy::outcome(*id));
        };
        assert_eq!(reply.status, status);
        let allowed = values(&reply.headers, "access-control-allow-origin");
        assert_eq!(allowed, [ORIGIN]);
    }
}

fn deepest() -> usize {
    with_world(|world| world.deepest)
}

#[test]
fn a_thousand_are_answered_in_order_of_arrival_a_few_at_a_time() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(1000, &Issuer::new("k1").token(START));
        keys_come(&issuer);
        pass(ROOT, Duration::from_millis(100));
        answered_readably(&all, 401);
        assert_eq!(with_world(|world| world.acted.clone()), all);
        assert!(deepest() > 1);
        // Afterwards the ticks are slow again.
        assert!(with_world(|world| world.tick_period) >= 10);
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
        assert_eq!(metric(ROOT, "edge_authz.requests.bad_signature.idp"), 1000);
    });
}

#[test]
fn a_thousand_requests_can_be_forwarded_to_a_direct_response() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        with_world(|world| world.answers_itself = true);
        assert!(configure(ROOT, &fetched()));
        let all = surge(1000, &issuer.token(START));
        keys_come(&issuer);
        pass(ROOT, Duration::from_millis(100));
        assert!(all.iter().all(|id| forwarded(*id).is_some()));
        assert!(deepest() > 1);
    });
}

#[test]
fn a_thousand_expired_requests_are_answered_a_few_at_a_time() {
    in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        let all = surge(1000, &Issuer::new("k1").token(START));
        pass(ROOT, Duration::from_millis(5_060));
        answered_readably(&all, 503);
        assert_eq!(deepest(), MAX_ANSWERS);
        assert_eq!(with_world(|world| world.acted.clone()), all);
    });
}

#[test]
fn a_request_with_a_known_key_overtakes_waiting_requests() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(100, &Issuer::new("k1").token(START));
        keys_come(&issuer);
        assert!(all.iter().any(|id| waits(*id)));
        assert!(forwarded(private(&issuer.token(START))).is_some());
    });
}

#[test]
fn a_client_that_leaves_before_it_is_answered_is_forgotten() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(100, &issuer.token(START));
        keys_come(&issuer);
        let (gone, stay) = all.split_at(98);
        for id in gone {
            leave(*id);
        }
        // At the next tick the other requests come first.
        tick(ROOT);
        assert!(stay.iter().all(|id| forwarded(*id).is_some()));
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
    });
}

#[test]
fn a_waiting_request_that_the_proxy_answers_gets_its_cors_headers() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(100, &issuer.token(START));
        keys_come(&issuer);
        let client = respond(all[99], &[(":status", "504")]).unwrap();
        let allowed = values(&client, "access-control-allow-origin");
        assert_eq!(allowed, [ORIGIN]);
        pass(ROOT, Duration::from_millis(100));
        assert!(waits(all[99]), "it is the proxy's");
        assert!(forwarded(all[98]).is_some());
    });
}

#[test]
fn a_newer_configuration_answers_waiting_requests_of_the_former_a_few_at_a_time() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(300, &issuer.token(START));
        assert!(configure_again(ROOT, &inline(&issuer)));
        assert!(waits(all[299]));
        assert_eq!(with_world(|world| world.tick_period), 1);
        // New requests are judged meanwhile.
        assert!(forwarded(private(&issuer.token(START))).is_some());
        assert_eq!(with_world(|world| world.tick_period), 1);
        pass(ROOT, Duration::from_millis(12));
        answered_readably(&all, 503);
        assert_eq!(deepest(), MAX_ANSWERS);
        assert_eq!(with_world(|world| world.acted.clone()), all);
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
        assert!(with_world(|world| world.tick_period) > 10);
    });
}

#[test]
fn waiting_requests_of_two_configurations_share_the_room_of_a_tick() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let former = surge(300, &issuer.token(START));
        let mut other = fetched();
        other.insert_str(1, r#""responses":{"realm":"other"},"#);
        assert!(configure_again(ROOT, &other));
        with_world(|world| world.answers_itself = true);
        let latter = surge(300, &issuer.token(START));
        // The fetch of the former configuration may still be unanswered.
        for sent in sent() {
            answer(&sent, 200, &[], &issuer.jwks().to_string());
        }
        keys_come(&issuer);
        pass(ROOT, Duration::from_millis(60));
        answered_readably(&former, 503);
        assert!(latter.iter().all(|id| forwarded(*id).is_some()));
        assert_eq!(deepest(), MAX_ANSWERS);
        let mut order = [former, latter].concat();
        let mut acted = with_world(|world| world.acted.clone());
        order.sort_unstable();
        acted.sort_unstable();
        assert_eq!(order, acted, "each once");
    });
}

#[test]
fn decisions_without_room_are_queued_in_order() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        surge(2 * MAX_ANSWERS, &issuer.token(START));
        let mut other = fetched();
        other.insert_str(1, r#""responses":{"realm":"other"},"#);
        assert!(configure_again(ROOT, &other));
        let latter = surge(4, &issuer.token(START));
        // The next tick has room only for requests of the former configuration.
        with_world(|world| world.nanos += 5_100_000_000);
        tick(ROOT);
        assert!(latter.iter().all(|id| waits(*id)));
        assert_eq!(with_world(|world| world.tick_period), 1);
        leave(latter[1]);
        let client = respond(latter[2], &[(":status", "504")]).unwrap();
        let allowed = values(&client, "access-control-allow-origin");
        assert_eq!(allowed, [ORIGIN]);
        tick(ROOT);
        answered_readably(&[latter[0], latter[3]], 503);
        assert!(waits(latter[2]), "it is the proxy's");
    });
}

#[test]
fn waiting_requests_are_answered_even_if_ticks_cannot_be_sped_up() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(300, &issuer.token(START));
        from_now_on(Call::TickPeriod, Phase::Configure);
        assert!(configure_again(ROOT, &inline(&issuer)));
        assert_eq!(with_world(|world| world.tick_period), 10);
        from_now_on(Call::TickPeriod, Phase::Tick);
        pass(ROOT, Duration::from_millis(120));
        answered_readably(&all, 503);
        assert_eq!(deepest(), MAX_ANSWERS);
        assert!(forwarded(private(&issuer.token(START))).is_some());
    });
}

#[test]
fn a_configuration_that_cannot_be_activated_answers_waiting_requests_of_the_former() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(300, &issuer.token(START));
        from_now_on(Call::Time, Phase::Configure);
        assert!(configure_again(ROOT, &inline(&issuer)));
        assert_eq!(status_of(private(&issuer.token(START))), Some(503));
        pass(ROOT, Duration::from_millis(12));
        answered_readably(&all, 503);
        assert_eq!(deepest(), MAX_ANSWERS);
        assert!(with_world(|world| world.tick_period) > 10);
    });
}

#[test]
fn a_clock_that_stops_ends_every_wait_a_few_at_a_time() {
    in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        let all = surge(300, &Issuer::new("k1").token(START));
        from_now_on(Call::Time, Phase::Tick);
        pass(ROOT, Duration::from_millis(40));
        answered_readably(&all, 503);
        assert_eq!(deepest(), MAX_ANSWERS);
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
    });
}

#[test]
fn a_clock_that_stops_for_a_tick_ends_no_more_waits_than_one_tick_does() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let all = surge(300, &issuer.token(START));
        from_now_on(Call::Time, Phase::Tick);
        tick(ROOT);
        with_world(|world: &mut world::World| world.fault = None);
        let (ended, others) = all.split_at(MAX_ANSWERS);
        answered_readably(ended, 503);
        keys_come(&issuer);
        pass(ROOT, Duration::from_millis(40));
        assert!(others.iter().all(|id| forwarded(*id).is_some()));
    });
}
