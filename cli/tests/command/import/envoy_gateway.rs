//! Imports of the policies of Envoy Gateway.

use super::{DENIED, access, import};

#[test]
fn a_policy_of_envoy_gateway_for_a_route_that_is_absent_is_an_error() {
    let policy = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: a}\nspec:\n  \
                  targetRefs: [{kind: HTTPRoute, name: far}]\n";
    let ran = import(policy, &[]);
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.contains("`HTTPRoute` `far`"), "{}", ran.err);
    let gateway = policy.replace("kind: HTTPRoute, name: far", "kind: Gateway, name: eg");
    for member in ["extAuth: {}", "basicAuth: {}", "oidc: {}", "apiKeyAuth: {}"] {
        assert_eq!(
            access(&format!("{gateway}  {member}\n"), "$default"),
            DENIED,
            "{member}"
        );
    }
    let jwt = "jwt: {providers: [{name: p, issuer: 'https://a.example', audiences: [a], remoteJWKS: {uri: 'https://a.example/k'}}]";
    assert_eq!(access(&format!("{gateway}  {jwt}}}\n"), "$default"), "");
    assert_eq!(
        access(&format!("{gateway}  {jwt}, optional: true}}\n"), "$default"),
        "access: optional"
    );
}

#[test]
fn a_policy_of_another_namespace_is_not_that_of_a_route() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\nspec: \
                 {parentRefs: [{name: eg}], rules: [{matches: [{path: {type: PathPrefix, value: /a}}]}]}\n";
    let policy = |namespace: &str, kind: &str, name: &str, optional: bool| {
        format!(
            "---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {{name: {namespace}-{kind}, \
             namespace: {namespace}}}\nspec: {{targetRefs: [{{kind: {kind}, name: {name}}}], jwt: {{optional: {optional}, \
             providers: [{{name: p, issuer: 'https://a.example', audiences: [a], remoteJWKS: {{uri: 'https://a.example/k'}}}}]}}}}\n"
        )
    };
    let strict = policy("shop", "Gateway", "eg", false);
    let own = format!("{route}{strict}{}", policy("shop", "HTTPRoute", "r", true));
    assert_eq!(access(&own, "ANY /a"), "access: optional");
    let other = format!("{route}{strict}{}", policy("other", "HTTPRoute", "r", true));
    assert_eq!(access(&other, "ANY /a"), "");
}

#[test]
fn a_grpc_route_opens_nothing_and_is_named() {
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: r}\nspec: \
                {parentRefs: [{name: eg}], rules: [{backendRefs: []}]}\n---\n\
                apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: p}\n\
                spec: {targetRefs: [{kind: Gateway, name: eg}], cors: {allowOrigins: ['https://a.example']}}\n";
    assert_eq!(access(text, "$default"), DENIED);
    let ran = import(text, &[]);
    assert!(
        ran.out.contains("a `GRPCRoute` has no equivalent"),
        "{}",
        ran.out
    );
}
