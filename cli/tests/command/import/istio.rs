//! Imports of the policies of Istio.

use super::{DENIED, access, import};

/// A policy of Istio beside an authentication.
fn istio(action: &str, rules: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {{name: a}}\nspec: {{jwtRules: \
         [{{issuer: 'https://a.example', audiences: [a], jwksUri: 'https://a.example/keys'}}]}}\n---\n\
         apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: b}}\nspec: {{action: {action}, rules: {rules}}}\n"
    )
}

#[test]
fn an_authentication_of_istio_alone_needs_no_token() {
    let text = istio("ALLOW", "[]");
    let alone = text.split("---").next().unwrap();
    assert_eq!(access(alone, "$default"), "access: optional");
    // A policy without rules allows nothing.
    assert_eq!(access(&text, "$default"), DENIED);
    assert_eq!(access(&istio("DENY", "[]"), "$default"), "access: optional");
    assert_eq!(
        access(&istio("ALLOW", "[{}]"), "$default"),
        "access: optional"
    );
    assert_eq!(access(&istio("DENY", "[{}]"), "$default"), DENIED);
}

#[test]
fn principals_and_claims_of_istio_become_rules() {
    let from = |principal: &str| {
        istio(
            "ALLOW",
            &format!("[{{from: [{{source: {{requestPrincipals: ['{principal}']}}}}]}}]"),
        )
    };
    assert_eq!(access(&from("*"), "$default"), "");
    assert_eq!(access(&from("https://a.example/*"), "$default"), "");
    assert_eq!(
        access(&from("https://a.example/joe"), "$default"),
        "claims:, sub: [joe]"
    );
    for unknown in [
        "https://b.example/*",
        "https://a.example*",
        "*a.example/joe",
        "joe",
    ] {
        assert_eq!(access(&from(unknown), "$default"), DENIED, "{unknown}");
    }
    let when = |key: &str, values: &str| {
        istio(
            "ALLOW",
            &format!("[{{when: [{{key: '{key}', {values}}}]}}]"),
        )
    };
    assert_eq!(
        access(
            &when("request.auth.claims[scope]", "values: [a, b]"),
            "$default"
        ),
        "scopes: [a, b]"
    );
    assert_eq!(
        access(
            &when("request.auth.claims[group]", "values: [a, 'b-*']"),
            "$default"
        ),
        "claims:, group: [a, {prefix: b-}]"
    );
    for (key, values) in [
        ("request.auth.claims[group]", "notValues: [a]"),
        ("request.auth.claims[group]", "values: ['*']"),
        ("request.auth.claims[group]", "values: ['*-a']"),
        ("request.auth.claims[realm][roles]", "values: [a]"),
        ("request.headers[x-a]", "values: [a]"),
        ("source.ip", "values: [10.0.0.1]"),
        ("request.auth.claims[group]", "values: []"),
    ] {
        assert_eq!(
            access(&when(key, values), "$default"),
            DENIED,
            "{key} {values}"
        );
    }
}

#[test]
fn what_istio_cannot_express_here_is_denied() {
    for to in [
        "notPaths: [/a]",
        "hosts: [a.example]",
        "ports: ['80']",
        "notMethods: [GET]",
        "paths: ['*/a']",
        "paths: ['/a/{**}/b']",
        "methods: ['G*']",
    ] {
        let ran = import(
            &istio("ALLOW", &format!("[{{to: [{{operation: {{{to}}}}}]}}]")),
            &[],
        );
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(
            ran.out.matches(DENIED).count(),
            ran.out.matches("- match:").count(),
            "{to}\n{}",
            ran.out
        );
        let ran = import(
            &istio("DENY", &format!("[{{to: [{{operation: {{{to}}}}}]}}]")),
            &[],
        );
        assert!(
            ran.out.contains("- match: $default\n    access: denied"),
            "{to}\n{}",
            ran.out
        );
    }
    for action in ["CUSTOM", "DENY"] {
        let text = istio(
            action,
            "[{from: [{source: {namespaces: [a]}}], to: [{operation: {paths: [/a]}}]}]",
        );
        let pattern = if action == "DENY" {
            "ANY /a"
        } else {
            "$default"
        };
        assert_eq!(access(&text, pattern), DENIED, "{action}");
    }
}

#[test]
fn a_denial_of_requests_without_a_token_requires_one() {
    let text = istio(
        "DENY",
        "[{from: [{source: {notRequestPrincipals: ['*']}}], to: [{operation: {paths: ['/a/*']}}]}]",
    );
    assert_eq!(access(&text, "ANY /a/{proxy+}"), "");
    assert_eq!(access(&text, "$default"), "access: optional");
}

#[test]
fn workloads_of_istio_are_several_apis() {
    let selected = istio("ALLOW", "[{}]").replace(
        "spec: {action",
        "spec: {selector: {matchLabels: {app: x}}, action",
    );
    let both = format!("{selected}---\n{}", selected.replace("app: x", "app: z"));
    let ran = import(&both, &[]);
    assert!(ran.err.contains("`app=x`, `app=z`"), "{}", ran.err);
    assert_eq!(import(&both, &["--api", "app=x"]).code, 0);
}

#[test]
fn an_issuer_that_is_absent_is_denied() {
    let text = istio("ALLOW", "[{}]").replace("issuer: 'https://a.example', ", "");
    assert_eq!(access(&text, "$default"), DENIED);
}
