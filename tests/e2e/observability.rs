//! What operators see with the snippets of `envoy/observability` in their
//! Envoy: a line that explains each denial, and metrics with labels.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bootstrap::Builder;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::process::{Scratch, wait_until};
use crate::support::template::{insert, replace};
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;

/// An Envoy with one listener; `{{…}}` is filled in.
const BOOTSTRAP: &str = r#"
{{stats}}
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
                {{access_log}}
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
                      routes: [{match: {prefix: /}, direct_response: {status: 200}}]
  clusters:
    - name: issuer
      type: STATIC
      load_assignment:
        cluster_name: issuer
        endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: {{port}}}}}}]}]
"#;

/// A bootstrap with both snippets, as its comments say where they go.
fn bootstrap(issuer: &Issuer, log: &str) -> String {
    let snippet = |name: &str| {
        fs::read_to_string(tools::root().join("envoy/observability").join(name)).expect(name)
    };
    let configuration = json!({
        "providers": [{
            "name": "main",
            "issuer": issuer.name(),
            "audiences": ["api"],
            "jwks": {"cluster": "issuer", "uri": issuer.jwks_uri()},
        }],
        "routes": [
            {"match": "GET /pets", "scopes": ["pets:read"]},
            {"match": "GET /public", "access": "public"},
        ],
    });
    let text = insert(BOOTSTRAP, "{{stats}}", &snippet("stats-tags.yaml"));
    let text = insert(&text, "{{access_log}}", &snippet("access-log.yaml"));
    let text = replace(&text, "/dev/stdout", log);
    [
        ("{{module}}", tools::module().display().to_string()),
        ("{{configuration}}", configuration.to_string()),
        ("{{port}}", issuer.address().port().to_string()),
    ]
    .iter()
    .fold(text, |text, (mark, value)| replace(&text, mark, value))
}

#[test]
fn a_denial_is_explained_by_the_access_log_alone_and_metrics_have_labels() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let scratch = Scratch::new("observability");
    let log = scratch.path().join("requests.log").display().to_string();
    let envoy = Builder::from_bootstrap(bootstrap(&issuer, &log)).start();
    let token = |scope: &str| {
        let more = json!({"sub": "ada", "scope": scope});
        key.token(&claims_with(issuer.name(), "api", more))
    };
    let (good, weak) = (token("pets:read"), token("dogs:read"));
    let get = |path: &str| Request::get(path);
    let requests = [
        (
            get("/pets").bearer(&good),
            200,
            "allowed",
            "GET /pets",
            "main",
        ),
        (
            get("/pets").bearer(&good),
            200,
            "allowed",
            "GET /pets",
            "main",
        ),
        (
            get("/pets").bearer(&weak),
            403,
            "missing_scope",
            "GET /pets",
            "main",
        ),
        (get("/pets"), 401, "no_token", "GET /pets", ""),
        (get("/public"), 200, "public", "GET /public", ""),
        (get("/cats"), 404, "no_route", "", ""),
    ];
    for (request, status, ..) in &requests {
        assert_eq!(envoy.send(request).status, *status);
    }
    let entries = entries(&log, requests.len());
    for ((_, status, reason, route, provider), entry) in requests.iter().zip(&entries) {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(entry["status"], json!(status), "{entry}");
        assert_eq!(text("reason"), *reason, "{entry}");
        assert_eq!(text("route"), *route, "{entry}");
        assert_eq!(text("provider"), *provider, "{entry}");
        let subject = if *reason == "allowed" { "ada" } else { "" };
        assert_eq!(text("subject"), subject, "{entry}");
        if *status >= 400 {
            assert!(text("details").contains(reason), "{entry}");
        }
    }
    labelled(&envoy);
}

/// The access log, as soon as it has so many entries.
fn entries(log: &str, count: usize) -> Vec<Value> {
    let read = || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines = text
            .lines()
            .map(serde_json::from_str)
            .filter_map(Result::ok);
        Some(lines.collect::<Vec<Value>>()).filter(|entries| entries.len() >= count)
    };
    wait_until(Duration::from_secs(20), read).expect("an entry for each request")
}

fn labelled(envoy: &Envoy) {
    let answer = envoy.admin("GET", "/stats/prometheus");
    let page = String::from_utf8(answer.body).expect("a page of text");
    for line in [
        r#"edge_authz_requests{edge_authz_reason="allowed",edge_authz_provider="main"} 2"#,
        r#"edge_authz_requests{edge_authz_reason="missing_scope",edge_authz_provider="main"} 1"#,
        r#"edge_authz_requests{edge_authz_reason="no_token",edge_authz_provider="none"} 1"#,
        r#"edge_authz_key_fetches{edge_authz_provider="main",edge_authz_result="success"} 1"#,
        r#"edge_authz_keys{edge_authz_provider="main"} 1"#,
        r#"edge_authz_token_cache{edge_authz_result="hit"} 1"#,
        r#"edge_authz_token_cache{edge_authz_result="miss"} 2"#,
    ] {
        let found = page.lines().any(|known| known == line);
        let near: Vec<&str> = page
            .lines()
            .filter(|it| it.starts_with("edge_authz"))
            .collect();
        assert!(found, "no {line} among\n{}", near.join("\n"));
    }
}
