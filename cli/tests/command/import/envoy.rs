//! Imports of the rules of Envoy's filters.

use super::{DENIED, access, import};

/// A connection manager of Envoy with these rules of `jwt_authn` and these further filters.
fn envoy(rules: &str, filters: &str, routes: &str) -> String {
    format!(
        "static_resources: {{listeners: [{{name: main, filter_chains: [{{filters: [{{name: hcm, typed_config: {{\
         '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, \
         http_filters: [{{name: jwt, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication, \
         providers: {{p: {{issuer: 'https://a.example', audiences: [a], payload_in_metadata: m, forward: true, \
         remote_jwks: {{http_uri: {{uri: 'https://a.example/keys', cluster: keys, timeout: 1s}}}}}}, \
         q: {{issuer: 'https://b.example', audiences: [b], remote_jwks: {{http_uri: {{uri: 'https://b.example/keys', cluster: keys}}}}}}, \
         anyone: {{audiences: [b]}}}}, requirement_map: {{named: {{provider_name: p}}}}, rules: {rules}}}}}{filters}], \
         route_config: {{virtual_hosts: [{{name: all, domains: ['*'], routes: {routes}}}]}}}}}}]}}]}}]}}\n"
    )
}

fn jwt(rules: &str) -> String {
    envoy(rules, "", "[]")
}

fn rbac(rules: &str) -> String {
    let filter = format!(
        ", {{name: rbac, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC, rules: {rules}}}}}"
    );
    envoy(
        "[{match: {prefix: /}, requires: {provider_name: p}}]",
        &filter,
        "[]",
    )
}

#[test]
fn the_first_rule_of_jwt_authn_decides() {
    let text =
        jwt("[{match: {path: /health}}, {match: {prefix: /}, requires: {provider_name: p}}]");
    assert_eq!(access(&text, "ANY /health"), "access: public");
    assert_eq!(access(&text, "$default"), "");
    // The other way round, the first rule matches everything.
    let text =
        jwt("[{match: {prefix: /}, requires: {provider_name: p}}, {match: {path: /health}}]");
    let ran = import(&text, &[]);
    assert!(!ran.out.contains("access: public"), "{}", ran.out);
}

#[test]
fn requests_without_a_rule_of_jwt_authn_are_public() {
    let text = jwt("[{match: {path_separated_prefix: /api}, requires: {provider_name: p}}]");
    assert_eq!(access(&text, "$default"), "access: public");
    assert_eq!(access(&text, "ANY /api"), "");
    assert_eq!(access(&text, "ANY /api/{proxy+}"), "");
}

#[test]
fn a_prefix_that_ends_inside_a_segment_opens_nothing() {
    // `/administrator` needs a token, too, and no pattern says so: all such paths need one.
    let text = jwt("[{match: {prefix: /admin}, requires: {provider_name: p}}]");
    assert_eq!(access(&text, "ANY /{part0}"), "");
    assert_eq!(access(&text, "ANY /{part0}/{proxy+}"), "");
    // `/healthz` is public in the source, and needs a token here.
    let text =
        jwt("[{match: {prefix: /health}}, {match: {prefix: /}, requires: {provider_name: p}}]");
    assert_eq!(access(&text, "ANY /health"), "access: public");
    assert_eq!(access(&text, "$default"), "");
}

#[test]
fn a_regular_expression_or_a_header_never_opens_a_route() {
    for matching in [
        "{safe_regex: {regex: '/open.*'}}",
        "{prefix: /, headers: [{name: x-open, string_match: {exact: 'yes'}}]}",
        "{path: /open, query_parameters: [{name: open}]}",
        "{path: /open, case_sensitive: false}",
        "{prefix: /, runtime_fraction: {default_value: {numerator: 1}}}",
    ] {
        let rules = format!(
            "[{{match: {matching}}}, {{match: {{prefix: /}}, requires: {{provider_name: p}}}}]"
        );
        let ran = import(&jwt(&rules), &[]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            !ran.out.contains("access: public"),
            "{matching}\n{}",
            ran.out
        );
    }
}

