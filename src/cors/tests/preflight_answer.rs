//! Other parts of an answer to a preflight: private networks, caching, and `*`.

use super::super::{CorsSpec, PreflightPart, RouteMethods};
use super::preflight::*;
use super::{example, origins};

#[test]
fn private_network_access_is_answered_only_if_requested_and_allowed() {
    const NAME: &str = "access-control-allow-private-network";
    let allowing = CorsSpec {
        allow_private_network: true,
        ..example()
    };
    let asking: Header<'_> = (b"access-control-request-private-network", b"true");
    let ask = |spec, request: &[Header<'_>]| {
        let answer = ask(spec, &no_routes(), request);
        answer.assert_allowed();
        header(&answer.headers, NAME)
    };
    let base = [origin(APP), method("GET")];
    let asked = [origin(APP), method("GET"), asking];
    assert_eq!(ask(&allowing, &asked).as_deref(), Some("true"));
    assert_eq!(ask(&allowing, &base), None);
    assert_eq!(ask(&example(), &asked), None, "204 without its header");
}

#[test]
fn max_age_zero_is_sent() {
    let spec = CorsSpec {
        max_age: Some(std::time::Duration::ZERO),
        ..example()
    };
    let answer = ask(&spec, &no_routes(), &[origin(APP), method("GET")]);
    assert_eq!(
        header(&answer.headers, "access-control-max-age").as_deref(),
        Some("0")
    );
}

#[test]
fn browsers_cache_nothing_if_a_path_has_several_policies() {
    let path = |mixed| RouteMethods {
        named: vec!["GET"],
        mixed,
        ..no_routes()
    };
    let never = CorsSpec {
        max_age: None,
        ..example()
    };
    for (spec, mixed, expected) in [
        (&example(), true, Some("0")),
        (&never, true, Some("0")),
        (&example(), false, Some("7200")),
        (&never, false, None),
    ] {
        let answer = ask(spec, &path(mixed), &[origin(APP), method("GET")]);
        let max_age = header(&answer.headers, "access-control-max-age");
        assert_eq!(max_age.as_deref(), expected);
    }
}

#[test]
fn every_origin_is_answered_with_a_star_and_without_vary() {
    let star = owned(&[("access-control-allow-origin", "*")]);
    let spec = origins(&["*"]);
    for value in [
        &b"https://evil.example"[..],
        b"null",
        b"chrome-extension://abc",
    ] {
        let answer = ask(&spec, &no_routes(), &[origin(value), method("GET")]);
        answer.assert_allowed();
        let allowed = header(&answer.headers, "access-control-allow-origin");
        assert_eq!(allowed.as_deref(), Some("*"));
        let credentials = header(&answer.headers, "access-control-allow-credentials");
        assert_eq!(credentials, None);
    }
    // An origin that no browser sends is refused, with the header that every
    // answer has.
    let malformed = [&b""[..], b"https://a.example,https://b.example", b"\xff"];
    let mut requests = Vec::from(malformed.map(|value| vec![origin(value), method("GET")]));
    requests.push(vec![origin(APP), origin(APP), method("GET")]);
    for request in requests {
        let answer = ask(&spec, &no_routes(), &request);
        assert_eq!((answer.status, &answer.headers), (403, &star));
        assert_eq!(answer.faults, [PreflightPart::Origin]);
    }
}

#[test]
fn beside_a_star_the_answer_depends_on_the_origin() {
    let spec = origins(&["*", "https://app.example.com"]);
    for (value, allowed) in [
        (APP, "https://app.example.com"),
        (b"https://evil.example", "*"),
    ] {
        let answer = ask(&spec, &no_routes(), &[origin(value), method("GET")]);
        assert_eq!(
            header(&answer.headers, "access-control-allow-origin").as_deref(),
            Some(allowed)
        );
    }
    ask(&spec, &no_routes(), &[origin(b"a,b"), method("GET")]).assert_refused();
}
