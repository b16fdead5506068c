use std::time::Duration;

use crate::http::BadMethod;

use super::super::{CorsMember as Member, CorsProblem as Problem, CorsSpec};
use super::{example, list, origins, policy};

/// Member, index and problem of each error.
fn errors(spec: &CorsSpec) -> Vec<(Member, Option<usize>, Problem)> {
    spec.compile()
        .unwrap_err()
        .into_iter()
        .map(|error| (error.member, error.index, error.problem))
        .collect()
}

#[test]
fn the_example_is_a_policy() {
    let policy = policy(&example());
    assert!(policy.allows_credentials());
    assert!(policy.has_wildcard_origins());
    assert!(!policy.allows_null());
}

#[test]
fn a_policy_names_origins() {
    assert_eq!(
        errors(&CorsSpec::default()),
        [(Member::AllowOrigins, None, Problem::Missing)]
    );
}

#[test]
fn empty_lists_are_refused() {
    let spec = CorsSpec {
        allow_origins: list(&[]),
        allow_methods: list(&[]),
        allow_headers: list(&[]),
        expose_headers: list(&[]),
        ..CorsSpec::default()
    };
    assert_eq!(
        errors(&spec),
        [
            Member::AllowOrigins,
            Member::AllowMethods,
            Member::AllowHeaders,
            Member::ExposeHeaders
        ]
        .map(|member| (member, None, Problem::EmptyList))
    );
}

#[test]
fn every_origin_or_every_host_is_refused_with_credentials() {
    let mut spec = origins(&[
        "*",
        "https://*",
        "http://*:*",
        "https://*.example.com",
        "null",
    ]);
    assert!(spec.compile().is_ok());
    spec.allow_credentials = true;
    assert_eq!(
        errors(&spec),
        [
            (
                Member::AllowOrigins,
                Some(0),
                Problem::AnyOriginWithCredentials
            ),
            (
                Member::AllowOrigins,
                Some(1),
                Problem::AnyHostWithCredentials
            ),
            (
                Member::AllowOrigins,
                Some(2),
                Problem::AnyHostWithCredentials
            ),
        ]
    );
}

#[test]
fn a_star_for_headers_is_refused_with_credentials_or_if_a_token_is_needed() {
    let stars = CorsSpec {
        allow_headers: list(&["X-A", "*"]),
        expose_headers: list(&["*"]),
        ..origins(&["https://app.example.com"])
    };
    assert!(stars.compile().is_ok());
    let with_credentials = CorsSpec {
        allow_credentials: true,
        token_needed: true,
        ..stars.clone()
    };
    assert_eq!(
        errors(&with_credentials),
        [
            (
                Member::AllowHeaders,
                Some(1),
                Problem::AnyHeaderWithCredentials
            ),
            (
                Member::ExposeHeaders,
                Some(0),
                Problem::AnyHeaderWithCredentials
            ),
        ]
    );
    let with_token = CorsSpec {
        token_needed: true,
        ..stars
    };
    assert_eq!(
        errors(&with_token),
        [
            (
                Member::AllowHeaders,
                Some(1),
                Problem::AnyHeaderWithToken(Member::AllowHeaders)
            ),
            (
                Member::ExposeHeaders,
                Some(0),
                Problem::AnyHeaderWithToken(Member::ExposeHeaders)
            ),
        ]
    );
}

#[test]
fn a_star_beside_authorization_is_valid_if_a_token_is_needed() {
    let with = |allow: &[&str], expose: &[&str], credentials| CorsSpec {
        allow_headers: list(allow),
        expose_headers: list(expose),
        allow_credentials: credentials,
        token_needed: true,
        ..origins(&["https://app.example.com"])
    };
    for allow in [
        ["*", "Authorization"],
        ["authorization", "*"],
        ["AUTHORIZATION", "*"],
    ] {
        assert!(with(&allow, &["X-A"], false).compile().is_ok(), "{allow:?}");
        assert_eq!(
            errors(&with(&allow, &["X-A"], true)).len(),
            1,
            "with credentials: {allow:?}"
        );
    }
    for allow in [["*", "X-Authorization"], ["*", "Authorization2"]] {
        assert_eq!(errors(&with(&allow, &["X-A"], false)).len(), 1, "{allow:?}");
    }
    let exposed = with(&["*", "Authorization"], &["*", "Authorization"], false);
    assert_eq!(
        errors(&exposed),
        [(
            Member::ExposeHeaders,
            Some(0),
            Problem::AnyHeaderWithToken(Member::ExposeHeaders)
        )]
    );
}

