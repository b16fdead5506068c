//! Every call of Envoy that can fail, in every way, in every hook. No request passes that
//! must not, and a request that passes has all its changes. A clock that panics stands for
//! a fault of the module's own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::fault::{CLOCK, Call, Fault, Phase, ways};
use super::issuer::{Issuer, configuration, inline};
use super::proxy::{
    Config, Outcome, answer, answered, body, configure, destroy, forwarded, leave, outcome,
    request, respond, sent, trailers, trailers_of, wait,
};
use super::world::{Fields, START, in_worker, values, with_world};

/// With fetched keys, from a place of its own: configurations share what they have fetched.
fn fetched() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let uri = format!("https://issuer.example/faults/{number}");
    configuration(&json!({"cluster": "idp", "uri": uri})).to_string()
}

/// The calls that a whole lifetime makes in a hook. The first call fails in every way, the
/// others in one way.
fn faults(phase: Phase, made: &BTreeMap<(Phase, Call), usize>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((_, call), count) in made.iter().filter(|((at, _), _)| *at == phase) {
        // There may be no trailers, and this is how Envoy says so.
        if phase == Phase::RequestTrailers && *call == "http_get_headers_size" {
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

/// A request that carries a forged identity.
fn post(config: Config, path: &str, token: &str) -> usize {
    let own = [("x-user-id", "mallory"), ("x_user_id", "mallory")];
    post_with(config, path, token, &own)
}

fn post_with(config: Config, path: &str, token: &str, fields: &[(&str, &str)]) -> usize {
    let token = format!("Bearer {token}");
    let mut headers = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", "api.example"),
        ("authorization", &*token),
        ("origin", "https://evil.example"),
    ];
    headers.extend(fields);
    request(config, &headers)
}

/// A request that passed has the identity of the token and none from the client.
fn assert_changed_whole(upstream: &Fields, fault: Option<Fault>) {
    assert_eq!(values(upstream, "x-user-id"), ["alice"], "{fault:?}");
    assert_eq!(values(upstream, "x_user_id"), [""; 0], "{fault:?}");
    assert_eq!(values(upstream, "authorization"), [""; 0], "{fault:?}");
}

/// One lifetime of a configuration, with requests that may pass and requests that may not.
/// Some of them wait. Returns how many passed; `None` if the configuration was refused.
fn live(issuer: &Issuer, fault: Option<Fault>) -> Option<usize> {
    with_world(|world| world.fault = fault);
    let config = configure(&fetched())?;
    let good = issuer.token(START);
    let bad = Issuer::new("k1").token(START);
    let mut may_pass = vec![
        post(config, "/private", &good),
        post_with(config, "/private", &good, &[("x-other", "kept")]),
    ];
    let mut may_not = vec![
        post(config, "/private", &bad),
        post(config, "/private", ""),
        post(config, "/nowhere", ""),
    ];
    let leaves = post(config, "/private", &good);
    let overtaken = post(config, "/private", &good);
    for id in may_pass.iter().chain(&may_not) {
        body(*id);
        trailers(*id, &[("x-user-id", "mallory")]);
    }
    leave(leaves);
    // Envoy answers by itself while the request waits.
    let _ = respond(overtaken, &[(":status", "408")]);
    leave(overtaken);
    for _ in 0..4 {
        wait(config, 4);
        for sent in sent() {
            answer(config, &sent, 200, &issuer.jwks().to_string());
        }
        may_pass.push(post(config, "/private", &good));
        may_not.push(post(config, "/private", &bad));
        may_not.push(post(
            config,
            "/private",
            &Issuer::new("unknown").token(START),
        ));
    }
    wait(config, 24);
    for id in may_not {
        body(id);
        trailers(id, &[("x-user-id", "mallory")]);
        assert!(forwarded(id).is_none(), "{fault:?}: {:?}", outcome(id));
        leave(id);
    }
    let passed = finish(may_pass, fault);
    // It still works where nothing fails any more.
    with_world(|world| world.fault = None);
    // Envoy loses no event of what is there.
    if fault.is_some_and(|fault| !fault.call.ends_with("_commit")) {
        recovers(config, issuer, fault);
    }
    destroy(config);
    // A thread keeps the last configuration that it has served until it serves another.
    let left = with_world(|world| world.schedulers.load(Ordering::Relaxed));
    assert!(left <= 1, "{fault:?}: {left} schedulers are left");
    Some(passed)
}

/// Ends requests that may have passed. Returns how many have.
fn finish(may_pass: Vec<usize>, fault: Option<Fault>) -> usize {
    let mut passed = 0;
    for id in may_pass {
        body(id);
        trailers(id, &[("x-user-id", "mallory")]);
        if let Outcome::Forwarded(upstream) = outcome(id) {
            assert_changed_whole(&upstream, fault);
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

/// After the fault, a good token passes within the time in which a key set is fetched
/// again, and a bad one does not.
fn recovers(config: Config, issuer: &Issuer, fault: Option<Fault>) {
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
    panic!("{fault:?}: it does not recover");
}

#[test]
fn without_a_fault_every_permitted_request_passes() {
    let issuer = Issuer::new("k1");
    assert_eq!(in_worker(|| live(&issuer, None)), Some(6));
}

/// Returns how many of the faults have refused the configuration.
fn no_request_passes_that_must_not(phase: Phase) -> usize {
    let issuer = Issuer::new("k1");
    let made = in_worker(|| {
        live(&issuer, None);
        with_world(|world| world.made.clone())
    });
    let faults = faults(phase, &made);
    assert!(!faults.is_empty());
    let lives = faults
        .into_iter()
        .map(|fault| in_worker(|| live(&issuer, Some(fault))));
    lives.filter(Option::is_none).count()
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_configuration_is_made() {
    let refused = no_request_passes_that_must_not(Phase::ConfigNew);
    assert!(refused >= 10, "{refused} configurations were refused");
}

#[test]
fn nothing_passes_when_a_call_fails_in_a_tick_of_the_main_thread() {
    no_request_passes_that_must_not(Phase::ConfigScheduled);
}

#[test]
fn nothing_passes_when_a_call_fails_while_an_issuer_answers() {
    no_request_passes_that_must_not(Phase::ConfigCalloutDone);
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_request_begins() {
    no_request_passes_that_must_not(Phase::New);
}

#[test]
fn nothing_passes_when_a_call_fails_while_request_headers_arrive() {
    no_request_passes_that_must_not(Phase::RequestHeaders);
}

#[test]
fn nothing_passes_when_a_call_fails_while_request_trailers_arrive() {
    no_request_passes_that_must_not(Phase::RequestTrailers);
}

#[test]
fn nothing_passes_when_a_call_fails_in_a_tick_or_a_decision_of_a_waiting_request() {
    no_request_passes_that_must_not(Phase::Scheduled);
}

#[test]
fn nothing_passes_when_a_call_fails_while_response_headers_arrive() {
    no_request_passes_that_must_not(Phase::ResponseHeaders);
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_client_leaves() {
    no_request_passes_that_must_not(Phase::StreamComplete);
}

#[test]
fn nothing_passes_when_a_call_fails_in_the_module_s_own_thread() {
    no_request_passes_that_must_not(Phase::RequestTicks);
}

#[test]
fn other_hooks_make_no_call_that_could_fail() {
    let issuer = Issuer::new("k1");
    let made = in_worker(|| {
        live(&issuer, None);
        with_world(|world| world.made.clone())
    });
    for phase in [Phase::RequestBody, Phase::Destroy, Phase::ConfigDestroy] {
        assert!(made.keys().all(|(at, _)| *at != phase), "{made:?}");
    }
}

/// The calls of a request's own hook, and whether the request may pass if the call fails.
/// Reporting never affects a decision.
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
                // Its identity header is added, since there is no header to replace.
                let id = match call {
                    "http_add_header" => post_with(config, "/private", &token, &[]),
                    _ => post(config, "/private", &token),
                };
                match outcome(id) {
                    Outcome::Forwarded(_) => true,
                    Outcome::Answered(reply) => {
                        // Without its fields a request cannot be read either.
                        assert!([503, 400].contains(&reply.status), "{call}: {reply:?}");
                        false
                    }
                    Outcome::Waits => panic!("{call}: it waits"),
                }
            });
            assert_eq!(passes, may_pass, "{call}, {way}");
        }
    }
}
