//! Configurations for `edge-authz-server`, which needs no clusters.

use crate::golden::run;

const DOCUMENT: &str = "\
providers:
  - name: idp
    issuer: https://idp.example.com
    audiences: [api]
    algorithms: [RS256]
    jwks: {}
    revoked: {uri: https://idp.example.com/revoked.json}
routes:
  - match: GET /pets
";

#[test]
fn a_configuration_without_clusters_is_for_the_server_only() {
    let ran = run(&["check", "-"], DOCUMENT);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("has none of `cluster` and `inline`"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("Only edge-authz-server"), "{}", ran.out);
    let ran = run(&["check", "--host", "server", "-"], DOCUMENT);
    assert_eq!(ran.code, 0, "{}", ran.out);
    // Commands that do not depend on the host take it as it is.
    let ran = run(&["routes", "-"], DOCUMENT);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let ran = run(&["render", "--for", "envoy", "-"], DOCUMENT);
    assert_eq!(ran.code, 1, "{}", ran.out);
}

#[test]
fn a_configuration_with_clusters_is_for_the_server_too() {
    let document = DOCUMENT
        .replace("jwks: {}", "jwks: {cluster: idp}")
        .replace("{uri:", "{cluster: lists, uri:");
    for host in ["envoy", "server"] {
        let ran = run(&["check", "--host", host, "-"], &document);
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
}

#[test]
fn keys_are_inline_or_fetched_on_the_server_too() {
    let document = DOCUMENT.replace("jwks: {}", "jwks: {cluster: idp, inline: {keys: []}}");
    let ran = run(&["check", "--host", "server", "-"], &document);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("has both"), "{}", ran.out);
}
