//! A canary has a configuration of its own for proxies of its own.

use serde_json::json;

use crate::tools::{helm, helm_all, named, values};

const MAIN: &str = "host: istio\nissuers: {create: false}\nistio: {proxy: sidecar, selector: {app: orders, track: stable}}\n\
                    config: {mode: enforce, routes: [{match: GET /a, access: public}]}\n";

#[test]
fn a_canary_reports_for_its_own_pods() {
    let all = helm(&values("canary")).unwrap();
    let main = &named(&all, "TrafficExtension", "edge-authz")["spec"];
    let canary = &named(&all, "TrafficExtension", "edge-authz-canary")["spec"];
    assert_eq!(main["selector"]["matchLabels"]["track"], "stable");
    assert_eq!(canary["selector"]["matchLabels"]["track"], "canary");
    assert_eq!(main["wasm"]["pluginConfig"]["mode"], json!(null));
    assert_eq!(canary["wasm"]["pluginConfig"]["mode"], "report");
    let routes = |spec: &serde_json::Value| spec["wasm"]["pluginConfig"]["routes"].clone();
    assert_eq!(routes(main), routes(canary));
}

#[test]
fn the_mode_of_the_values_replaces_that_of_the_configuration() {
    let all = helm(&format!("{MAIN}mode: report")).unwrap();
    let spec = &named(&all, "TrafficExtension", "edge-authz")["spec"];
    assert_eq!(spec["wasm"]["pluginConfig"]["mode"], "report");
}

#[test]
fn a_canary_whose_proxies_could_be_those_of_the_other_configuration_is_refused() {
    let gateways = "host: istio\nistio: {gateways: [a]}\nconfig: {routes: []}\n";
    let gateway = "host: envoy-gateway\nconfig: {routes: []}\n";
    let cases = [
        (
            MAIN,
            "selector: {app: orders, track: canary}",
            "`canary.mode` is missing",
        ),
        (MAIN, "mode: report", "`canary.selector` is missing"),
        (
            MAIN,
            "mode: report, selector: {version: two}",
            "can match the same pod",
        ),
        (
            MAIN,
            "mode: report, selector: {app: orders}",
            "can match the same pod",
        ),
        (
            MAIN,
            "mode: report, selector: {app: orders, track: stable}",
            "can match the same pod",
        ),
        (
            gateways,
            "mode: enforce, gateways: [b, a]",
            "is in `istio.gateways` and in",
        ),
        (
            gateways,
            "mode: enforce, selector: {a: b}",
            "must both name",
        ),
        (
            gateway,
            "mode: report",
            "`canary.gateway` must name another",
        ),
        (
            gateway,
            "mode: report, gateway: eg",
            "`canary.gateway` must name another",
        ),
    ];
    let values: Vec<_> = cases
        .iter()
        .map(|(values, canary, _)| format!("{values}canary: {{enabled: true, {canary}}}"))
        .collect();
    let releases: Vec<_> = values.iter().map(|values| (&**values, "shop")).collect();
    for ((_, canary, words), answer) in cases.iter().zip(helm_all(&releases)) {
        let error = answer.expect_err(canary);
        assert!(error.contains(words), "{canary}: {error}");
    }
}

#[test]
fn a_canary_of_envoy_gateway_has_a_gateway_and_a_policy_of_its_own() {
    let all = helm(
        "host: envoy-gateway\nenvoyGateway: {createGateway: true}\nmode: enforce\nconfig: {routes: [{match: GET /a}]}\n\
         canary: {enabled: true, mode: report, gateway: eg-canary, config: {routes: [{match: GET /b}]}}",
    )
    .unwrap();
    for (name, gateway, path, mode) in [
        ("edge-authz", "eg", "GET /a", "enforce"),
        ("edge-authz-canary", "eg-canary", "GET /b", "report"),
    ] {
        let spec = &named(&all, "EnvoyExtensionPolicy", name)["spec"];
        assert_eq!(spec["targetRefs"][0]["name"], gateway);
        assert_eq!(
            spec["wasm"][0]["config"],
            json!({"mode": mode, "routes": [{"match": path}]})
        );
        let spec = &named(&all, "ClientTrafficPolicy", name)["spec"];
        assert_eq!(spec["targetRefs"][0]["name"], gateway);
        named(&all, "Gateway", gateway);
    }
}