#[test]
fn get_does_not_stand_for_head() {
    let get = "{prefix: /, headers: [{name: ':method', string_match: {exact: GET}}]}";
    let rules =
        format!("[{{match: {get}}}, {{match: {{prefix: /}}, requires: {{provider_name: p}}}}]");
    let text = jwt(&rules);
    assert_eq!(access(&text, "GET /{proxy+}"), "access: public");
    assert_eq!(access(&text, "HEAD /{proxy+}"), "");
    assert_eq!(access(&text, "$default"), "");
}

#[test]
fn requirements_of_jwt_authn_have_their_equivalents() {
    let of = |requires: &str| jwt(&format!("[{{match: {{prefix: /}}, requires: {requires}}}]"));
    let two = "{requires_any: {requirements: [{provider_name: p}, {provider_name: q}]}}";
    assert_eq!(access(&of(two), "$default"), "");
    let missing = "{requires_any: {requirements: [{provider_name: p}, {allow_missing: {}}]}}";
    assert_eq!(access(&of(missing), "$default"), "access: optional");
    let failed =
        "{requires_any: {requirements: [{provider_name: p}, {allow_missing_or_failed: {}}]}}";
    assert_eq!(access(&of(failed), "$default"), "access: optional");
    for requires in [
        "{provider_name: nobody}",
        "{provider_name: anyone}",
        "{requires_all: {requirements: [{provider_name: p}, {provider_name: q}]}}",
        "{requires_any: {requirements: []}}",
        "{something_new: {}}",
    ] {
        assert_eq!(access(&of(requires), "$default"), DENIED, "{requires}");
    }
    let ran = import(
        &of("{provider_and_audiences: {provider_name: p, audiences: [c]}}"),
        &[],
    );
    assert!(ran.out.contains("audiences: [c]"), "{}", ran.out);
}

#[test]
fn a_route_can_configure_jwt_authn() {
    let per_route = |config: &str| {
        let kind = "'@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";
        let routes = format!(
            "[{{match: {{path_separated_prefix: /a}}, route: {{cluster: a}}, typed_per_filter_config: {{jwt: {{{kind}, {config}}}}}}}, \
             {{match: {{prefix: /}}, route: {{cluster: a}}}}]"
        );
        envoy(
            "[{match: {prefix: /}, requires: {provider_name: q}}]",
            "",
            &routes,
        )
    };
    assert_eq!(
        access(&per_route("disabled: true"), "ANY /a"),
        "access: public"
    );
    assert_eq!(
        access(&per_route("requirement_name: named"), "ANY /a"),
        "providers: [p]"
    );
    assert_eq!(
        access(&per_route("requirement_name: nothing"), "ANY /a"),
        DENIED
    );
    assert_eq!(
        access(&per_route("requirement_name: named"), "$default"),
        "providers: [q]"
    );
}

