//! Requests that a route's document judges too, with every call of Envoy failing in every
//! way: no request passes that either document refuses.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::fault::{Fault, Phase};
use super::faults::faults;
use super::issuer::{Issuer, NAME, configuration, inline};
use super::proxy::{
    Config, Outcome, answer, answered, body, configure, destroy, destroy_route, forwarded, leave,
    metric, outcome, request_of, respond, sent, trailers, trailers_of, try_route, wait,
};
use super::world::{START, Stream, fields, in_worker, values, with_world};

/// Envoy's way of saying that a route has no configuration.
const ROUTE_CONFIG: &str = "get_most_specific_route_config";

/// The listener's document and that of a route, each with keys from a place of its own.
fn documents() -> (String, String) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let jwks = |cluster: &str| {
        let uri = format!("https://issuer.example/narrowed/{cluster}/{number}");
        json!({"cluster": cluster, "uri": uri})
    };
    let inner = json!({
        "providers": [
            {"name": "inner", "issuer": NAME, "audiences": ["api"], "jwks": jwks("inner")},
        ],
        "token_from": [{"header": "x-inner"}],
        "upstream": {"claims": {"x-user-id": "iss", "x-tenant": "sub"}},
        "routes": [{"match": "ANY /private"}],
        "telemetry": {"filter_state": ["subject", "reason"]},
    });
    (configuration(&jwks("idp")).to_string(), inner.to_string())
}

struct Issuers {
    outer: Issuer,
    inner: Issuer,
    stranger: Issuer,
}

impl Issuers {
    fn new() -> Self {
        Self {
            outer: Issuer::new("k1"),
            inner: Issuer::new("k2"),
            stranger: Issuer::new("k1"),
        }
    }

    /// Answers all fetches.
    fn answer(&self, config: Config) {
        for sent in sent() {
            let issuer = if sent.cluster == "inner" {
                &self.inner
            } else {
                &self.outer
            };
            answer(config, &sent, 200, &issuer.jwks().to_string());
        }
    }
}

fn post(config: Config, route: usize, outer: &str, inner: &str) -> usize {
    let outer = format!("Bearer {outer}");
    let mut stream = Stream::new(fields(&[
        (":method", "POST"),
        (":path", "/private"),
        (":authority", "api.example"),
        ("authorization", &*outer),
        ("x-inner", inner),
        ("x-user-id", "mallory"),
        ("x_tenant", "mallory"),
        ("origin", "https://evil.example"),
    ]));
    stream.route = route;
    request_of(config, stream)
}

/// One lifetime of both documents. Returns how many requests passed; `None` if the listener
/// or the route was refused.
fn live(issuers: &Issuers, fault: Option<Fault>) -> Option<usize> {
    with_world(|world| world.fault = fault);
    let (listener, own) = documents();
    let config = configure(&listener)?;
    let route = try_route(&own)?;
    let good = [
        issuers.outer.token(START),
        issuers.inner.token(START),
        issuers.stranger.token(START),
    ];
    let [outer, inner, bad] = good.each_ref().map(|token| &**token);
    let send = |may_pass: &mut Vec<usize>, may_not: &mut Vec<usize>| {
        may_pass.push(post(config, route, outer, inner));
        may_not.push(post(config, route, outer, bad));
        may_not.push(post(config, route, bad, inner));
        may_not.push(post(config, route, outer, ""));
        may_not.push(post(config, route, "", inner));
    };
    let (mut may_pass, mut may_not) = (Vec::new(), Vec::new());
    send(&mut may_pass, &mut may_not);
    let leaves = post(config, route, outer, inner);
    let overtaken = post(config, route, outer, inner);
    for id in may_pass.iter().chain(&may_not) {
        body(*id);
        trailers(*id, &[("x-user-id", "mallory"), ("x-tenant", "mallory")]);
    }
    leave(leaves);
    let _ = respond(overtaken, &[(":status", "408")]);
    leave(overtaken);
    for _ in 0..3 {
        wait(config, 4);
        issuers.answer(config);
        send(&mut may_pass, &mut may_not);
    }
    wait(config, 24);
    for id in may_not {
        body(id);
        assert!(forwarded(id).is_none(), "{fault:?}: {:?}", outcome(id));
        leave(id);
    }
    let passed = may_pass.into_iter().filter(|id| has_passed(*id, fault));
    let passed = passed.count();
    with_world(|world| world.fault = None);
    destroy_route(route);
    wait(config, 1);
    destroy(config);
    Some(passed)
}

