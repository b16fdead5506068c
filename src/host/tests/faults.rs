//! Every call of the host that can fail, in every way, in every callback. No request may
//! pass wrongly, and a request that passes must have all its changes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::HostError;
use super::exchange::failures;
use super::issuer::{Issuer, fetched, inline};
use super::proxy::{Outcome, Proxy, values};
use super::world::{Call, Failure, Fault, Fields, Phase, START};
use crate::engine::StreamId;

/// The calls that a whole lifetime makes in a callback. The first call fails in every
/// way, the others in one way.
fn faults(phase: Phase, made: &BTreeMap<(Phase, Call), usize>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for ((_, call), count) in made.iter().filter(|((at, _), _)| *at == phase) {
        let fault = |failure, after| Fault {
            call: *call,
            failure,
            phase,
            after,
        };
        let failures = failures(*call);
        faults.extend(failures.iter().map(|failure| fault(*failure, 0)));
        faults.extend((1..(*count).min(12)).map(|after| fault(failures[0], after)));
    }
    faults
}

/// A request that carries a forged identity.
fn post(proxy: &mut Proxy, path: &str, token: &str) -> StreamId {
    let own = [("x-user-id", "mallory"), ("x_user_id", "mallory")];
    post_with(proxy, path, token, &own)
}

fn post_with(proxy: &mut Proxy, path: &str, token: &str, fields: &[(&str, &str)]) -> StreamId {
    let token = format!("Bearer {token}");
    let mut headers = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", "api.example"),
        ("authorization", &*token),
        ("origin", "https://evil.example"),
    ];
    headers.extend(fields);
    proxy.request(&headers)
}