#[test]
fn rbac_allows_only_what_a_policy_surely_allows() {
    let any = "principals: [{any: true}]";
    let text = rbac(&format!(
        "{{action: ALLOW, policies: {{a: {{permissions: [{{url_path: {{path: {{exact: /a}}}}}}], {any}}}}}}}"
    ));
    assert_eq!(access(&text, "ANY /a"), "");
    assert_eq!(access(&text, "$default"), DENIED);
    for (permission, principal) in [
        ("not_rule: {any: true}", "any: true"),
        ("destination_port: 80", "any: true"),
        ("header: {name: x, string_match: {exact: a}}", "any: true"),
        (
            "header: {name: ':path', string_match: {exact: /a}}",
            "any: true",
        ),
        (
            "any: true",
            "remote_ip: {address_prefix: 10.0.0.0, prefix_len: 8}",
        ),
        ("any: true", "not_id: {any: true}"),
        ("any: true", "authenticated: {}"),
        (
            "any: true",
            "metadata: {filter: other, path: [{key: m}, {key: c}], value: {string_match: {exact: x}}}",
        ),
        (
            "any: true",
            "metadata: {filter: envoy.filters.http.jwt_authn, path: [{key: m}, {key: c}], value: {string_match: {suffix: x}}}",
        ),
        (
            "any: true",
            "metadata: {filter: envoy.filters.http.jwt_authn, path: [{key: m}, {key: c}], value: {string_match: {exact: x}}, invert: true}",
        ),
    ] {
        let text = rbac(&format!(
            "{{action: ALLOW, policies: {{a: {{permissions: [{{{permission}}}], principals: [{{{principal}}}]}}}}}}"
        ));
        let ran = import(&text, &[]);
        assert_eq!(ran.code, 0, "{permission} {principal}: {}", ran.err);
        let routes = ran.out.matches("- match:").count();
        assert_eq!(
            ran.out.matches(DENIED).count(),
            routes,
            "{permission} {principal}\n{}",
            ran.out
        );
    }
    let condition = rbac(&format!(
        "{{action: ALLOW, policies: {{a: {{permissions: [{{any: true}}], {any}, condition: {{const_expr: {{}}}}}}}}}}"
    ));
    assert_eq!(access(&condition, "$default"), DENIED);
    assert_eq!(
        access(&rbac("{action: ALLOW, policies: {}}"), "$default"),
        DENIED
    );
}

#[test]
fn rbac_denies_whatever_a_policy_may_deny() {
    let text = rbac(
        "{action: DENY, policies: {a: {permissions: [{url_path: {path: {prefix: /a/}}}], principals: [{remote_ip: {address_prefix: 10.0.0.0}}]}}}",
    );
    assert_eq!(access(&text, "ANY /a/{proxy+}"), DENIED);
    assert_eq!(access(&text, "$default"), "");
    let text = rbac(
        "{action: DENY, policies: {a: {permissions: [{not_rule: {any: true}}], principals: [{any: true}]}}}",
    );
    assert_eq!(access(&text, "$default"), DENIED);
}

#[test]
fn a_claim_of_rbac_needs_a_token_of_the_provider_that_wrote_it() {
    let principal = |key: &str| {
        rbac(&format!(
            "{{policies: {{a: {{permissions: [{{any: true}}], principals: [{{metadata: {{filter: envoy.filters.http.jwt_authn, \
             path: [{{key: {key}}}, {{key: group}}], value: {{list_match: {{one_of: {{string_match: {{exact: staff}}}}}}}}}}}}]}}}}}}"
        ))
    };
    assert_eq!(
        access(&principal("m"), "$default"),
        "claims:, group: [staff]"
    );
    assert_eq!(access(&principal("other"), "$default"), DENIED);
}

#[test]
fn other_filters_of_envoy_deny_everything() {
    for kind in [
        "ext_authz.v3.ExtAuthz",
        "wasm.v3.Wasm",
        "golang.v3alpha.Config",
        "lua.v3.Lua",
        "basic_auth.v3.BasicAuth",
    ] {
        let filter = format!(
            ", {{name: x, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.{kind}}}}}"
        );
        let text = envoy("[{match: {prefix: /}}]", &filter, "[]");
        assert_eq!(access(&text, "$default"), DENIED, "{kind}");
    }
}

#[test]
fn routes_that_are_not_in_the_file_are_an_error() {
    let text = jwt("[]").replace(
        "route_config: {virtual_hosts",
        "rds: {route_config_name: far}, other: {virtual_hosts",
    );
    let ran = import(&text, &[]);
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(
        ran.err.contains("the routes `far` are not in the file"),
        "{}",
        ran.err
    );
}

#[test]
fn a_prefix_with_a_slash_at_its_end_also_guards_the_path_without_it() {
    let text = jwt("[{match: {path: /a}}, {match: {prefix: /a/}, requires: {provider_name: p}}]");
    assert_eq!(access(&text, "ANY /a"), "");
    assert_eq!(access(&text, "ANY /a/{proxy+}"), "");
    assert_eq!(access(&text, "$default"), "access: public");
}