#[test]
fn methods_are_those_that_routes_can_be_for() {
    let methods = |entries: &[&str]| CorsSpec {
        allow_methods: list(entries),
        ..origins(&["https://app.example.com"])
    };
    assert!(
        methods(&["GET", "PATCH", "PROPFIND", "VERSION-CONTROL", "ANY"])
            .compile()
            .is_ok()
    );
    assert_eq!(
        errors(&methods(&[
            "get", "GET|POST", "", "*", "patch", "ALL", "any", "foo", "X_FOO",
        ])),
        [
            BadMethod::LetterCase { instead: "GET" },
            BadMethod::Several,
            BadMethod::NotAMethod,
            BadMethod::EveryMethod,
            BadMethod::LetterCase { instead: "PATCH" },
            BadMethod::EveryMethod,
            BadMethod::EveryMethod,
            BadMethod::NotAMethod,
            BadMethod::NotAMethod,
        ]
        .into_iter()
        .enumerate()
        .map(|(index, problem)| (Member::AllowMethods, Some(index), Problem::Method(problem)))
        .collect::<Vec<_>>()
    );
}

#[test]
fn header_names_are_tokens() {
    let spec = CorsSpec {
        allow_headers: list(&["X A", "", "X-A:", "é"]),
        expose_headers: list(&["A,B"]),
        ..origins(&["https://app.example.com"])
    };
    assert_eq!(
        errors(&spec),
        [
            (Member::AllowHeaders, Some(0), Problem::NotAHeaderName),
            (Member::AllowHeaders, Some(1), Problem::NotAHeaderName),
            (Member::AllowHeaders, Some(2), Problem::NotAHeaderName),
            (Member::AllowHeaders, Some(3), Problem::NotAHeaderName),
            (Member::ExposeHeaders, Some(0), Problem::NotAHeaderName),
        ]
    );
}

#[test]
fn duplicates_are_refused_and_name_the_first() {
    let spec = CorsSpec {
        allow_methods: list(&["GET", "POST", "GET"]),
        allow_headers: list(&["X-A", "x-a", "X-a"]),
        ..origins(&["null", "https://a.example", "null"])
    };
    assert_eq!(
        errors(&spec),
        [
            (Member::AllowOrigins, Some(2), Problem::Repeats(0)),
            (Member::AllowMethods, Some(2), Problem::Repeats(0)),
            (Member::AllowHeaders, Some(1), Problem::Repeats(0)),
            (Member::AllowHeaders, Some(2), Problem::Repeats(0)),
        ]
    );
}

#[test]
fn max_age_is_whole_seconds_that_browsers_can_take() {
    let with = |max_age| CorsSpec {
        max_age: Some(max_age),
        ..origins(&["https://app.example.com"])
    };
    assert!(with(Duration::ZERO).compile().is_ok());
    assert!(with(Duration::from_hours(24)).compile().is_ok());
    let longest = Duration::from_secs((1 << 31) - 1);
    assert!(with(longest).compile().is_ok());
    assert_eq!(
        errors(&with(Duration::from_millis(1500))),
        [(Member::MaxAge, None, Problem::NotWholeSeconds)]
    );
    assert_eq!(
        errors(&with(Duration::from_secs(1 << 31))),
        [(Member::MaxAge, None, Problem::TooLong)]
    );
}

#[test]
fn all_errors_are_reported_at_once_with_their_places() {
    let spec = CorsSpec {
        allow_origins: list(&["https://a.example/", "*"]),
        allow_methods: list(&["get"]),
        allow_headers: list(&["*"]),
        allow_credentials: true,
        ..CorsSpec::default()
    };
    let texts: Vec<String> = spec
        .compile()
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        texts.first().map(String::as_str),
        Some("allow_origins[0]: ends in `/`, which no browser sends; write `https://a.example`")
    );
    let places: Vec<&str> = texts
        .iter()
        .filter_map(|text| text.split(": ").next())
        .collect();
    assert_eq!(
        places,
        [
            "allow_origins[0]",
            "allow_origins[1]",
            "allow_methods[0]",
            "allow_headers[0]"
        ]
    );
}

#[test]
fn risky_origins_can_be_queried() {
    assert!(policy(&origins(&["null"])).allows_null());
    assert!(policy(&origins(&["*"])).has_wildcard_origins());
    assert!(policy(&origins(&["http://localhost:*"])).has_wildcard_origins());
    assert!(!policy(&origins(&["https://a.example"])).has_wildcard_origins());
}
