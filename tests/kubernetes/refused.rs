//! Values that would leave requests unchecked, or mean nothing, are refused.

use crate::tools::helm_all;

const DENIED: &str = "config: {routes: [{match: $default, access: denied}]}\n";

#[test]
fn values_without_a_meaning_are_refused_with_what_to_write() {
    let waypoint = "host: istio\nistio: {proxy: waypoint, gateways: [waypoint]}\n";
    let gateway = "host: istio\nistio: {selector: {istio: ingressgateway}}\n";
    let cases: &[(&str, String, &str)] = &[
        ("nothing", String::new(), "`host` is missing"),
        (
            "no configuration",
            gateway.to_owned(),
            "the configuration is missing",
        ),
        (
            "two configurations",
            format!("{gateway}{DENIED}configFile: 'routes: []'"),
            "exclude each other",
        ),
        (
            "several documents",
            format!("{gateway}configFile: \"routes: []\\n---\\nroutes: []\""),
            "several YAML documents",
        ),
        (
            "broken YAML",
            format!("{gateway}configFile: 'routes: ['"),
            "is not YAML",
        ),
        (
            "no pods",
            format!("host: istio\n{DENIED}"),
            "`istio.selector` or `istio.gateways` is missing",
        ),
        (
            "all sidecars of the namespace",
            format!("host: istio\nistio: {{proxy: sidecar}}\n{DENIED}"),
            "`istio.selector` is missing",
        ),
        (
            "a waypoint without its name",
            format!("host: istio\nistio: {{proxy: waypoint, selector: {{a: b}}}}\n{DENIED}"),
            "`istio.gateways` is missing",
        ),
        (
            "pods and gateways",
            format!("host: istio\nistio: {{selector: {{a: b}}, gateways: [c]}}\n{DENIED}"),
            "exclude each other",
        ),
        (
            "one cluster for two servers",
            format!(
                "{waypoint}config: {{providers: [\
                 {{name: a, issuer: 'https://a.example.com', jwks: {{cluster: one}}}}, \
                 {{name: b, issuer: 'https://b.example.com', jwks: {{cluster: one}}}}]}}"
            ),
            "cannot reach",
        ),
        (
            "a server that is none",
            format!(
                "{waypoint}config: {{providers: [\
                 {{name: a, issuer: 'https://user@a.example.com', jwks: {{cluster: one}}}}]}}"
            ),
            "is not a URL of a server",
        ),
        (
            "a misspelt value",
            format!("{gateway}{DENIED}imgae: {{}}"),
            "imgae",
        ),
        ("an unknown host", format!("host: nginx\n{DENIED}"), "host"),
        (
            "a digest that is none",
            format!("{gateway}{DENIED}image: {{digest: 'sha256:1'}}"),
            "digest",
        ),
        (
            "a tag in the repository",
            format!("{gateway}{DENIED}image: {{repository: 'registry.example.com/a:1'}}"),
            "repository",
        ),
    ];
    let releases: Vec<_> = cases
        .iter()
        .map(|(_, values, _)| (&**values, "shop"))
        .collect();
    for ((name, _, words), answer) in cases.iter().zip(helm_all(&releases)) {
        let error = answer.expect_err(name);
        assert!(error.contains(words), "{name}: {error}");
    }
}
