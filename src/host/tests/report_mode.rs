//! A policy that only reports, on a host that fails in every possible call. Its requests
//! pass, but never without the removal of the client's identity headers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::exchange::failures;
use super::issuer::{Issuer, configuration};
use super::proxy::{Outcome, Proxy, values};
use super::world::{Call, Failure, Fault, Phase, START};
use crate::engine::StreamId;
use crate::host::HostError;
use crate::telemetry::Level;

/// A configuration that only reports.
fn reporting(jwks: &Value) -> String {
    let mut document = configuration(jwks);
    document["mode"] = json!("report");
    document["routes"] = json!([
        {"match": "GET /public", "access": "public"},
        {"match": "ANY /private"},
        {"match": "ANY /denied", "access": "denied"},
        {"match": "ANY /enforced", "mode": "enforce"},
    ]);
    document.to_string()
}

fn fetched() -> String {
    reporting(&json!({"cluster": "idp", "uri": "https://issuer.example/jwks.json"}))
}

/// A request with a forged identity and a token that nobody trusts.
fn post(proxy: &mut Proxy, path: &str, token: &str) -> StreamId {
    let token = format!("Bearer {token}");
    proxy.request(&[
        (":method", "POST"),
        (":path", path),
        (":authority", "api.example"),
        ("authorization", &token),
        ("x-user-id", "mallory"),
        ("x_user_id", "mallory"),
        ("origin", "https://evil.example"),
    ])
}

/// Checks a request that would have been refused. Returns whether it has passed.
fn passed(proxy: &mut Proxy, id: StreamId, fault: Fault) -> bool {
    proxy.body(id);
    proxy.trailers(id, &[("x-user-id", "mallory")]);
    let outcome = proxy.outcome(id);
    match &outcome {
        Outcome::Forwarded(upstream) => {
            for name in ["x-user-id", "x_user_id"] {
                assert_eq!(values(upstream, name), [""; 0], "{fault:?}");
            }
            assert_eq!(values(upstream, "authorization").len(), 1, "{fault:?}");
            let trailers = proxy.trailers_of(id);
            assert_eq!(values(&trailers, "x-user-id"), [""; 0], "{fault:?}");
            let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
            if let Some(client) = proxy.respond(id, &answer) {
                let allowed = values(&client, "access-control-allow-origin");
                assert_eq!(allowed, [""; 0], "{fault:?}");
            }
            true
        }
        Outcome::Answered(reply) => {
            assert_eq!(reply.status, 503, "{fault:?}");
            false
        }
        Outcome::Reset => false,
        Outcome::Waits => panic!("{fault:?}: a request waits"),
    }
}

/// Runs one lifetime. Returns the number of requests that passed although they would have
/// been refused.
fn live(proxy: &mut Proxy, issuer: &Issuer, fault: Fault) -> usize {
    proxy.world().fault = Some(fault);
    if !proxy.configure(&fetched()) {
        assert_eq!(fault.phase, Phase::Start, "{fault:?}");
        return 0;
    }
    let forged = Issuer::new("k1").token(START);
    let good = issuer.token(START);
    let mut count = 0;
    for round in 0..3 {
        let unknown = Issuer::new("unknown").token(START);
        for (path, token) in [
            ("/private", ""),
            ("/private", &*forged),
            ("/private", &*unknown),
            ("/nowhere", &*good),
            ("//private", &*good),
        ] {
            let id = post(proxy, path, token);
            count += usize::from(passed(proxy, id, fault));
            proxy.leave(id);
        }
        if round == 0 {
            // No keys have arrived.
            let id = post(proxy, "/private", &good);
            count += usize::from(passed(proxy, id, fault));
            proxy.leave(id);
        }
        for path in ["/denied", "/enforced"] {
            let id = post(proxy, path, "");
            assert!(proxy.forwarded(id).is_none(), "{fault:?}");
            proxy.leave(id);
        }
        for _ in 0..4 {
            proxy.world().nanos += 250_000_000;
            proxy.tick();
        }
        for (number, _) in proxy.sent() {
            proxy.answer(number, &issuer.jwks().to_string());
        }
    }
    proxy.drain();
    count
}

