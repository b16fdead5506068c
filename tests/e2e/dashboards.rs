//! The rules, the alerts, the dashboard and the queries of the documentation, in a real
//! Prometheus that scrapes an Envoy: each query finds the metrics of either host.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::operator::{Operator, pets, snippet};
use crate::support::bootstrap::Builder;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::issuer::Issuer;
use crate::support::process::{Process, Scratch, wait_until};
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;

/// A Prometheus with the rules of `envoy/observability`.
struct Prometheus {
    address: SocketAddr,
    _process: Process,
    _scratch: Scratch,
}

/// The queries of the rules, each with its name. An alert compares a value with a limit, and
/// here only the value counts.
fn of_rules() -> Vec<(String, String)> {
    let rules: Value = serde_saphyr::from_str(&snippet("prometheus-rules.yaml")).expect("YAML");
    let groups = rules["groups"].as_array().expect("groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    let query = |rule: &Value| {
        let expression = rule["expr"].as_str().expect("an expression");
        match rule["alert"].as_str() {
            None => (rule["record"].to_string(), expression.to_owned()),
            Some(alert) => {
                let (value, limit) = expression.rsplit_once(" > ").expect("a limit");
                assert!(limit.parse::<f64>().is_ok(), "{alert}: {limit}");
                (alert.to_owned(), value.to_owned())
            }
        }
    };
    rules.map(query).collect()
}

/// The queries of the dashboard.
fn of_dashboard() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&snippet("grafana-dashboard.json")).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            queries.push((panel["title"].to_string(), expression.to_owned()));
        }
    }
    queries
}

/// The queries of the documentation.
fn of_documents() -> Vec<(String, String)> {
    let page = fs::read_to_string(tools::root().join("docs/operations.md")).expect("a page");
    let blocks = page.split("```promql\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().expect("an end").to_owned());
    blocks
        .map(|query| ("docs/operations.md".to_owned(), query))
        .collect()
}

impl Prometheus {
    /// Starts it, with the metrics of this Envoy.
    fn start(envoy: &Envoy) -> Self {
        let scratch = Scratch::new("prometheus");
        let rules = tools::root().join("envoy/observability/prometheus-rules.yaml");
        let configuration = json!({
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [rules],
            "scrape_configs": [{
                "job_name": "envoy",
                "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": [envoy.admin_address().to_string()]}],
            }],
        });
        let file = scratch.write("prometheus.yaml", &configuration.to_string());
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let program = std::env::var_os("PROMETHEUS").unwrap_or_else(|| "prometheus".into());
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                scratch.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"));
        let process = Process::start(&command, &scratch.path().join("log"));
        let process = process.expect("Prometheus is missing: run `make setup-prometheus`");
        let prometheus = Self {
            address,
            _process: process,
            _scratch: scratch,
        };
        let ready = || {
            prometheus
                .get("/-/ready")
                .filter(|(status, _)| *status == 200)
        };
        let ready = wait_until(Duration::from_secs(30), ready);
        assert!(
            ready.is_some(),
            "Prometheus does not start: run `make setup-prometheus`"
        );
        prometheus
    }

    fn get(&self, path: &str) -> Option<(u16, Value)> {
        let answer = http1::exchange(self.address, &Request::get(path)).ok()?;
        Some((
            answer.status,
            serde_json::from_slice(&answer.body).unwrap_or_default(),
        ))
    }

    /// The labels and values that a query finds.
    fn query(&self, query: &str) -> Vec<Value> {
        let encoded = query.bytes().fold(String::new(), |mut encoded, byte| {
            write!(encoded, "%{byte:02x}").expect("text");
            encoded
        });
        let (status, answer) = self
            .get(&format!("/api/v1/query?query={encoded}"))
            .expect("an answer");
        assert_eq!(status, 200, "{query}: {answer}");
        answer["data"]["result"]
            .as_array()
            .expect("a vector")
            .clone()
    }
}

