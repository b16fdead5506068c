//! What the host is told of requests, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::issuer::{Issuer, configuration, fetched, inline};
use super::proxy::{
    answer, configure, configure_again, forwarded, leave, leave_root, metric, next_sent, pass,
    request, status_of, tick, told,
};
use super::world::{Call, Failure, Fault, Phase, START, in_worker, with_world};

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

/// What the filter state has of a request that passes and of one that does not.
fn states(telemetry: &Value) -> [BTreeMap<String, String>; 2] {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let mut document = configuration(&json!({"inline": issuer.jwks()}));
        match telemetry {
            Value::Null => drop(document.as_object_mut().unwrap().remove("telemetry")),
            telemetry => document["telemetry"] = telemetry.clone(),
        }
        assert!(configure(ROOT, &document.to_string()));
        let passes = get("/private", Some(&issuer.token(START)));
        assert!(forwarded(passes).is_some());
        let refused = get("/private", None);
        assert_eq!(status_of(refused), Some(401));
        with_world(|world| [passes, refused].map(|id| world.streams[&id].filter_state.clone()))
    })
}

fn state(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let entries = entries
        .iter()
        .map(|(name, value)| (format!("edge_authz.{name}"), (*value).to_owned()));
    entries.collect()
}

#[test]
fn nothing_is_written_to_the_filter_state_that_is_not_listed() {
    for absent in [Value::Null, json!({})] {
        assert_eq!(states(&absent), [state(&[]), state(&[])]);
    }
}

#[test]
fn what_is_listed_is_written_to_the_filter_state() {
    let route = ("route", "ANY /private");
    for (listed, of_passing, of_refused) in [
        ("subject", ("subject", "alice"), None),
        ("issuer", ("issuer", "https://issuer.example"), None),
        ("provider", ("provider", "idp"), None),
        ("route", route, Some(route)),
        (
            "reason",
            ("reason", "allowed"),
            Some(("reason", "no_token")),
        ),
    ] {
        let [passing, refused] = states(&json!({"filter_state": [listed]}));
        assert_eq!(passing, state(&[of_passing]), "{listed}");
        assert_eq!(refused, state(of_refused.as_slice()), "{listed}");
    }
    let [passing, _] = states(&json!({"filter_state": ["route", "subject"]}));
    assert_eq!(passing, state(&[route, ("subject", "alice")]));
}

/// The calls that a request with a token costs beyond those that every filter
/// makes: the time, its headers, and the changes of these.
#[test]
fn a_request_costs_no_call_of_the_host_for_what_is_told_of_it() {
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
        assert_eq!(told("edge_authz.requests.allowed.idp"), 0);
        tick(ROOT);
        assert_eq!(told("edge_authz.requests.allowed.idp"), 2);
        assert_eq!(told("edge_authz.requests.no_token.none"), 2);
        assert_eq!(told("edge_authz.token_cache.hit"), 1);
    });
}

#[test]
fn a_metric_is_defined_once_and_told_in_one_call_a_tick() {
    in_worker(|| {
        assert!(configure(ROOT, &inline(&Issuer::new("k1"))));
        public();
        tick(ROOT);
        let defined = with_world(|world| world.metrics.len());
        (0..1000).for_each(|_| public());
        with_world(|world| world.made.clear());
        tick(ROOT);
        let made = |call| with_world(|world| world.made.get(&(Phase::Tick, call)).copied());
        assert_eq!(made(Call::IncrementMetric), Some(1));
        assert_eq!(with_world(|world| world.metrics.len()), defined);
        assert_eq!(told("edge_authz.requests.public.none"), 1001);
        with_world(|world| world.made.clear());
        tick(ROOT);
        assert_eq!(made(Call::IncrementMetric), None, "nothing is told twice");
    });
}

#[test]
fn what_was_counted_is_told_within_half_a_second() {
    in_worker(|| {
        assert!(configure(ROOT, &inline(&Issuer::new("k1"))));
        pass(ROOT, Duration::from_secs(2));
        public();
        pass(ROOT, Duration::from_millis(500));
        assert_eq!(told("edge_authz.requests.public.none"), 1);
    });
}

#[test]
fn a_gauge_that_moves_to_and_fro_between_ticks_is_where_it_was() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let waiting = || metric(ROOT, "edge_authz.waiting_requests");
        let token = issuer.token(START);
        let [first, second] = [(); 2].map(|()| get("/private", Some(&token)));
        assert_eq!(waiting(), 2);
        leave(first);
        let third = get("/private", Some(&token));
        assert_eq!(waiting(), 2);
        leave(second);
        assert_eq!(waiting(), 1);
        answer(&next_sent(ROOT), 200, &[], &issuer.jwks().to_string());
        assert!(forwarded(third).is_some());
        assert_eq!(waiting(), 0);
        assert_eq!(metric(ROOT, "edge_authz.keys.idp"), 1);
    });
}

#[test]
fn a_listener_that_is_drained_before_its_next_tick_has_told_everything() {
    in_worker(|| {
        assert!(configure(ROOT, &inline(&Issuer::new("k1"))));
        public();
        leave_root(ROOT);
        assert_eq!(told("edge_authz.requests.public.none"), 1);
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
        assert_eq!(told("edge_authz.waiting_requests"), 0);
        assert_eq!(told("edge_authz.requests.internal_error.none"), 1);
        leave(waits);
    });
}

#[test]
fn a_configuration_whose_place_another_has_taken_has_told_everything() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        public();
        let waits = get("/private", Some(&issuer.token(START)));
        assert!(configure_again(ROOT, &inline(&issuer)));
        assert_eq!(status_of(waits), Some(503));
        assert_eq!(told("edge_authz.requests.public.none"), 1);
        assert_eq!(told("edge_authz.requests.internal_error.none"), 1);
        assert_eq!(told("edge_authz.waiting_requests"), 0);
    });
}

#[test]
fn a_host_that_takes_no_metrics_is_asked_for_each_once_a_tick() {
    in_worker(|| {
        assert!(configure(ROOT, &inline(&Issuer::new("k1"))));
        with_world(|world| {
            world.fault = Some(Fault {
                call: Call::DefineMetric,
                failure: Failure::Status(10),
                phase: Phase::Tick,
                after: 0,
            });
            world.made.clear();
        });
        (0..100).for_each(|_| public());
        tick(ROOT);
        let defined = with_world(|world| world.made[&(Phase::Tick, Call::DefineMetric)]);
        assert_eq!(defined, 1);
    });
}
