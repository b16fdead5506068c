//! Headers that name another method or path: which of them reach the upstream, with and
//! without the snippet of `envoy/hardening` in the operator's Envoy.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use crate::operator::Operator;
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::tools;

const OVERRIDES: [&str; 5] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

fn start(hardening: &str, upstream: SocketAddr) -> Envoy {
    let configuration = json!({
        "routes": [
            {"match": "GET /public", "access": "public"},
            {"match": "DELETE /public", "access": "denied"},
            {"match": "GET /admin", "access": "denied"},
        ],
    });
    let operator = Operator {
        stats: "",
        connection_manager: hardening,
        action: "route: {cluster: upstream}",
        cluster: ("upstream", upstream),
        configuration: &configuration,
    };
    Builder::from_bootstrap(operator.bootstrap()).start()
}

/// The header fields of a request that reached the upstream.
fn reached(hardening: &str) -> Vec<String> {
    let upstream = Echo::start();
    let envoy = start(hardening, upstream.address());
    let mut request = Request::get("/public").header("x-other", "stays");
    for name in OVERRIDES {
        let value = if name.contains("method") {
            "DELETE"
        } else {
            "/admin"
        };
        request = request.header(name, value);
    }
    envoy.send(&request).expect(200);
    let seen = upstream.seen();
    let fields = seen.first().expect("a request").headers.iter();
    fields
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .collect()
}

#[test]
fn headers_that_name_another_method_or_path_are_not_judged_and_reach_the_upstream() {
    let reached = reached("");
    for name in OVERRIDES.iter().chain(&["x-other"]) {
        assert!(reached.iter().any(|field| field == name), "{name}");
    }
}

#[test]
fn the_snippet_removes_only_these_headers() {
    let path = tools::root().join("envoy/hardening/override-headers.yaml");
    let snippet = fs::read_to_string(path).expect("the snippet");
    let reached = reached(&snippet);
    for name in OVERRIDES {
        assert!(!reached.iter().any(|field| field == name), "{name}");
    }
    assert!(reached.iter().any(|field| field == "x-other"));
}
