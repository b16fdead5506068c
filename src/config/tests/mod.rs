//! The policies that valid configurations compile to.

mod hostile;

use std::time::Duration;

use serde_json::{Value, json};

use super::{ConfigErrors, compile};
use crate::crypto::{Algorithm, AlgorithmSet};
use crate::http::{Host, NormalPath};
use crate::jwt::{Audiences, TokenType, TokenUse};
use crate::policy::{
    Access, BodyStyle, ClaimFormat, DocumentLocation, Policy, Provider, ProviderKeys, TokenPlace,
};
use crate::rules::{ClaimName, Expected, RequestPart, Requirement};

/// A configuration with every member.
const WHOLE: &str = include_str!("../../../tests/fixtures/whole.yaml");

fn whole() -> Value {
    serde_saphyr::from_str(WHOLE).unwrap()
}

fn compile_value(value: &Value) -> Result<Policy, ConfigErrors> {
    compile(value.to_string().as_bytes())
}

fn policy(value: &Value) -> Policy {
    compile_value(value).unwrap_or_else(|errors| panic!("{errors}"))
}

fn minimal() -> Value {
    json!({
        "providers": [{
            "name": "main",
            "issuer": "https://issuer.example.com/tenant/",
            "audiences": ["api"],
            "jwks": {"cluster": "issuer"},
        }],
        "routes": [{"match": "GET /"}],
    })
}

fn provider(policy: &Policy, index: usize) -> &Provider {
    policy.providers.iter().nth(index).unwrap().1
}

fn texts(values: &[&str]) -> Vec<Box<str>> {
    values.iter().map(|value| (*value).into()).collect()
}

#[test]
fn omitted_members_have_their_defaults() {
    let policy = policy(&minimal());
    let provider = provider(&policy, 0);
    assert_eq!(provider.algorithms, AlgorithmSet::asymmetric());
    let expectations = &provider.expectations;
    assert_eq!(
        expectations.token_types,
        [
            None,
            Some(TokenType::new("jwt")),
            Some(TokenType::new("at+jwt"))
        ]
    );
    assert_eq!(expectations.token_use, None);
    assert_eq!(expectations.clock_skew, Duration::from_mins(1));
    assert_eq!(expectations.max_lifetime, None);
    assert_eq!(
        provider.scope_claims,
        [ClaimName::new("scope"), ClaimName::new("scp")]
    );
    let source = &policy.sources[0];
    assert_eq!(
        (source.timeout, source.refresh, source.max_stale),
        (
            Duration::from_secs(5),
            Duration::from_mins(10),
            Duration::from_hours(24)
        )
    );
    assert_eq!(
        policy.token_places,
        [TokenPlace::Header {
            name: "authorization".into(),
            scheme: Some("Bearer".into())
        }]
    );
    assert!(!policy.upstream.keep_token);
    assert!(policy.upstream.claims.is_empty());
    let route = &policy.routes[0];
    assert_eq!(
        (route.access, &route.providers, &*route.name),
        (Access::Required, &None, "GET /")
    );
    assert!(route.cors.is_none() && policy.cors.is_none());
    assert_eq!(&*policy.responses.realm, "api");
    assert_eq!(policy.responses.body, BodyStyle::Aws);
    assert_eq!(policy.max_tokens, 20_000);
}

#[test]
fn metadata_uris_lack_the_issuers_last_slash() {
    let policy = policy(&minimal());
    let DocumentLocation::Discovery {
        issuer, metadata, ..
    } = &policy.sources[0].location
    else {
        panic!("not discovered");
    };
    assert_eq!(&**issuer, "https://issuer.example.com/tenant/");
    assert_eq!(
        metadata.each_ref().map(ToString::to_string),
        [
            "https://issuer.example.com/tenant/.well-known/openid-configuration",
            "https://issuer.example.com/.well-known/oauth-authorization-server/tenant",
        ]
    );
}

#[test]
fn an_issuer_without_a_path_is_discovered_at_the_root() {
    for issuer in ["https://issuer.example.com", "https://issuer.example.com/"] {
        let mut value = minimal();
        value["providers"][0]["issuer"] = issuer.into();
        let policy = policy(&value);
        let DocumentLocation::Discovery { metadata, .. } = &policy.sources[0].location else {
            panic!("not discovered");
        };
        assert_eq!(
            metadata.each_ref().map(|uri| uri.path().to_owned()),
            [
                "/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server"
            ]
        );
    }
}

