//! The reports to the host about requests, and when they are made.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::issuer::{Issuer, configuration, fetched, inline};
use super::proxy::Proxy;
use super::world::{Call, Failure, Fault, Phase, START};
use crate::engine::StreamId;
use crate::host::{HostError, Report};
use crate::telemetry::{Level, Measurement};

fn get(proxy: &mut Proxy, path: &str, token: Option<&str>) -> StreamId {
    let token = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example"),
    ];
    headers.extend(token.as_deref().map(|token| ("authorization", token)));
    proxy.request(&headers)
}

fn public(proxy: &mut Proxy) {
    let id = get(proxy, "/public", None);
    assert!(proxy.forwarded(id).is_some());
}

/// How often a call was made in one callback of a phase.
fn made(proxy: &Proxy, phase: Phase, call: Call) -> Option<usize> {
    proxy.world().made.get(&(phase, call)).copied()
}

/// The filter state of a request that passes, and of one that does not.
fn states(telemetry: &Value) -> [BTreeMap<String, String>; 2] {
    let issuer = Issuer::new("k1");
    let mut document = configuration(&json!({"inline": issuer.jwks()}));
    match telemetry {
        Value::Null => drop(document.as_object_mut().unwrap().remove("telemetry")),
        telemetry => document["telemetry"] = telemetry.clone(),
    }
    let mut proxy = Proxy::with(&document.to_string());
    let passes = get(&mut proxy, "/private", Some(&issuer.token(START)));
    assert!(proxy.forwarded(passes).is_some());
    let refused = get(&mut proxy, "/private", None);
    assert_eq!(proxy.status_of(refused), Some(401));
    [passes, refused].map(|id| proxy.held(id, |held| held.filter_state.clone()))
}

fn state(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let entries = entries
        .iter()
        .map(|(name, value)| (format!("edge_authz.{name}"), (*value).to_owned()));
    entries.collect()
}

#[test]
fn only_listed_entries_are_written_to_the_filter_state() {
    for absent in [Value::Null, json!({})] {
        assert_eq!(states(&absent), [state(&[]), state(&[])]);
    }
}

#[test]
fn listed_entries_are_written_to_the_filter_state() {
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

/// The calls for a request with a token, beyond those that every filter makes: the time,
/// its headers, and changes to them.
#[test]
fn reporting_a_request_costs_no_host_call() {
    let issuer = Issuer::new("k1");
    let mut document = configuration(&json!({"inline": issuer.jwks()}));
    document.as_object_mut().unwrap().remove("telemetry");
    let mut proxy = Proxy::with(&document.to_string());
    proxy.world().log_level = Some(Level::Info);
    proxy.tick();
    proxy.world().made.clear();
    let token = issuer.token(START);
    for _ in 0..2 {
        let id = get(&mut proxy, "/private", Some(&token));
        assert!(proxy.forwarded(id).is_some());
        let id = get(&mut proxy, "/private", None);
        assert_eq!(proxy.status_of(id), Some(401));
    }
    let made = std::mem::take(&mut proxy.world().made);
    let made = made
        .into_keys()
        .filter(|(phase, _)| *phase == Phase::RequestHeaders);
    let calls: Vec<Call> = made.map(|(_, call)| call).collect();
    let every_filter = [
        Call::Time,
        Call::Verify,
        Call::Headers,
        Call::AddHeader,
        Call::RemoveHeader,
        Call::Reply,
    ];
    assert_eq!(calls, every_filter);
    assert_eq!(proxy.reported("edge_authz.requests.allowed.idp"), 0);
    proxy.tick();
    assert_eq!(proxy.reported("edge_authz.requests.allowed.idp"), 2);
    assert_eq!(proxy.reported("edge_authz.requests.no_token.none"), 2);
    assert_eq!(proxy.reported("edge_authz.token_cache.hit"), 1);
}

#[test]
fn a_metric_is_defined_once_and_reported_in_one_call_per_tick() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    public(&mut proxy);
    proxy.tick();
    let defined = proxy.world().metrics.len();
    (0..1000).for_each(|_| public(&mut proxy));
    proxy.world().made.clear();
    proxy.tick();
    let changed = |proxy: &Proxy| made(proxy, Phase::Tick, Call::ChangeMetric);
    assert_eq!(changed(&proxy), Some(1));
    assert_eq!(proxy.world().metrics.len(), defined);
    assert_eq!(proxy.reported("edge_authz.requests.public.none"), 1001);
    proxy.world().made.clear();
    proxy.tick();
    assert_eq!(changed(&proxy), None, "nothing is reported twice");
}

#[test]
fn metrics_are_distinct_in_any_order_of_first_measurement() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    let paths = ["/public", "/nowhere", "/private", "/a/../b"];
    for round in 0..4 {
        for step in 0..=round {
            get(&mut proxy, paths[(step * 3 + round) % paths.len()], None);
        }
        proxy.tick();
    }
    let names = ["public", "no_route", "no_token", "bad_path"];
    let reported =
        names.map(|reason| proxy.reported(&format!("edge_authz.requests.{reason}.none")));
    let mut asked = [0; 4];
    for round in 0..4 {
        for step in 0..=round {
            asked[(step * 3 + round) % paths.len()] += 1;
        }
    }
    assert_eq!(reported, asked);
    assert_eq!(asked.iter().sum::<i64>(), 10);
}

