//! Injects every possible failure of a call to Envoy into every hook. A request that must
//! not pass is always refused, and a request that passes has all its changes. A panicking
//! clock represents a bug in the module.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::crowd::{Requests, Routes, post, post_with};
use super::fault::{CLOCK, Call, Fault, Phase, ways};
use super::issuer::{Issuer, configuration, inline};
use super::proxy::{
    Config, Outcome, answer, answered, body, configure, destroy, forwarded, leave, outcome,
    respond, sent, trailers, trailers_of, wait,
};
use super::world::{Fields, START, in_worker, values, with_world};

/// A configuration with fetched keys. Each has its own URI, because configurations share
/// fetched keys.
fn fetched() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let uri = format!("https://issuer.example/faults/{number}");
    configuration(&json!({"cluster": "idp", "uri": uri})).to_string()
}

/// The faults for each call that a lifetime makes in a hook. The first call fails in
/// every way, later calls in one way.
pub(super) fn faults(phase: Phase, made: &BTreeMap<(Phase, Call), usize>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((_, call), count) in made.iter().filter(|((at, _), _)| *at == phase) {
        // A request may have no trailers, and Envoy reports this as a failure.
        if phase == Phase::RequestTrailers && *call == "http_get_headers_size" {
            continue;
        }
        // Without it, the document of a route is not applied, as DESIGN.md says.
        if *call == "get_most_specific_route_config" {
            continue;
        }
        let fault = |way, after| Fault {
            call,
            way,
            phase,
            after,
        };
        let ways = ways(call);
        faults.extend(ways.iter().map(|way| fault(*way, 0)));
        faults.extend((1..(*count).min(12)).map(|after| fault(ways[0], after)));
    }
    faults
}

/// Asserts that a forwarded request has the token's identity and none of the client's.
fn assert_all_changes_made(upstream: &Fields, fault: Option<Fault>) {
    assert_eq!(values(upstream, "x-user-id"), ["alice"], "{fault:?}");
    assert_eq!(values(upstream, "x_user_id"), [""; 0], "{fault:?}");
    assert_eq!(values(upstream, "authorization"), [""; 0], "{fault:?}");
}

/// Runs a configuration from start to end, with requests that may pass and requests that
/// must not. Some of them wait. Returns the number of requests that passed; `None` if the
/// configuration was refused.
fn run_lifetime(issuer: &Issuer, fault: Option<Fault>) -> Option<usize> {
    with_world(|world| world.fault = fault);
    let config = configure(&fetched())?;
    let routes = Routes::new(issuer);
    let good = issuer.token(START);
    let bad = Issuer::new("k1").token(START);
    let mut requests = Requests::first(config, &routes, &good, &bad);
    let leaves = post(config, "/private", &good);
    let overtaken = post(config, "/private", &good);
    leave(leaves);
    // Envoy itself answers while the request waits.
    let _ = respond(overtaken, &[(":status", "408")]);
    leave(overtaken);
    for _ in 0..4 {
        wait(config, 4);
        for sent in sent() {
            answer(config, &sent, 200, &issuer.jwks().to_string());
        }
        requests.more(config, &routes, &good, &bad);
    }
    wait(config, 24);
    let passed = finish_all(requests, fault);
    // The module works again when the fault is gone.
    with_world(|world| world.fault = None);
    // Envoy delivers every event to objects that exist, so a lost event is not a fault to
    // recover from.
    if fault.is_some_and(|fault| !fault.call.ends_with("_commit")) {
        assert_recovers(config, issuer, fault);
    }
    destroy(config);
    routes.destroy();
    // A thread keeps the last configuration that it served until it serves another one.
    let left = with_world(|world| world.schedulers.load(Ordering::Relaxed));
    assert!(left <= 1, "{fault:?}: {left} schedulers are left");
    Some(passed)
}

/// Ends all requests. Returns the number of requests that passed.
fn finish_all(Requests { may_pass, must_not }: Requests, fault: Option<Fault>) -> usize {
    for id in must_not {
        body(id);
        trailers(id, &[("x-user-id", "mallory")]);
        assert!(forwarded(id).is_none(), "{fault:?}: {:?}", outcome(id));
        leave(id);
    }
    finish(may_pass, fault)
}

/// Ends requests that may pass. Returns how many passed.
fn finish(may_pass: Vec<usize>, fault: Option<Fault>) -> usize {
    let mut passed = 0;
    for id in may_pass {
        body(id);
        trailers(id, &[("x-user-id", "mallory")]);
        if let Outcome::Forwarded(upstream) = outcome(id) {
            assert_all_changes_made(&upstream, fault);
            assert_eq!(values(&trailers_of(id), "x-user-id"), [""; 0], "{fault:?}");
            passed += 1;
        }
        if forwarded(id).is_some() {
            let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
            if let Some(client) = respond(id, &answer) {
                let allowed = values(&client, "access-control-allow-origin");
                assert_eq!(allowed, [""; 0], "{fault:?}");
            }
        }
        leave(id);
    }
    passed
}

