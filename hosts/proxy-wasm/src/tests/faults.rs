//! Every call of the host that can fail, in every way, in every callback. No request may
//! pass wrongly, and a request that passes must have all its changes.
//!
//! Two calls are made by the SDK. `proxy_http_call` fails only with the statuses that
//! hosts return, because the SDK panics on others. The answer to it arrives only if
//! `proxy_set_effective_context` works, because the SDK panics if it does not. The filter
//! checks that before it sends the call (`host::get`).

use std::collections::BTreeMap;
use std::time::Duration;

use super::issuer::{Issuer, fetched, inline};
use super::proxy::{
    answer, body, configure, forwarded, leave, leave_root, outcome, pass, request, respond, sent,
    tick, trailers, trailers_of,
};
use super::world::{
    Call, Failure, Fault, Fields, Outcome, Phase, START, in_worker, values, with_world,
};

const ROOT: u32 = 1;

/// Every way in which a call can fail.
fn failures(call: Call) -> Vec<Failure> {
    let statuses = (1..=12).map(Failure::Status);
    match call {
        Call::Fetch => vec![Failure::Status(2), Failure::Status(10)],
        Call::Buffer | Call::Headers | Call::GetShared | Call::Foreign => {
            let garbage = [
                Failure::NoMemory,
                Failure::Half,
                Failure::Noise,
                Failure::Nothing,
            ];
            statuses.chain(garbage).collect()
        }
        _ => statuses.collect(),
    }
}

/// The calls that a whole lifetime makes in a callback. The first call fails in every
/// way, the others in one way.
fn faults(phase: Phase, made: &BTreeMap<(Phase, Call), usize>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((_, call), count) in made.iter().filter(|((at, _), _)| *at == phase) {
        let (phase, call) = (phase, *call);
        // The first such call in this callback is made by the SDK.
        let own = usize::from(phase == Phase::Answer && call == Call::EffectiveContext);
        for failure in failures(call) {
            faults.push(Fault {
                call,
                failure,
                phase,
                after: own,
            });
        }
        let failure = failures(call)[1];
        for after in own + 1..(*count).min(own + 12) {
            faults.push(Fault {
                call,
                failure,
                phase,
                after,
            });
        }
    }
    faults
}

/// A request that carries a forged identity.
fn post(path: &str, token: &str) -> u32 {
    let own = [("x-user-id", "mallory"), ("x_user_id", "mallory")];
    post_with(path, token, &own)
}

fn post_with(path: &str, token: &str, fields: &[(&str, &str)]) -> u32 {
    let token = format!("Bearer {token}");
    let mut headers = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", "api.example"),
        ("authorization", &*token),
        ("origin", "https://evil.example"),
    ];
    headers.extend(fields);
    request(ROOT, &headers)
}

/// Runs late ticks, as on a busy proxy.
fn late_ticks(count: usize) {
    for _ in 0..count {
        with_world(|world| world.nanos += 250_000_000);
        tick(ROOT);
    }
}

/// Checks that a request that passed has the identity of the token and none from the
/// client.
fn assert_changed_whole(upstream: &Fields, fault: Fault) {
    assert_eq!(values(upstream, "x-user-id"), ["alice"], "{fault:?}");
    assert_eq!(values(upstream, "x_user_id"), [""; 0], "{fault:?}");
    assert_eq!(values(upstream, "authorization"), [""; 0], "{fault:?}");
}

/// Runs one lifetime of a filter, with requests that may pass and requests that may not.
/// Some of them wait. Returns the number of requests that passed.
fn live(issuer: &Issuer, fault: Fault) -> usize {
    with_world(|world| world.fault = Some(fault));
    let noise = fault.phase == Phase::Configure
        && fault.call == Call::Buffer
        && fault.failure == Failure::Noise;
    // The result depends only on the bytes, not on other host calls.
    assert_eq!(configure(ROOT, &fetched()), !noise, "{fault:?}");
    if noise {
        return 0;
    }
    let good = issuer.token(START);
    let bad = Issuer::new("k1").token(START);
    let mut may_pass = vec![
        post("/private", &good),
        post_with("/private", &good, &[("x-other", "kept")]),
    ];
    let mut may_not = vec![
        post("/private", &bad),
        post("/private", ""),
        post("/nowhere", ""),
    ];
    let leaves = post("/private", &good);
    for id in may_pass.iter().chain(&may_not) {
        body(*id);
        trailers(*id, &[("x-user-id", "mallory")]);
    }
    leave(leaves);
    for _ in 0..4 {
        late_ticks(4);
        for sent in sent() {
            answer(&sent, 200, &[], &issuer.jwks().to_string());
        }
        may_pass.push(post("/private", &good));
        may_not.push(post("/private", &bad));
        may_not.push(post("/private", &Issuer::new("unknown").token(START)));
    }
    late_ticks(24);
    // Its measurements are reported only when the listener ends.
    may_pass.push(post("/private", &good));
    for id in may_not {
        body(id);
        trailers(id, &[("x-user-id", "mallory")]);
        assert!(forwarded(id).is_none(), "{fault:?}: {:?}", outcome(id));
        leave(id);
    }
    finish(may_pass, fault)
}