/// An Envoy whose filter has every metric.
fn measured(issuer: &Issuer, key: &TokenMaker) -> Envoy {
    let provider = |name: &str, iss: &str, uri: String, timeout: &str| {
        json!({
            "name": name, "issuer": iss, "audiences": ["api"],
            "jwks": {"cluster": "issuer", "uri": uri, "timeout": timeout},
        })
    };
    let nowhere = format!("{}/nowhere.json", issuer.jwks_uri());
    let more = json!({
        "providers": [
            provider("main", issuer.name(), issuer.jwks_uri(), "5s"),
            provider("down", "https://down.example.com", nowhere, "100ms"),
        ],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [
            {"match": "GET /pets", "scopes": ["pets:read"]},
            {"match": "GET /public", "access": "public"},
            {"match": "GET /reported", "mode": "report"},
        ],
    });
    let configuration = pets(issuer, &more);
    let operator = Operator {
        stats: &snippet("stats-tags.yaml"),
        connection_manager: "",
        action: "direct_response: {status: 200}",
        cluster: ("issuer", issuer.address()),
        configuration: &configuration,
    };
    let envoy = Builder::from_bootstrap(operator.bootstrap()).start();
    send(&envoy, issuer, key);
    envoy
}

/// Sends requests that end in every way that a query counts.
fn send(envoy: &Envoy, issuer: &Issuer, key: &TokenMaker) {
    let token = |issuer: &str, sub: &str| {
        let more = json!({"sub": sub, "scope": "pets:read"});
        key.token(&claims_with(issuer, "api", more))
    };
    let stranger = TokenMaker::generate("RS256", "key-1");
    let forged = stranger.token(&claims_with(issuer.name(), "api", json!({})));
    let get = |path: &str, token: &str, status: u16| {
        let request = Request::get(path).bearer(token);
        assert_eq!(envoy.send(&request).status, status, "{path}");
    };
    get("/pets", &token(issuer.name(), "ada"), 200);
    get("/pets", &token(issuer.name(), "a\nb"), 200);
    get("/pets", &forged, 401);
    get("/pets", &token("https://down.example.com", "ada"), 503);
    get("/reported", &forged, 200);
    get("/reported", "", 200);
    get("/public", "", 200);
}

#[test]
#[ignore = "it needs Prometheus: `make test-observability`"]
fn each_query_of_rules_dashboard_and_documents_finds_data() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let envoy = measured(&issuer, &key);
    let prometheus = Prometheus::start(&envoy);
    let queries = [of_rules(), of_dashboard(), of_documents()].concat();
    assert!(queries.len() >= 28, "queries are missing: {queries:?}");
    let all_find = || {
        send(&envoy, &issuer, &key);
        let empty = queries
            .iter()
            .filter(|(_, query)| prometheus.query(query).is_empty());
        empty.count().eq(&0).then_some(())
    };
    if wait_until(Duration::from_mins(1), all_find).is_none() {
        let empty = queries
            .iter()
            .filter(|(_, query)| prometheus.query(query).is_empty());
        panic!("no data: {:#?}", empty.collect::<Vec<_>>());
    }
    // Both hosts have the same labels, and numbers are counted under the right ones.
    for (query, labels) in [
        (
            r#"edge_authz:reported{reason="bad_signature", provider="main"} >= 2"#,
            &["provider", "reason"][..],
        ),
        (
            r#"edge_authz:requests{reason="reported", provider="none"} >= 2"#,
            &["provider", "reason"],
        ),
        (
            r#"edge_authz:key_fetches{provider="down", result="failure"} >= 1"#,
            &["provider", "result"],
        ),
        (r#"edge_authz:token_cache{result="hit"} >= 1"#, &["result"]),
        (r#"edge_authz:keys{provider="main"} == 1"#, &["provider"]),
        ("edge_authz:waiting_requests == 0", &[]),
    ] {
        let found = wait_until(Duration::from_secs(20), || {
            prometheus.query(query).first().cloned()
        });
        let found = found.unwrap_or_else(|| panic!("{query}: no data"));
        let names = found["metric"].as_object().expect("labels").keys();
        let names: BTreeSet<&str> = names.map(String::as_str).collect();
        let usual = ["__name__", "instance", "job"];
        let expected: BTreeSet<&str> = usual.iter().chain(labels).copied().collect();
        assert_eq!(names, expected, "{query}");
    }
}

#[test]
#[ignore = "it needs Prometheus: `make test-observability`"]
fn an_alert_fires_while_keys_are_unavailable() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::with_keys(&[&key]);
    let envoy = measured(&issuer, &key);
    let prometheus = Prometheus::start(&envoy);
    let pending = || {
        send(&envoy, &issuer, &key);
        let query = r#"ALERTS{alertname="EdgeAuthzUnavailable", provider="down"}"#;
        prometheus.query(query).first().cloned()
    };
    let alert = wait_until(Duration::from_mins(1), pending).expect("an alert");
    assert_eq!(alert["metric"]["reason"], "keys_unavailable");
    assert_eq!(alert["metric"]["severity"], "critical");
}
