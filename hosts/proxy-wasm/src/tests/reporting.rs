//! The reports to the host about requests, and when they are made: the parts that belong
//! to the ABI and to the root context. The rest is tested with the core's driver.

use serde_json::json;

use super::issuer::{Issuer, configuration, fetched, inline};
use super::proxy::{
    configure, configure_again, forwarded, leave, leave_root, metric, reported, request, status_of,
    tick,
};
use super::world::{Call, Phase, START, in_worker, with_world};

const ROOT: u32 = 1;

fn get(path: &str, token: Option<&str>) -> u32 {
    let token = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example"),
    ];
    headers.extend(token.as_deref().map(|token| ("authorization", token)));
    request(ROOT, &headers)
}

fn public() {
    assert!(forwarded(get("/public", None)).is_some());
}

/// The calls for a request with a token, beyond those that every filter makes: the time,
/// its headers, and changes to them.
#[test]
fn reporting_a_request_costs_no_host_call() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let mut document = configuration(&json!({"inline": issuer.jwks()}));
        document.as_object_mut().unwrap().remove("telemetry");
        assert!(configure(ROOT, &document.to_string()));
        with_world(|world| world.log_level = 2);
        tick(ROOT);
        with_world(|world| world.made.clear());
        let token = issuer.token(START);
        for _ in 0..2 {
            assert!(forwarded(get("/private", Some(&token))).is_some());
            assert_eq!(status_of(get("/private", None)), Some(401));
        }
        let made = with_world(|world| std::mem::take(&mut world.made));
        let made = made
            .into_keys()
            .filter(|(phase, _)| *phase == Phase::RequestHeaders);
        let calls: Vec<Call> = made.map(|(_, call)| call).collect();
        let every_filter = [
            Call::Time,
            Call::Headers,
            Call::AddHeader,
            Call::RemoveHeader,
            Call::Reply,
            Call::Foreign,
        ];
        assert_eq!(calls, every_filter);
        assert_eq!(reported("edge_authz.requests.allowed.idp"), 0);
        tick(ROOT);
        assert_eq!(reported("edge_authz.requests.allowed.idp"), 2);
        assert_eq!(reported("edge_authz.requests.no_token.none"), 2);
        assert_eq!(reported("edge_authz.token_cache.hit"), 1);
    });
}

#[test]
fn a_listener_drained_before_its_next_tick_has_reported_all_metrics() {
    in_worker(|| {
        assert!(configure(ROOT, &inline(&Issuer::new("k1"))));
        public();
        leave_root(ROOT);
        assert_eq!(reported("edge_authz.requests.public.none"), 1);
    });
}

#[test]
fn a_request_that_outlives_its_listener_is_answered_and_counted() {
    in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        let waits = get("/private", Some(&Issuer::new("k1").token(START)));
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 1);
        leave_root(ROOT);
        assert_eq!(status_of(waits), Some(503));
        assert_eq!(reported("edge_authz.waiting_requests"), 0);
        assert_eq!(reported("edge_authz.requests.internal_error.none"), 1);
        leave(waits);
    });
}

#[test]
fn a_superseded_configuration_has_reported_all_metrics() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        public();
        let waits = get("/private", Some(&issuer.token(START)));
        assert!(configure_again(ROOT, &inline(&issuer)));
        assert_eq!(status_of(waits), Some(503));
        assert_eq!(reported("edge_authz.requests.public.none"), 1);
        assert_eq!(reported("edge_authz.requests.internal_error.none"), 1);
        assert_eq!(reported("edge_authz.waiting_requests"), 0);
    });
}
