//! The chart and `edge-authz render` write the same resources for the same configuration.

use serde_json::Value;

use crate::tools::{helm_all, resources};

/// Every way in which a document can name a server: a port, one cluster for two providers,
/// discovery with another host, a service inside, an address, a revocation list.
const CONFIGURATION: &str = "
providers:
  - {name: one, issuer: 'https://one.example.com', audiences: [a], jwks: {cluster: one, uri: 'https://one.example.com:8443/keys'}}
  - {name: two, issuer: 'https://one.example.com', audiences: [b], jwks: {cluster: one, uri: 'https://one.example.com:8443/keys'}}
  - {name: three, issuer: 'https://three.example.com/realm', audiences: [c], jwks: {cluster: api, hosts: {keys.example.net: keys, a.example.net: a}}}
  - {name: inside, issuer: 'https://four.example.com', audiences: [d], jwks: {cluster: inside, uri: 'http://keys.auth.svc.cluster.local:8080/k'}}
  - {name: address, issuer: 'https://five.example.com', audiences: [e], jwks: {cluster: address, uri: 'https://192.0.2.7/k'}}
  - name: revoked
    issuer: https://six.example.com
    audiences: [f]
    jwks: {cluster: six}
    revoked: {cluster: lists, uri: 'https://lists.example.com/revoked.json?v=1'}
routes:
  - {match: 'GET /pets/{id}', scopes: [pets:read], claims: {sub: '{id}', 'off': 'off'}}
token_cache: {max_tokens: 1000000}
";

/// The values of the chart beside the configuration, the arguments of `render`, and the namespace.
const PAIRS: &[(&str, &[&str], &str)] = &[
    (
        "host: istio\nistio: {selector: {istio: ingressgateway}}",
        &["--for", "istio"],
        "istio-system",
    ),
    (
        "host: istio\nistio: {api: WasmPlugin, selector: {istio: ingressgateway}}",
        &["--for", "istio-wasm-plugin"],
        "istio-system",
    ),
    (
        "host: istio\nistio: {proxy: sidecar, selector: {app: orders}}",
        &["--for", "istio", "--workload", "app=orders"],
        "shop",
    ),
    (
        "host: envoy-gateway\nenvoyGateway: {createGateway: true}",
        &["--for", "envoy-gateway"],
        "default",
    ),
    (
        "host: envoy-gateway\nenvoyGateway: {createGateway: true, module: dynamic-module, dynamicModule: {volume: none}}",
        &["--for", "envoy-gateway", "--dynamic-module"],
        "default",
    ),
];

#[test]
fn the_chart_and_the_command_write_the_same_resources() {
    let folder = std::env::temp_dir().join(format!("edge-authz-chart-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("edge-authz.yaml");
    std::fs::write(&file, CONFIGURATION).unwrap();
    let indented = CONFIGURATION.replace('\n', "\n  ");
    let values: Vec<_> = PAIRS
        .iter()
        .map(|(values, ..)| format!("{values}\nconfig:{indented}"))
        .collect();
    let releases: Vec<_> = values
        .iter()
        .zip(PAIRS)
        .map(|(values, (_, _, namespace))| (&**values, *namespace))
        .collect();
    let charts = helm_all(&releases);
    for (chart, (_, arguments, namespace)) in charts.into_iter().zip(PAIRS) {
        let head = ["edge-authz", "render", "--namespace", namespace];
        let all = [&head, *arguments, &[file.to_str().unwrap()]].concat();
        let (code, text) = edge_authz_cli::run(&all);
        assert_eq!(code, 0, "{arguments:?}: {text}");
        let chart = comparable(chart.unwrap());
        let command = comparable(resources(&text));
        assert_eq!(
            names(&chart),
            names(&command),
            "{arguments:?}: the resources differ"
        );
        for (chart, command) in chart.iter().zip(&command) {
            assert_eq!(chart, command, "{arguments:?}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Resources without what only the chart has (its labels), and with the bootstraps in them
/// parsed.
fn comparable(mut all: Vec<Value>) -> Vec<Value> {
    for resource in &mut all {
        resource["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("labels");
        if let Some(value) = resource.pointer_mut("/spec/bootstrap/value") {
            let text = value.as_str().unwrap();
            *value = serde_saphyr::from_str(text).unwrap();
        }
    }
    all.sort_by_key(|one| names(std::slice::from_ref(one)));
    all
}

fn names(all: &[Value]) -> Vec<String> {
    all.iter()
        .map(|one| format!("{} {}", one["kind"], one["metadata"]["name"]))
        .collect()
}
