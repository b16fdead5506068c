//! The steps of a decision in words.

use std::fmt::Write;

use super::doubted::{NAMED, Pair};
use super::traced::{policy, traced_by};
use crate::authz::Steps;
use crate::config;
use crate::policy::Policy;

/// The description of a decision's steps.
fn text(key: &Pair, request: (&str, &str), more: &[(&str, &str)]) -> String {
    let mut steps = Steps::new(true);
    traced_by(&policy(key), request, more, &mut steps);
    steps.into_text().unwrap().into()
}

#[test]
fn the_log_describes_each_step_up_to_the_deciding_one() {
    let (key, other) = (Pair::new(), Pair::new());
    let [good, forged] = [&key, &other].map(|key| format!("Bearer {}", key.token(NAMED)));
    let form =
        "path ok, route found, one token, ES256, providers with its issuer: 1, provider `p`: ";
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    for (request, more, expected) in [
        (("get", "/a"), &[][..], "bad method".to_owned()),
        (
            ("GET", "/a//b"),
            &[],
            "path: the path has an empty segment (`paths.allow_empty_segments` would allow it)"
                .to_owned(),
        ),
        (("GET", "/none"), &[], "path ok, no route".to_owned()),
        (
            ("GET", "/a"),
            &[("connection", "x-user-id")],
            "bad `Connection`".to_owned(),
        ),
        (
            ("GET", "/a"),
            &[(":authority", "b")],
            "path ok, bad host".to_owned(),
        ),
        (
            ("GET", "/token"),
            &[],
            "path ok, route found, no token".to_owned(),
        ),
        (
            ("POST", "/mcp"),
            &[("mcp-protocol-version", "2025-11-25")],
            "path ok, mcp-protocol-version is older than 2026-07-28, no token".to_owned(),
        ),
        (
            ("OPTIONS", "/token"),
            &preflight,
            "path ok, preflight".to_owned(),
        ),
        (
            ("GET", "/token"),
            &[("authorization", &forged)],
            format!("{form}not signed (keys: 1, tried: 1)"),
        ),
        (
            ("GET", "/scope"),
            &[("authorization", &good)],
            format!("{form}signed (keys: 1, tried: 1), claims valid, rules of the route not met"),
        ),
    ] {
        assert_eq!(text(&key, request, more), expected, "{request:?}");
    }
}

#[test]
fn the_log_tells_apart_what_is_wrong_with_credentials_and_tokens() {
    let key = Pair::new();
    let provider = "path ok, route found, one token, ES256, providers with its issuer: 1, \
                    provider `p`: ";
    let bearer = |token: String| vec![("authorization", format!("Bearer {token}"))];
    for (more, expected) in [
        (
            vec![("authorization", "Basic x Bearer y".to_owned())],
            "path ok, route found, a value that another parser may read as a token".to_owned(),
        ),
        (
            vec![
                ("authorization", "Bearer a".to_owned()),
                ("authorization", "Bearer b".to_owned()),
            ],
            "path ok, route found, several tokens".to_owned(),
        ),
        (
            bearer(key.token_with(NAMED, r#","nbf":4102444700"#)),
            format!("{provider}signed (keys: 1, tried: 1), claims: not_yet_valid"),
        ),
        (
            bearer(key.token(r#"{"alg":"ES256","kid":"k","typ":"other"}"#)),
            format!("{provider}bad_type"),
        ),
        (
            bearer(key.token(r#"{"alg":"ES384","kid":"k"}"#)),
            provider.replace("ES256", "ES384") + "no key to choose (keys: 1, tried: 0)",
        ),
    ] {
        let fields: Vec<_> = more.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(text(&key, ("GET", "/token"), &fields), expected);
    }
}

#[test]
fn the_log_names_requests_that_no_route_decides() {
    let key = Pair::new();
    let well_known = ("GET", "/.well-known/oauth-protected-resource/x");
    let expected = "path ok, metadata of a resource";
    assert_eq!(text(&key, well_known, &[]), expected);

    let mut steps = Steps::new(true);
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    let without_cors = many_providers(1);
    let request = ("OPTIONS", "/token");
    traced_by(&without_cors, request, &preflight, &mut steps);
    let expected = "path ok, preflight without a CORS policy, no route";
    assert_eq!(steps.into_text().as_deref(), Some(expected));
}

#[test]
fn unneeded_steps_are_not_described() {
    let key = Pair::new();
    let mut steps = Steps::new(false);
    traced_by(&policy(&key), ("GET", "/token"), &[], &mut steps);
    assert_eq!(steps.into_text(), None);
}

#[test]
fn the_description_is_bounded_and_shows_nothing_of_the_request() {
    let key = Pair::new();
    let secret = "eyJhbGciOiJFUzI1NiJ9";
    let value = format!("Bearer {secret}");
    let path = format!("/optional?token={secret}");
    let text = text(&key, ("GET", &path), &[("authorization", &value)]);
    assert!(!text.contains(secret), "{text}");

    let policy = many_providers(1000);
    let mut steps = Steps::new(true);
    let forged = format!("Bearer {}", key.token(NAMED));
    traced_by(
        &policy,
        ("GET", "/token"),
        &[("authorization", &forged)],
        &mut steps,
    );
    let text = steps.into_text().unwrap();
    assert!(text.len() < 1100 && text.ends_with(", …"), "{text}");
}

/// A policy with this number of providers of one issuer. None of them has the token's key.
fn many_providers(count: usize) -> Policy {
    let jwk = Pair::new().jwk(Some("k"));
    let mut providers = String::new();
    for number in 0..count {
        let comma = if number > 0 { "," } else { "" };
        write!(
            providers,
            r#"{comma}{{"name":"p{number}","issuer":"https://a.example","audiences":["api"],"jwks":{{"inline":{{"keys":[{jwk}]}}}}}}"#
        )
        .unwrap();
    }
    let document = format!(r#"{{"providers":[{providers}],"routes":[{{"match":"GET /token"}}]}}"#);
    config::compile(document.as_bytes()).unwrap()
}
