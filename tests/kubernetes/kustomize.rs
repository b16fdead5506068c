//! The Kustomize bases and the examples that use them: they are what the chart renders.

use crate::tools::{helm, kustomize, root, same, values};

/// The configuration of the bases: nothing passes until an overlay replaces it.
const DENIED: &str = "config: {routes: [{match: $default, access: denied}]}";

/// The bases, and the values of the chart that render the same.
const BASES: &[(&str, &str)] = &[
    (
        "istio-gateway",
        "host: istio\nistio: {proxy: gateway, gateways: [public]}",
    ),
    (
        "istio-sidecar",
        "host: istio\nistio: {proxy: sidecar, selector: {app: orders}}",
    ),
    (
        "istio-waypoint",
        "host: istio\nistio: {proxy: waypoint, gateways: [waypoint]}",
    ),
    ("envoy-gateway", "host: envoy-gateway"),
    (
        "envoy-gateway-module",
        "host: envoy-gateway\nenvoyGateway: {module: dynamic-module}",
    ),
    ("server", "host: server"),
];

#[test]
fn a_base_refuses_everything_and_is_what_the_chart_renders() {
    let folder = root().join("deploy/kustomize");
    for (base, values) in BASES {
        let built = kustomize(&folder.join(base)).unwrap_or_else(|error| panic!("{base}: {error}"));
        let chart = helm(&format!("{values}\n{DENIED}")).unwrap();
        same(built, chart, base);
    }
    let mut folders: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "examples")
        .collect();
    folders.sort();
    let mut tested: Vec<_> = BASES.iter().map(|(base, _)| (*base).to_owned()).collect();
    tested.sort();
    assert_eq!(folders, tested, "a base is not tested");
}

#[test]
fn an_example_is_what_the_chart_renders_with_the_same_configuration() {
    for example in ["istio-sidecar", "envoy-gateway", "server"] {
        let folder = root().join("deploy/kustomize/examples").join(example);
        let built = kustomize(&folder).unwrap_or_else(|error| panic!("{example}: {error}"));
        for resource in &built {
            assert_eq!(resource["metadata"]["namespace"], "shop", "{example}");
        }
        same(built, helm(&values(example)).unwrap(), example);
    }
}