#[test]
fn every_member_reaches_the_policy() {
    let policy = policy(&whole());
    let cognito = provider(&policy, 0);
    assert_eq!(&*cognito.name, "cognito");
    assert_eq!(
        cognito.algorithms.iter().collect::<Vec<_>>(),
        [Algorithm::Rs256]
    );
    let expectations = &cognito.expectations;
    assert_eq!(
        expectations.audiences,
        Audiences::AnyOf(texts(&["4t0example"]))
    );
    assert_eq!(expectations.token_use, Some(TokenUse::Access));
    assert_eq!(expectations.token_types, [Some(TokenType::new("at+jwt"))]);
    assert_eq!(expectations.max_lifetime, Some(Duration::from_hours(24)));
    let azp = &expectations.claims[0];
    assert_eq!(azp.name, ClaimName::new("azp"));
    assert_eq!(
        azp.requirement,
        Requirement::any_of(vec![
            Expected::Text("spa".into()),
            Expected::Text("cli".into())
        ])
    );
    assert!(matches!(cognito.keys, ProviderKeys::Fetched(id) if id.index() == 0));
    let google = provider(&policy, 1);
    assert_eq!(google.expectations.audiences, Audiences::Any);
    let DocumentLocation::Discovery { hosts, .. } = &policy.sources[1].location else {
        panic!("not discovered");
    };
    assert_eq!(&*hosts["www.googleapis.com"], "googleapis");
    assert!(matches!(
        &provider(&policy, 2).keys,
        ProviderKeys::Inline(keys) if keys.len() == 1
    ));
    assert_eq!(policy.token_places.len(), 4);
    let headers: Vec<_> = policy
        .upstream
        .claims
        .iter()
        .map(|claim| (&*claim.header, claim.claim.as_str(), claim.format))
        .collect();
    assert_eq!(
        headers,
        [
            ("x-tenant", "app_metadata.tenant", ClaimFormat::Json),
            ("x-user-groups", "cognito:groups", ClaimFormat::Csv),
            ("x-user-id", "sub", ClaimFormat::Json),
        ]
    );
    assert_eq!(policy.upstream.payload.as_deref(), Some("x-jwt-payload"));
    assert!(policy.paths.flags().ignore_case);
    assert_eq!(policy.max_tokens, 5_000);
    assert_eq!(policy.responses.body, BodyStyle::Problem);
}

#[test]
fn the_rules_of_routes_reach_the_policy() {
    let policy = policy(&whole());
    let of = |index: usize| &policy.routes[index];
    assert_eq!(of(0).access, Access::Public);
    assert_eq!(of(1).rules.scopes.any_of, texts(&["pets:read"]));
    let delete = of(2);
    assert_eq!(delete.rules.scopes.all_of, texts(&["pets:write"]));
    assert_eq!(delete.rules.scopes.none_of, texts(&["suspended"]));
    assert_eq!(delete.providers.as_ref().unwrap()[0].index(), 0);
    for (index, claim, expected) in [
        (
            1,
            "custom:org",
            Expected::Part(RequestPart::Query("org".into())),
        ),
        (2, "custom:repository", Expected::Prefix("repo:org/".into())),
        (
            3,
            "custom:tenant",
            Expected::Part(RequestPart::Header("x-tenant".into())),
        ),
        (4, "sub", Expected::Part(RequestPart::Variable("id".into()))),
    ] {
        let rule = &delete.rules.claims[index];
        assert_eq!(rule.name.as_str(), claim);
        assert_eq!(rule.requirement, Requirement::any_of(vec![expected]));
    }
    assert!(of(3).cors.is_none(), "switched off");
    assert!(of(1).cors.is_some(), "inherited");
    let path = NormalPath::parse(b"/DEV/Admin/users", &policy.paths).unwrap();
    let host = Host::parse(Some(b"a.admin.example.com")).unwrap();
    let found = policy.table.find(host.as_ref(), b"PATCH", &path).unwrap();
    assert_eq!(found.route().0, 3);
}

#[test]
fn providers_with_the_same_source_share_it_with_the_strictest_times() {
    let provider = |name: &str, jwks: Value| json!({"name": name, "issuer": name, "audiences": [name], "jwks": jwks});
    let policy = policy(&json!({
        "providers": [
            provider("a", json!({"cluster": "c", "uri": "https://x/k", "refresh": "1h", "max_stale": "2h"})),
            provider("b", json!({"cluster": "c", "uri": "https://x/k", "timeout": "1s"})),
            provider("c", json!({"cluster": "d", "uri": "https://x/k"})),
            provider("d", json!({"cluster": "c", "uri": "https://X:443/k"})),
        ],
        "routes": [{"match": "$default"}],
    }));
    assert_eq!(policy.sources.len(), 3);
    let shared = &policy.sources[0];
    assert_eq!(&*shared.name, "a");
    assert_eq!(
        (shared.timeout, shared.refresh, shared.max_stale),
        (
            Duration::from_secs(1),
            Duration::from_mins(10),
            Duration::from_hours(2)
        )
    );
}