/// No fault.
const NO_FAULT: Fault = Fault {
    call: Call::Reset,
    failure: Failure::Error(HostError::NotFound),
    phase: Phase::Ended,
    after: 0,
};

#[test]
fn without_a_fault_every_request_passes() {
    let issuer = Issuer::new("k1");
    assert_eq!(live(&mut Proxy::new(), &issuer, NO_FAULT), 16);
}

#[test]
fn no_request_passes_with_an_identity_of_the_client_whichever_call_fails() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::new();
    live(&mut proxy, &issuer, NO_FAULT);
    let made: BTreeMap<(Phase, Call), usize> = std::mem::take(&mut proxy.world().made);
    let mut least = usize::MAX;
    for ((phase, call), count) in made {
        for failure in failures(call) {
            for after in 0..count.min(4) {
                let fault = Fault {
                    call,
                    failure,
                    phase,
                    after,
                };
                least = least.min(live(&mut Proxy::new(), &issuer, fault));
            }
        }
    }
    assert_eq!(least, 0, "no fault has an effect");
}

#[test]
fn a_host_error_is_a_refusal_and_is_not_reported_as_a_pass() {
    let issuer = Issuer::new("k1");
    for (call, may_pass) in [
        (Call::Time, false),
        (Call::Headers, false),
        (Call::RemoveHeader, false),
        (Call::FilterState, false),
        (Call::Log, true),
        (Call::DefineMetric, true),
        (Call::ChangeMetric, true),
    ] {
        for failure in failures(call) {
            let mut proxy = Proxy::with(&reporting(&json!({"inline": issuer.jwks()})));
            proxy.world().fault = Some(Fault {
                call,
                failure,
                phase: Phase::RequestHeaders,
                after: 0,
            });
            let id = post(&mut proxy, "/private", "");
            assert_eq!(proxy.forwarded(id).is_some(), may_pass, "{call:?}");
            if may_pass {
                continue;
            }
            assert_eq!(proxy.status_of(id), Some(503), "{call:?}");
            let name = "edge_authz.requests.internal_error.none";
            assert_eq!(proxy.metric(name), 1, "{call:?}");
            let counted = proxy.world().values.clone();
            let reports = counted.keys().filter(|name| name.contains("reported"));
            assert_eq!(reports.count(), 0, "{call:?}: {counted:?}");
        }
    }
}

#[test]
fn a_report_is_counted_and_logged_and_publishes_no_identity() {
    let issuer = Issuer::new("k1");
    let mut proxy = Proxy::with(&reporting(&json!({"inline": issuer.jwks()})));
    proxy.world().log_level = Some(Level::Debug);
    proxy.tick();
    proxy.world().log.clear();
    let forged = Issuer::new("k1").token(START);
    let id = post(&mut proxy, "/private", &forged);
    assert!(proxy.forwarded(id).is_some());
    let [(level, line)] = &*proxy.world().log.clone() else {
        panic!("one line");
    };
    assert_eq!(*level, Level::Debug);
    assert_eq!(
        line,
        "reported: bad_signature, route `ANY /private`, provider `idp`; steps: path ok, \
         route found, one token, ES256, providers with its issuer: 1, provider `idp`: \
         not signed (keys: 1, tried: 1)"
    );
    let state = proxy.held(id, |held| held.filter_state.clone());
    let names: Vec<_> = state
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        names,
        [
            "edge_authz.reason=reported",
            "edge_authz.route=ANY /private"
        ]
    );
    assert_eq!(proxy.metric("edge_authz.requests.reported.idp"), 1);
    assert_eq!(proxy.metric("edge_authz.reported.bad_signature.idp"), 1);
    post(&mut proxy, "/nowhere", "");
    assert_eq!(proxy.metric("edge_authz.requests.reported.none"), 1);
    assert_eq!(proxy.metric("edge_authz.reported.no_route.none"), 1);
    let id = post(&mut proxy, "/denied", "");
    assert_eq!(proxy.status_of(id), Some(403));
    assert_eq!(proxy.metric("edge_authz.requests.denied.none"), 1);
}