/// Asserts that, after the fault, a good token passes within the time in which a key set
/// is fetched again, and that a bad token does not.
fn assert_recovers(config: Config, issuer: &Issuer, fault: Option<Fault>) {
    let now = with_world(|world| world.nanos / 1_000_000_000);
    let (good, bad) = (issuer.token(now), Issuer::new("k1").token(now));
    for _ in 0..100 {
        wait(config, 4);
        for sent in sent() {
            answer(config, &sent, 200, &issuer.jwks().to_string());
        }
        let id = post(config, "/private", &good);
        let passes = forwarded(id).is_some();
        leave(id);
        if passes {
            let id = post(config, "/private", &bad);
            assert_eq!(answered(id).status, 401, "{fault:?}");
            leave(id);
            return;
        }
    }
    panic!("{fault:?}: the module does not recover");
}

#[test]
fn without_a_fault_every_permitted_request_passes() {
    let issuer = Issuer::new("k1");
    assert_eq!(in_worker(|| run_lifetime(&issuer, None)), Some(11));
}

/// Returns the number of faults that made the module refuse the configuration.
fn assert_nothing_passes(phase: Phase) -> usize {
    let issuer = Issuer::new("k1");
    let made = in_worker(|| {
        run_lifetime(&issuer, None);
        with_world(|world| world.made.clone())
    });
    let faults = faults(phase, &made);
    assert!(!faults.is_empty());
    let lives = faults
        .into_iter()
        .map(|fault| in_worker(|| run_lifetime(&issuer, Some(fault))));
    lives.filter(Option::is_none).count()
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_configuration_is_made() {
    let refused = assert_nothing_passes(Phase::ConfigNew);
    assert!(refused >= 10, "{refused} configurations were refused");
}

#[test]
fn nothing_passes_when_a_call_fails_in_a_tick_of_the_main_thread() {
    assert_nothing_passes(Phase::ConfigScheduled);
}

#[test]
fn nothing_passes_when_a_call_fails_while_an_issuer_answers() {
    assert_nothing_passes(Phase::ConfigCalloutDone);
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_request_begins() {
    assert_nothing_passes(Phase::New);
}

#[test]
fn nothing_passes_when_a_call_fails_while_request_headers_arrive() {
    assert_nothing_passes(Phase::RequestHeaders);
}

#[test]
fn nothing_passes_when_a_call_fails_while_request_trailers_arrive() {
    assert_nothing_passes(Phase::RequestTrailers);
}

#[test]
fn nothing_passes_when_a_call_fails_in_a_tick_or_a_decision_of_a_waiting_request() {
    assert_nothing_passes(Phase::Scheduled);
}

#[test]
fn nothing_passes_when_a_call_fails_while_response_headers_arrive() {
    assert_nothing_passes(Phase::ResponseHeaders);
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_client_leaves() {
    assert_nothing_passes(Phase::StreamComplete);
}

#[test]
fn nothing_passes_when_a_call_fails_in_the_module_s_own_thread() {
    assert_nothing_passes(Phase::RequestTicks);
}

#[test]
fn other_hooks_make_no_call_that_could_fail() {
    let issuer = Issuer::new("k1");
    let made = in_worker(|| {
        run_lifetime(&issuer, None);
        with_world(|world| world.made.clone())
    });
    for phase in [Phase::RequestBody, Phase::Destroy, Phase::ConfigDestroy] {
        assert!(made.keys().all(|(at, _)| *at != phase), "{made:?}");
    }
}

/// The calls in a request's own hook, and whether the request may pass if the call fails.
/// Failed reporting never affects a decision.
const OWN_CALLS: [(Call, bool); 12] = [
    (CLOCK, false),
    ("http_get_headers_size", false),
    ("http_get_headers", false),
    ("http_set_header", false),
    ("http_add_header", false),
    ("http_set_filter_state_bytes", false),
    ("http_set_dynamic_metadata_string", true),
    ("log", true),
    ("log_enabled", true),
    ("http_filter_increment_counter", true),
    ("http_filter_increment_gauge", true),
    ("http_filter_get_worker_index", true),
];

#[test]
fn a_request_whose_own_calls_fail_is_answered_503() {
    let issuer = Issuer::new("k1");
    for (call, may_pass) in OWN_CALLS {
        for way in ways(call) {
            let passes = in_worker(|| {
                let config = configure(&inline(&issuer)).unwrap();
                with_world(|world| {
                    world.fault = Some(Fault {
                        call,
                        way,
                        phase: Phase::RequestHeaders,
                        after: 0,
                    });
                });
                let token = issuer.token(START);
                // The identity header is added only if there is no header to replace.
                let id = match call {
                    "http_add_header" => post_with(config, "/private", &token, &[]),
                    _ => post(config, "/private", &token),
                };
                match outcome(id) {
                    Outcome::Forwarded(_) => true,
                    Outcome::Answered(reply) => {
                        // A request whose fields are missing cannot be read either.
                        assert!([503, 400].contains(&reply.status), "{call}: {reply:?}");
                        false
                    }
                    Outcome::Waits => panic!("{call}: the request waits"),
                }
            });
            assert_eq!(passes, may_pass, "{call}, {way}");
        }
    }
}
