//! Values that would leave requests unchecked, or mean nothing, are refused.

use crate::tools::helm_all;

const DENIED: &str = "config: {routes: [{match: $default, access: denied}]}";
const GATEWAY: &str = "host: istio\nistio: {selector: {istio: ingressgateway}}";
const WAYPOINT: &str = "host: istio\nistio: {proxy: waypoint, gateways: [waypoint]}";

/// Values, line by line, and words of the error.
const REFUSED: &[(&[&str], &str)] = &[
    (&[], "`host` is missing"),
    (&["host: nginx", DENIED], "host"),
    (&[GATEWAY], "the configuration is missing"),
    (
        &[GATEWAY, DENIED, "configFile: 'routes: []'"],
        "exclude each other",
    ),
    (
        &[GATEWAY, "configFile: \"routes: []\\n---\\nroutes: []\""],
        "several YAML documents",
    ),
    (&[GATEWAY, "configFile: 'routes: ['"], "is not YAML"),
    (
        &["host: istio", DENIED],
        "`istio.selector` or `istio.gateways` is missing",
    ),
    // All sidecars of the namespace.
    (
        &["host: istio", "istio: {proxy: sidecar}", DENIED],
        "`istio.selector` is missing",
    ),
    (
        &[
            "host: istio",
            "istio: {proxy: waypoint, selector: {a: b}}",
            DENIED,
        ],
        "`istio.gateways` is missing",
    ),
    (
        &[
            "host: istio",
            "istio: {selector: {a: b}, gateways: [c]}",
            DENIED,
        ],
        "exclude each other",
    ),
    (
        &[
            WAYPOINT,
            "config:",
            "  providers:",
            "    - {name: a, issuer: 'https://a.example.com', jwks: {cluster: one}}",
            "    - {name: b, issuer: 'https://b.example.com', jwks: {cluster: one}}",
        ],
        "cannot reach",
    ),
    (
        &[
            WAYPOINT,
            "config:",
            "  providers: [{name: a, issuer: 'https://user@a.example.com', jwks: {cluster: one}}]",
        ],
        "is not a URL of a server",
    ),
    (&[GATEWAY, DENIED, "imgae: {}"], "imgae"),
    (&[GATEWAY, DENIED, "image: {digest: 'sha256:1'}"], "digest"),
    (
        &[
            GATEWAY,
            DENIED,
            "image: {repository: 'registry.example.com/a:1'}",
        ],
        "repository",
    ),
];

#[test]
fn values_without_a_meaning_are_refused_with_what_to_write() {
    let values: Vec<_> = REFUSED.iter().map(|(lines, _)| lines.join("\n")).collect();
    let releases: Vec<_> = values.iter().map(|values| (&**values, "shop")).collect();
    for ((lines, words), answer) in REFUSED.iter().zip(helm_all(&releases)) {
        let error = answer.expect_err(&lines.join("\n"));
        assert!(error.contains(words), "{lines:?}: {error}");
    }
}