/// Runs late ticks, as on a busy proxy.
fn late_ticks(proxy: &mut Proxy, count: usize) {
    for _ in 0..count {
        proxy.world().nanos += 250_000_000;
        proxy.tick();
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
fn live(proxy: &mut Proxy, issuer: &Issuer, fault: Fault) -> usize {
    proxy.world().fault = Some(fault);
    if !proxy.configure(&fetched()) {
        // The host uses the fallback.
        assert_eq!(fault.phase, Phase::Start, "{fault:?}");
        assert!(
            matches!(fault.call, Call::Time | Call::TickPeriod),
            "{fault:?}"
        );
        return 0;
    }
    let good = issuer.token(START);
    let bad = Issuer::new("k1").token(START);
    let mut may_pass = vec![
        post(proxy, "/private", &good),
        post_with(proxy, "/private", &good, &[("x-other", "kept")]),
    ];
    let mut may_not = vec![
        post(proxy, "/private", &bad),
        post(proxy, "/private", ""),
        post(proxy, "/nowhere", ""),
    ];
    let leaves = post(proxy, "/private", &good);
    for id in may_pass.iter().chain(&may_not) {
        proxy.body(*id);
        proxy.trailers(*id, &[("x-user-id", "mallory")]);
    }
    proxy.leave(leaves);
    for _ in 0..4 {
        late_ticks(proxy, 4);
        for (number, _) in proxy.sent() {
            proxy.answer(number, &issuer.jwks().to_string());
        }
        may_pass.push(post(proxy, "/private", &good));
        may_not.push(post(proxy, "/private", &bad));
        let unknown = Issuer::new("unknown").token(START);
        may_not.push(post(proxy, "/private", &unknown));
    }
    late_ticks(proxy, 24);
    // Its measurements are reported only when the listener ends.
    may_pass.push(post(proxy, "/private", &good));
    for id in may_not {
        proxy.body(id);
        proxy.trailers(id, &[("x-user-id", "mallory")]);
        let outcome = proxy.outcome(id);
        assert!(proxy.forwarded(id).is_none(), "{fault:?}: {outcome:?}");
        proxy.leave(id);
    }
    finish(proxy, may_pass, fault)
}

/// Ends requests that may have passed. Returns the number of requests that passed.
fn finish(proxy: &mut Proxy, may_pass: Vec<StreamId>, fault: Fault) -> usize {
    let mut passed = 0;
    for id in may_pass {
        proxy.body(id);
        let before = proxy.held(id, |held| held.forwarded_trailers.clone());
        assert_eq!(values(&before, "x-user-id"), [""; 0], "{fault:?}");
        let end = proxy.trailers(id, &[("x-user-id", "mallory")]);
        if let Outcome::Forwarded(upstream) = proxy.outcome(id) {
            assert_changed_whole(&upstream, fault);
            let trailers = end.unwrap_or_else(|| proxy.trailers_of(id));
            assert_eq!(values(&trailers, "x-user-id"), [""; 0], "{fault:?}");
            passed += 1;
        }
        if proxy.forwarded(id).is_some() {
            let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
            if let Some(client) = proxy.respond(id, &answer) {
                let allowed = values(&client, "access-control-allow-origin");
                assert_eq!(allowed, [""; 0], "{fault:?}");
            }
        }
        proxy.leave(id);
    }
    proxy.drain();
    passed
}

/// No fault.
const NO_FAULT: Fault = Fault {
    call: Call::Reset,
    failure: Failure::Error(HostError::NotFound),
    phase: Phase::Ended,
    after: 0,
};

/// The calls of a lifetime without failures.
fn made(issuer: &Issuer) -> BTreeMap<(Phase, Call), usize> {
    let mut proxy = Proxy::new();
    live(&mut proxy, issuer, NO_FAULT);
    std::mem::take(&mut proxy.world().made)
}

#[test]
fn without_a_fault_every_permitted_request_passes() {
    let issuer = Issuer::new("k1");
    assert_eq!(live(&mut Proxy::new(), &issuer, NO_FAULT), 7);
}

fn no_request_passes_that_must_not(phase: Phase) {
    let issuer = Issuer::new("k1");
    let faults = faults(phase, &made(&issuer));
    assert!(!faults.is_empty());
    for fault in faults {
        live(&mut Proxy::new(), &issuer, fault);
    }
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_policy_is_activated() {
    no_request_passes_that_must_not(Phase::Start);
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
    no_request_passes_that_must_not(Phase::Fetched);
}

#[test]
fn nothing_passes_when_a_call_fails_while_response_headers_arrive() {
    no_request_passes_that_must_not(Phase::ResponseHeaders);
}

#[test]
fn nothing_passes_when_a_call_fails_while_a_client_leaves() {
    no_request_passes_that_must_not(Phase::Ended);
}

/// Checks that every call that can fail does fail somewhere. Otherwise a call that the
/// lifetime does not make would be missing from the matrix.
#[test]
fn a_lifetime_makes_every_call() {
    let made = made(&Issuer::new("k1"));
    let calls: Vec<Call> = made.keys().map(|(_, call)| *call).collect();
    for call in [
        Call::Time,
        Call::LogLevel,
        Call::Log,
        Call::DefineMetric,
        Call::ChangeMetric,
        Call::TickPeriod,
        Call::Send,
        Call::GetShared,
        Call::SetShared,
        Call::Verify,
        Call::WithWaiting,
        Call::Headers,
        Call::SetHeader,
        Call::AddHeader,
        Call::RemoveHeader,
        Call::Resume,
        Call::Reply,
        Call::FilterState,
        Call::AnswerHead,
        Call::AnswerBody,
    ] {
        assert!(calls.contains(&call), "{call:?} in {made:?}");
    }
}

/// The calls of a request's first callback, and whether the request may pass if the call
/// fails. Reporting never affects a decision.
const OWN_CALLS: [(Call, bool); 10] = [
    (Call::Time, false),
    (Call::Headers, false),
    (Call::RemoveHeader, false),
    (Call::SetHeader, false),
    (Call::AddHeader, false),
    (Call::FilterState, false),
    (Call::Log, true),
    (Call::DefineMetric, true),
    (Call::ChangeMetric, true),
    (Call::Verify, true),
];

#[test]
fn a_request_whose_own_calls_fail_is_answered_503() {
    let issuer = Issuer::new("k1");
    for (call, may_pass) in OWN_CALLS {
        for failure in failures(call) {
            let mut proxy = Proxy::with(&inline(&issuer));
            proxy.world().fault = Some(Fault {
                call,
                failure,
                phase: Phase::RequestHeaders,
                after: 0,
            });
            let token = issuer.token(START);
            // Its identity header is added, because there is no header to replace.
            let id = match call {
                Call::AddHeader => post_with(&mut proxy, "/private", &token, &[]),
                _ => post(&mut proxy, "/private", &token),
            };
            match proxy.outcome(id) {
                Outcome::Forwarded(_) => assert!(may_pass, "{call:?}"),
                Outcome::Answered(reply) => {
                    let expected = (503, "edge_authz_internal_error");
                    assert_eq!((reply.status, &*reply.details), expected);
                    assert!(!may_pass, "{call:?}");
                }
                other => panic!("{call:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_stream_is_reset_if_no_answer_can_be_sent() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&inline(&issuer));
    proxy.world().fault = Some(Fault {
        call: Call::Reply,
        failure: Failure::Error(HostError::Refused(2)),
        phase: Phase::RequestHeaders,
        after: 0,
    });
    let id = post(&mut proxy, "/private", "");
    assert!(matches!(proxy.outcome(id), Outcome::Reset));
    assert!(!proxy.body(id));
}

#[test]
fn a_request_that_cannot_be_resumed_is_answered_503() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let id = post(&mut proxy, "/private", &issuer.token(START));
    let number = proxy.next_sent();
    proxy.world().fault = Some(Fault {
        call: Call::Resume,
        failure: Failure::Error(HostError::Refused(2)),
        phase: Phase::Tick,
        after: 0,
    });
    proxy.answer(number, &issuer.jwks().to_string());
    assert_eq!(proxy.status_of(id), Some(503));
    assert!(!proxy.body(id));
}

#[test]
fn a_request_that_cannot_be_reached_stays_paused() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&fetched());
    let id = post(&mut proxy, "/private", &issuer.token(START));
    let number = proxy.next_sent();
    proxy.world().fault = Some(Fault {
        call: Call::WithWaiting,
        failure: Failure::Error(HostError::NotFound),
        phase: Phase::Tick,
        after: 0,
    });
    proxy.answer(number, &issuer.jwks().to_string());
    proxy.pass(Duration::from_secs(6));
    assert!(proxy.waits(id));
    assert!(!proxy.body(id));
}
