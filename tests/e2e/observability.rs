//! What operators see with the snippets of `envoy/observability` in their Envoy: a log
//! line that explains each denial, and metrics with labels.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::operator::{Operator, pets, snippet};
use crate::support::bootstrap::Builder;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::process::{Scratch, wait_until};
use crate::support::template::replace;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools::{self, Host};

/// A bootstrap with the snippets in the places that their comments name.
fn bootstrap(issuer: &Issuer, log: &str, access_log: &str, telemetry: &Value) -> String {
    let configuration = pets(issuer, telemetry);
    let operator = Operator {
        stats: &snippet("stats-tags.yaml"),
        connection_manager: &replace(&tools::log_format(&snippet(access_log)), "/dev/stdout", log),
        action: "direct_response: {status: 200}",
        cluster: ("issuer", issuer.address()),
        configuration: &configuration,
    };
    operator.bootstrap()
}

/// The status of a request, and its entry in the access log: reason, route and provider.
struct Expected {
    request: Request,
    status: u16,
    facts: [&'static str; 3],
}

fn requests(good: &str, weak: &str) -> Vec<Expected> {
    let get = |path: &str| Request::get(path);
    let of = |request, status, facts| Expected {
        request,
        status,
        facts,
    };
    let allowed = ["allowed", "GET /pets", "main"];
    vec![
        of(get("/pets").bearer(good), 200, allowed),
        of(get("/pets").bearer(good), 200, allowed),
        of(
            get("/pets").bearer(weak),
            403,
            ["missing_scope", "GET /pets", "main"],
        ),
        of(get("/pets"), 401, ["no_token", "GET /pets", ""]),
        of(get("/public"), 200, ["public", "GET /public", ""]),
        of(get("/cats"), 404, ["no_route", "", ""]),
    ]
}

/// Sends the requests through an Envoy with these snippets, and checks each entry of its
/// log.
fn logged(access_log: &str, telemetry: &Value, look: impl Fn(&Expected, &Value)) -> Envoy {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let scratch = Scratch::new("observability");
    let log = scratch.path().join("requests.log").display().to_string();
    let envoy = Builder::from_bootstrap(bootstrap(&issuer, &log, access_log, telemetry)).start();
    let token = |scope: &str| {
        let more = json!({"sub": "ada", "scope": scope});
        key.token(&claims_with(issuer.name(), "api", more))
    };
    let requests = requests(&token("pets:read"), &token("dogs:read"));
    for expected in &requests {
        assert_eq!(envoy.send(&expected.request).status, expected.status);
    }
    let entries = entries(&log, requests.len());
    for (expected, entry) in requests.iter().zip(&entries) {
        assert_eq!(entry["status"], json!(expected.status), "{entry}");
        let refusal = format!("edge_authz_{}", expected.facts[0]);
        let refused = expected.status >= 400;
        assert_eq!(entry["details"] == json!(refusal), refused, "{entry}");
        look(expected, entry);
    }
    envoy
}

const FACTS: [&str; 5] = ["reason", "route", "provider", "subject", "issuer"];

fn fact(entry: &Value, name: &str) -> String {
    entry[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_denial_is_explained_by_the_access_log_alone_and_metrics_have_labels() {
    let envoy = logged("access-log.yaml", &json!({}), |_, _| {});
    labelled(&envoy);
}

#[test]
fn what_is_listed_for_the_filter_state_is_in_the_access_log() {
    let telemetry = serde_saphyr::from_str(&snippet("telemetry.yaml")).expect("YAML");
    logged(
        "access-log-filter-state.yaml",
        &telemetry,
        |expected, entry| {
            let facts = ["reason", "route", "provider"].map(|name| fact(entry, name));
            assert_eq!(facts, expected.facts, "{entry}");
            let subject = if facts[0] == "allowed" { "ada" } else { "" };
            assert_eq!(fact(entry, "subject"), subject, "{entry}");
        },
    );
}

#[test]
fn entries_not_listed_for_the_filter_state_are_not_readable() {
    for (telemetry, listed) in [
        (json!({}), ""),
        (json!({"telemetry": {"filter_state": ["route"]}}), "route"),
    ] {
        logged(
            "access-log-filter-state.yaml",
            &telemetry,
            |expected, entry| {
                for name in FACTS.iter().filter(|name| **name != listed) {
                    assert_eq!(entry[name], Value::Null, "{entry}");
                }
                if listed == "route" {
                    assert_eq!(fact(entry, "route"), expected.facts[1], "{entry}");
                }
            },
        );
    }
}

/// The access log, once it has this many entries.
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

/// A line of the metrics. For the Wasm module, the snippet adds the labels; the dynamic
/// module adds its own.
fn line(of_wasm: &str) -> String {
    match (tools::host(), of_wasm.split_once('{')) {
        (Host::DynamicModule, Some((name, rest))) => {
            let rest = rest.replace("edge_authz_", "");
            format!("envoy_dynamicmodulescustom_{name}{{{rest}")
        }
        _ => of_wasm.to_owned(),
    }
}

/// The metrics, once the filter has reported them: it does so on ticks.
fn labelled(envoy: &Envoy) {
    const LINES: [&str; 7] = [
        r#"edge_authz_requests{edge_authz_reason="allowed",edge_authz_provider="main"} 2"#,
        r#"edge_authz_requests{edge_authz_reason="missing_scope",edge_authz_provider="main"} 1"#,
        r#"edge_authz_requests{edge_authz_reason="no_token",edge_authz_provider="none"} 1"#,
        r#"edge_authz_key_fetches{edge_authz_provider="main",edge_authz_result="success"} 1"#,
        r#"edge_authz_keys{edge_authz_provider="main"} 1"#,
        r#"edge_authz_token_cache{edge_authz_result="hit"} 1"#,
        r#"edge_authz_token_cache{edge_authz_result="miss"} 2"#,
    ];
    let page = || String::from_utf8(envoy.admin("GET", "/stats/prometheus").body).expect("text");
    let missing = |page: &str| {
        let has = |line: &String| page.lines().any(|known| known == line);
        LINES.map(line).into_iter().find(|line| !has(line))
    };
    let told = || missing(&page()).is_none().then_some(());
    if wait_until(Duration::from_secs(20), told).is_some() {
        return;
    }
    let page = page();
    let near: Vec<&str> = page
        .lines()
        .filter(|it| it.contains("edge_authz"))
        .collect();
    panic!("no {:?} among\n{}", missing(&page), near.join("\n"));
}