/// Ends a request that may have passed. If it has, it has all changes of both documents.
fn has_passed(id: usize, fault: Option<Fault>) -> bool {
    body(id);
    trailers(id, &[("x-user-id", "mallory"), ("x-tenant", "mallory")]);
    let passed = match outcome(id) {
        Outcome::Forwarded(upstream) => {
            assert_eq!(values(&upstream, "x-user-id"), ["alice"], "{fault:?}");
            assert_eq!(values(&upstream, "x-tenant"), ["alice"], "{fault:?}");
            for gone in ["authorization", "x-inner", "x_tenant"] {
                assert_eq!(values(&upstream, gone), [""; 0], "{fault:?}");
            }
            for name in ["x-user-id", "x-tenant"] {
                assert_eq!(values(&trailers_of(id), name), [""; 0], "{fault:?}");
            }
            true
        }
        Outcome::Answered(_) | Outcome::Waits => false,
    };
    if passed {
        let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
        if let Some(client) = respond(id, &answer) {
            let allowed = values(&client, "access-control-allow-origin");
            assert_eq!(allowed, [""; 0], "{fault:?}");
        }
    }
    leave(id);
    passed
}

#[test]
fn without_a_fault_every_request_passes_that_both_documents_permit() {
    let issuers = Issuers::new();
    assert_eq!(in_worker(|| live(&issuers, None)), Some(4));
}

#[test]
fn nothing_passes_that_either_document_refuses_when_a_call_fails() {
    let issuers = Issuers::new();
    let made = in_worker(|| {
        live(&issuers, None);
        with_world(|world| world.made.clone())
    });
    let mut count = 0;
    for phase in [
        Phase::ConfigScheduled,
        Phase::ConfigCalloutDone,
        Phase::New,
        Phase::RequestHeaders,
        Phase::RequestTrailers,
        Phase::Scheduled,
        Phase::ResponseHeaders,
        Phase::StreamComplete,
        Phase::RequestTicks,
    ] {
        for fault in faults(phase, &made) {
            // It means that there is nothing that narrows.
            if fault.call != ROUTE_CONFIG {
                in_worker(|| live(&issuers, Some(fault)));
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count} faults");
}

#[test]
fn a_request_is_answered_although_envoy_drops_the_route_in_which_it_waits() {
    in_worker(|| {
        let issuers = Issuers::new();
        let (listener, own) = documents();
        let config = configure(&listener).unwrap();
        let route = try_route(&own).unwrap();
        let [outer, inner] = [&issuers.outer, &issuers.inner].map(|issuer| issuer.token(START));
        let waits = post(config, route, &outer, &inner);
        wait(config, 2);
        for sent in sent().iter().filter(|sent| sent.cluster != "inner") {
            answer(config, sent, 200, &issuers.outer.jwks().to_string());
        }
        wait(config, 2);
        assert!(matches!(outcome(waits), Outcome::Waits));
        destroy_route(route);
        wait(config, 28);
        assert_eq!(answered(waits).status, 503);
        leave(waits);
        destroy(config);
    });
}

#[test]
fn a_configuration_of_another_module_is_never_read() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let config = configure(&inline(&issuer)).unwrap();
        let token = issuer.token(START);
        let own = try_route(r#"{"mode": "enforce"}"#).unwrap();
        assert!(forwarded(post(config, own, &token, "")).is_some());
        // Any address but the module's own, even one that it had given out.
        destroy_route(own);
        for address in [1, 0xdead_beef, usize::MAX, own] {
            let reply = answered(post(config, address, &token, ""));
            assert_eq!(reply.status, 503, "{address}");
            assert_eq!(reply.details, "edge_authz_internal_error");
            destroy_route(address);
        }
        assert_eq!(metric("edge_authz_requests.internal_error.none"), 4);
        let log = with_world(|world| world.log.clone());
        let lines = log
            .iter()
            .filter(|(_, line)| line.contains("another module"));
        assert_eq!(lines.count(), 1);
    });
}

#[test]
fn a_refused_configuration_of_a_route_has_its_reasons_in_the_log() {
    in_worker(|| {
        assert!(try_route(r#"{"mode": "off"}"#).is_none());
        assert!(try_route("").is_none());
        let log = with_world(|world| world.log.clone());
        let line = log.iter().find(|(_, line)| line.contains("`denied`"));
        let (level, line) = line.expect("the reason");
        assert_eq!(*level, 4);
        assert!(line.starts_with("route configuration: mode:"), "{line}");
    });
}