/// Ends requests that may have passed. Returns the number of requests that passed.
fn finish(may_pass: Vec<u32>, fault: Fault) -> usize {
    let mut passed = 0;
    for id in may_pass {
        body(id);
        let end = trailers(id, &[("x-user-id", "mallory")]);
        if let Outcome::Forwarded(upstream) = outcome(id) {
            assert_changed_whole(&upstream, fault);
            let trailers = end.unwrap_or_else(|| trailers_of(id));
            assert_eq!(values(&trailers, "x-user-id"), [""; 0], "{fault:?}");
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
    leave_root(ROOT);
    passed
}

/// No fault.
const NO_FAULT: Fault = Fault {
    call: Call::Close,
    failure: Failure::Status(2),
    phase: Phase::Done,
    after: 0,
};

#[test]
fn without_a_fault_every_permitted_request_passes() {
    let issuer = Issuer::new("k1");
    assert_eq!(in_worker(|| live(&issuer, NO_FAULT)), 7);
}

fn no_request_passes_that_must_not(phase: Phase) {
    let issuer = Issuer::new("k1");
    let made = in_worker(|| {
        live(&issuer, NO_FAULT);
        with_world(|world| world.made.clone())
    });
    let faults = faults(phase, &made);
    assert!(!faults.is_empty());
    for fault in faults {
        in_worker(|| live(&issuer, fault));
    }
}

#[test]
fn nothing_passes_when_a_call_fails_while_the_configuration_is_read() {
    no_request_passes_that_must_not(Phase::Configure);
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
fn nothing_passes_when_a_call_fails_in_a_tick() {
    no_request_passes_that_must_not(Phase::Tick);
}

#[test]
fn nothing_passes_when_a_call_fails_while_an_issuer_answers() {
    no_request_passes_that_must_not(Phase::Answer);
}

#[test]
fn nothing_passes_when_a_call_fails_while_response_headers_arrive() {
    no_request_passes_that_must_not(Phase::ResponseHeaders);
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_client_leaves() {
    no_request_passes_that_must_not(Phase::Done);
}

#[test]
fn a_body_makes_no_call_that_could_fail() {
    let issuer = Issuer::new("k1");
    let made = in_worker(|| {
        live(&issuer, NO_FAULT);
        with_world(|world| world.made.clone())
    });
    assert!(
        made.keys().all(|(phase, _)| *phase != Phase::RequestBody),
        "{made:?}"
    );
}

/// The calls of a request's first callback, and whether the request may pass if the call
/// fails. Reporting never affects a decision.
const OWN_CALLS: [(Call, bool); 11] = [
    (Call::Time, false),
    (Call::Headers, false),
    (Call::RemoveHeader, false),
    (Call::SetHeader, false),
    (Call::AddHeader, false),
    (Call::SetProperty, false),
    (Call::Log, true),
    (Call::DefineMetric, true),
    (Call::RecordMetric, true),
    (Call::IncrementMetric, true),
    (Call::Foreign, true),
];

#[test]
fn a_request_whose_own_calls_fail_is_answered_503() {
    let issuer = Issuer::new("k1");
    for (call, may_pass) in OWN_CALLS {
        let passes = in_worker(|| {
            assert!(configure(ROOT, &inline(&issuer)));
            let (failure, phase) = (Failure::Status(10), Phase::RequestHeaders);
            with_world(|world| {
                world.fault = Some(Fault {
                    call,
                    failure,
                    phase,
                    after: 0,
                });
            });
            let token = issuer.token(START);
            // Its identity header is added, because there is no header to replace.
            let id = match call {
                Call::AddHeader => post_with("/private", &token, &[]),
                _ => post("/private", &token),
            };
            match outcome(id) {
                Outcome::Forwarded(_) => true,
                Outcome::Answered(reply) => {
                    assert_eq!(
                        (reply.status, &*reply.details),
                        (503, "edge_authz_internal_error")
                    );
                    false
                }
                other => panic!("{call:?}: {other:?}"),
            }
        });
        assert_eq!(passes, may_pass, "{call:?}");
    }
}

#[test]
fn the_stream_is_reset_if_no_answer_can_be_sent() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &inline(&issuer)));
        let (call, failure) = (Call::Reply, Failure::Status(2));
        let fault = Fault {
            call,
            failure,
            phase: Phase::RequestHeaders,
            after: 0,
        };
        with_world(|world| world.fault = Some(fault));
        let id = post("/private", "");
        assert!(matches!(outcome(id), Outcome::Reset), "{:?}", outcome(id));
        assert!(!body(id));
    });
}

#[test]
fn no_fetch_is_sent_if_the_host_cannot_switch_contexts() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &fetched()));
        let (call, failure) = (Call::EffectiveContext, Failure::Status(10));
        let fault = Fault {
            call,
            failure,
            phase: Phase::Tick,
            after: 0,
        };
        with_world(|world| world.fault = Some(fault));
        post("/private", &issuer.token(START));
        pass(ROOT, Duration::from_secs(3));
        assert!(sent().is_empty());
    });
}
