//! What the dynamic module publishes about requests: labelled metrics, dynamic metadata
//! and filter state. Access logs and another filter read it, with the files of
//! `envoy/observability`.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::only_here;
use crate::operator::{Operator, pets, snippet};
use crate::support::bootstrap::Builder;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::process::{Scratch, wait_until};
use crate::support::template::replace;
use crate::support::tokens::{TokenMaker, claims_with};

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A bootstrap with the files in the places that their comments name.
fn bootstrap(issuer: &Issuer, log: &str) -> Value {
    let configuration = pets(issuer, &yaml(&snippet("telemetry.yaml")));
    let operator = Operator {
        stats: "",
        connection_manager: &replace(
            &snippet("dynamic-module-access-log.yaml"),
            "/dev/stdout",
            log,
        ),
        action: "direct_response: {status: 200}",
        cluster: ("issuer", issuer.address()),
        configuration: &json!({}),
    };
    let mut bootstrap = yaml(&operator.bootstrap());
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let filters = bootstrap.pointer_mut(filters).and_then(Value::as_array_mut);
    let filters = filters.expect("filters");
    filters[0]["typed_config"] = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        "dynamic_module_config": {"name": "edge_authz", "do_not_close": true},
        "filter_name": "edge_authz",
        "filter_config": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration},
    });
    let rbac = yaml(&snippet("dynamic-module-rbac.yaml"))["http_filters"][0].clone();
    filters.insert(1, rbac);
    bootstrap
}

fn entries(log: &str, count: usize) -> Vec<Value> {
    let read = || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str);
        let entries: Vec<Value> = lines.filter_map(Result::ok).collect();
        Some(entries).filter(|entries| entries.len() >= count)
    };
    wait_until(Duration::from_secs(20), read).expect("an entry for each request")
}

#[test]
#[ignore = "of the dynamic module"]
fn access_logs_and_rbac_read_what_was_decided_and_metrics_have_labels() {
    only_here();
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let scratch = Scratch::new("published");
    let log = scratch.path().join("requests.log").display().to_string();
    let envoy = Builder::from_bootstrap(bootstrap(&issuer, &log).to_string()).start();
    let token = |subject: &str, scope: &str| {
        let more = json!({"sub": subject, "scope": scope});
        key.token(&claims_with(issuer.name(), "api", more))
    };
    let (ada, bob) = (token("ada", "pets:read"), token("bob", "pets:read"));
    let weak = token("ada", "dogs:read");
    let get = Request::get;
    // A client cannot write what the filters publish.
    let forged = get("/pets")
        .bearer(&bob)
        .header("edge_authz.subject", "ada");
    for (request, status, facts) in [
        (
            get("/pets").bearer(&ada),
            200,
            ["allowed", "GET /pets", "main", "ada"],
        ),
        (
            get("/pets").bearer(&bob),
            403,
            ["allowed", "GET /pets", "main", "bob"],
        ),
        (forged, 403, ["allowed", "GET /pets", "main", "bob"]),
        (
            get("/pets").bearer(&weak),
            403,
            ["missing_scope", "GET /pets", "main", ""],
        ),
        (get("/pets"), 401, ["no_token", "GET /pets", "", ""]),
        (get("/public"), 200, ["public", "GET /public", "", ""]),
        (get("/cats"), 404, ["no_route", "", "", ""]),
    ] {
        let before = fs::read_to_string(&log).unwrap_or_default().lines().count();
        for send in [Envoy::send, Envoy::send2] {
            send(&envoy, &request).expect(status);
        }
        for entry in &entries(&log, before + 2)[before..] {
            let fact = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            let seen = ["reason", "route", "provider", "subject"].map(fact);
            assert_eq!(seen, facts, "{entry}");
            let is_ours = entry["details"] == json!(format!("edge_authz_{}", facts[0]));
            let is_refused = ["missing_scope", "no_token", "no_route"].contains(&facts[0]);
            assert_eq!(is_ours, is_refused, "{entry}");
        }
    }
    labelled(&envoy);
}

/// The metrics for Prometheus, as the documentation shows them.
fn labelled(envoy: &Envoy) {
    const LINES: [&str; 6] = [
        r#"envoy_dynamicmodulescustom_edge_authz_requests{reason="allowed",provider="main"} 6"#,
        r#"envoy_dynamicmodulescustom_edge_authz_requests{reason="missing_scope",provider="main"} 2"#,
        r#"envoy_dynamicmodulescustom_edge_authz_requests{reason="no_token",provider="none"} 2"#,
        r#"envoy_dynamicmodulescustom_edge_authz_key_fetches{provider="main",result="success"} 1"#,
        r#"envoy_dynamicmodulescustom_edge_authz_keys{provider="main"} 1"#,
        r#"envoy_dynamicmodulescustom_edge_authz_token_cache{result="miss"} 3"#,
    ];
    let page = || String::from_utf8(envoy.admin("GET", "/stats/prometheus").body).expect("text");
    let has_all = |page: &str| {
        let has = |line: &&str| page.lines().any(|known| known == *line);
        LINES.iter().all(has)
    };
    let told = || has_all(&page()).then_some(());
    if wait_until(Duration::from_secs(10), told).is_none() {
        let page = page();
        let near: Vec<_> = page
            .lines()
            .filter(|line| line.contains("edge_authz"))
            .collect();
        panic!("not all metrics are among\n{}", near.join("\n"));
    }
}

#[test]
#[ignore = "of the dynamic module"]
fn a_request_without_a_listed_entry_is_seen_by_no_rule() {
    only_here();
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let scratch = Scratch::new("published");
    let log = scratch.path().join("requests.log").display().to_string();
    let mut bootstrap = bootstrap(&issuer, &log).to_string();
    bootstrap = replace(&bootstrap, r#""subject","#, "");
    let envoy = Builder::from_bootstrap(bootstrap).start();
    let claims = claims_with(
        issuer.name(),
        "api",
        json!({"sub": "ada", "scope": "pets:read"}),
    );
    let request = Request::get("/pets").bearer(&key.token(&claims));
    envoy.send(&request).expect(403);
    assert_eq!(entries(&log, 1)[0]["reason"], "allowed");
}
