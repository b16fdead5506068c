//! Headers that name another method or path: which of them reach the upstream, with and
//! without the snippet of `envoy/hardening` in the operator's Envoy.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::template::{insert, replace};
use crate::support::tools;

/// An Envoy with one listener; `{{…}}` is replaced.
const BOOTSTRAP: &str = r#"
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
    - name: api
      address: {socket_address: {address: 127.0.0.1, port_value: 0}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: api
                {{hardening}}
                http_filters:
                  - name: edge_authz
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                      config:
                        vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: "{{module}}"}}}
                        configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, value: '{{configuration}}'}
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: api
                      domains: ["*"]
                      routes: [{match: {prefix: /}, route: {cluster: upstream}}]
  clusters:
    - name: upstream
      type: STATIC
      load_assignment:
        cluster_name: upstream
        endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{port}}}}}}]}]
"#;

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
    let text = insert(BOOTSTRAP, "{{hardening}}", hardening);
    let filled = [
        ("{{module}}", tools::module().display().to_string()),
        ("{{configuration}}", configuration.to_string()),
        ("{{port}}", upstream.port().to_string()),
    ];
    let text = filled
        .iter()
        .fold(text, |text, (mark, value)| replace(&text, mark, value));
    Builder::from_bootstrap(text).start()
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
fn the_snippet_takes_them_away_and_nothing_else() {
    let path = tools::root().join("envoy/hardening/override-headers.yaml");
    let snippet = fs::read_to_string(path).expect("the snippet");
    let reached = reached(&snippet);
    for name in OVERRIDES {
        assert!(!reached.iter().any(|field| field == name), "{name}");
    }
    assert!(reached.iter().any(|field| field == "x-other"));
}