#[test]
fn counts_are_reported_within_half_a_second() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    proxy.pass(Duration::from_secs(2));
    public(&mut proxy);
    proxy.pass(Duration::from_millis(500));
    assert_eq!(proxy.reported("edge_authz.requests.public.none"), 1);
}

const WAITING: &str = "edge_authz.waiting_requests";

#[test]
fn a_gauge_that_returns_to_its_value_between_ticks_is_unchanged() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let token = issuer.token(START);
    let first = get(&mut proxy, "/private", Some(&token));
    let second = get(&mut proxy, "/private", Some(&token));
    assert_eq!(proxy.metric(WAITING), 2);
    proxy.leave(first);
    let third = get(&mut proxy, "/private", Some(&token));
    assert_eq!(proxy.metric(WAITING), 2);
    proxy.leave(second);
    assert_eq!(proxy.metric(WAITING), 1);
    let number = proxy.next_sent();
    proxy.answer(number, &issuer.jwks().to_string());
    assert!(proxy.forwarded(third).is_some());
    assert_eq!(proxy.metric(WAITING), 0);
    assert_eq!(proxy.metric("edge_authz.keys.idp"), 1);
}

#[test]
fn a_listener_drained_before_its_next_tick_has_reported_all_metrics() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    public(&mut proxy);
    proxy.drain();
    assert_eq!(proxy.reported("edge_authz.requests.public.none"), 1);
}

#[test]
fn a_dropped_report_has_reported_all_metrics() {
    let proxy = Proxy::new();
    let report = Report::new(proxy.host.clone());
    report.measure(Measurement::waiting(2));
    assert_eq!(proxy.reported(WAITING), 0);
    drop(report);
    assert_eq!(proxy.reported(WAITING), 2);
}

#[test]
fn a_request_that_outlives_its_listener_is_answered_and_counted() {
    let mut proxy = Proxy::with(&fetched());
    let token = Issuer::new("k1").token(START);
    let waits = get(&mut proxy, "/private", Some(&token));
    assert_eq!(proxy.metric("edge_authz.waiting_requests"), 1);
    proxy.drain();
    assert_eq!(proxy.status_of(waits), Some(503));
    assert_eq!(proxy.reported("edge_authz.waiting_requests"), 0);
    assert_eq!(proxy.reported("edge_authz.requests.internal_error.none"), 1);
    proxy.leave(waits);
}

#[test]
fn a_superseded_configuration_has_reported_all_metrics() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    public(&mut proxy);
    let waits = get(&mut proxy, "/private", Some(&issuer.token(START)));
    assert!(proxy.configure(&inline(&issuer)));
    assert_eq!(proxy.status_of(waits), Some(503));
    assert_eq!(proxy.reported("edge_authz.requests.public.none"), 1);
    assert_eq!(proxy.reported("edge_authz.requests.internal_error.none"), 1);
    assert_eq!(proxy.reported("edge_authz.waiting_requests"), 0);
}

#[test]
fn a_metric_that_the_host_refuses_is_tried_once_a_tick() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    proxy.world().fault = Some(Fault {
        call: Call::DefineMetric,
        failure: Failure::Error(HostError::NoFunction),
        phase: Phase::Tick,
        after: 0,
    });
    proxy.world().made.clear();
    (0..100).for_each(|_| public(&mut proxy));
    proxy.tick();
    assert_eq!(made(&proxy, Phase::Tick, Call::DefineMetric), Some(1));
}

#[test]
fn a_refusal_is_logged_at_debug_only() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    let mut lines = |level| {
        proxy.world().log.clear();
        proxy.world().log_level = level;
        proxy.tick();
        get(&mut proxy, "/private", None);
        proxy.world().log.clone()
    };
    let expected = "refused: no_token, route `ANY /private`; \
                    steps: path ok, route found, no token"
        .to_owned();
    assert_eq!(lines(Some(Level::Debug)), [(Level::Debug, expected)]);
    assert_eq!(lines(Some(Level::Info)), []);
    assert_eq!(lines(None), []);
}

#[test]
fn the_answer_to_a_preflight_is_not_logged_as_a_refusal() {
    let mut proxy = Proxy::with(&inline(&Issuer::new("k1")));
    proxy.world().log_level = Some(Level::Debug);
    proxy.tick();
    proxy.world().log.clear();
    let id = proxy.request(&[
        (":method", "OPTIONS"),
        (":path", "/private"),
        (":authority", "api.example"),
        ("origin", "https://app.example"),
        ("access-control-request-method", "GET"),
    ]);
    assert_eq!(proxy.status_of(id), Some(204));
    assert_eq!(proxy.world().log, []);
    assert_eq!(proxy.metric("edge_authz.requests.preflight.none"), 1);
}
