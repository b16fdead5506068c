use super::super::{CorsSpec, Preflight, PreflightAnswer, PreflightRefusal, RouteMethods};
use super::{BAD_ORIGINS, example, list, origins, policy};

pub(super) const APP: &[u8] = b"https://app.example.com";
const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

pub(super) type Header<'a> = (&'a [u8], &'a [u8]);

pub(super) fn origin(value: &[u8]) -> Header<'_> {
    (b"origin", value)
}

pub(super) fn method(value: &str) -> Header<'_> {
    (b"access-control-request-method", value.as_bytes())
}

pub(super) fn headers(value: &str) -> Header<'_> {
    (b"access-control-request-headers", value.as_bytes())
}

pub(super) fn detect<'a>(request: &[Header<'a>]) -> Option<Preflight<'a>> {
    Preflight::detect(b"OPTIONS", request.iter().copied())
}

/// Refusal, or the headers of a 204; `Vary` is checked and taken out.
pub(super) fn ask(
    spec: &CorsSpec,
    path: &RouteMethods<'_>,
    request: &[Header<'_>],
) -> Result<Vec<(String, String)>, PreflightRefusal> {
    let policy = policy(spec);
    let answer = detect(request).expect("a preflight").answer(&policy, path);
    let headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()))
        .collect();
    let (vary, rest): (Vec<_>, Vec<_>) = headers.into_iter().partition(|(name, _)| name == "vary");
    let expected: &[(String, String)] = if spec.allow_origins == list(&["*"]) {
        &[]
    } else {
        &[("vary".to_owned(), VARY.to_owned())]
    };
    assert_eq!(vary, expected);
    match answer {
        PreflightAnswer::Allowed { .. } => {
            assert_eq!(answer.status(), 204);
            Ok(rest)
        }
        PreflightAnswer::Refused { refusal, .. } => {
            assert_eq!(answer.status(), 403);
            assert_eq!(rest, [], "a refusal allows nothing");
            Err(refusal)
        }
    }
}

pub(super) fn header(answer: &[(String, String)], name: &str) -> Option<String> {
    answer
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
}

pub(super) fn no_routes() -> RouteMethods<'static> {
    RouteMethods::default()
}

#[test]
fn a_preflight_is_options_with_origin_and_requested_method() {
    assert!(detect(&[origin(APP), method("GET")]).is_some());
    assert!(detect(&[(b"Origin", APP), (b"Access-Control-Request-Method", b"GET")]).is_some());
    assert!(detect(&[]).is_none());
    assert!(detect(&[origin(APP)]).is_none());
    assert!(detect(&[method("GET")]).is_none());
    assert!(detect(&[origin(APP), headers("x-a")]).is_none());
    for other in ["POST", "options", "GET", ""] {
        let request = [origin(APP), method("GET")];
        assert!(
            Preflight::detect(other.as_bytes(), request).is_none(),
            "{other}"
        );
    }
}

#[test]
fn empty_values_count_as_present_and_are_refused() {
    assert_eq!(
        ask(&example(), &no_routes(), &[origin(b""), method("GET")]),
        Err(PreflightRefusal::Origin)
    );
    assert_eq!(
        ask(&example(), &no_routes(), &[origin(APP), method("")]),
        Err(PreflightRefusal::Method)
    );
}

#[test]
fn an_allowed_preflight_gets_the_whole_lists() {
    let answer = ask(
        &example(),
        &no_routes(),
        &[origin(APP), method("GET"), headers("authorization")],
    );
    let expected = [
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, POST"),
        (
            "access-control-allow-headers",
            "Authorization, Content-Type",
        ),
        ("access-control-max-age", "7200"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(answer, Ok(expected.to_vec()));
}

#[test]
fn what_is_not_configured_is_not_answered() {
    let answer = ask(
        &origins(&["https://app.example.com"]),
        &RouteMethods {
            named: vec!["GET"],
            any: false,
            others: false,
        },
        &[origin(APP), method("GET")],
    );
    let expected = [
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-allow-methods", "GET"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(answer, Ok(expected.to_vec()));
}

#[test]
fn no_spelling_of_another_origin_is_allowed() {
    for (row, bad) in BAD_ORIGINS {
        assert_eq!(
            ask(&example(), &no_routes(), &[origin(bad), method("GET")]),
            Err(PreflightRefusal::Origin),
            "{row}"
        );
    }
}

#[test]
fn a_repeated_origin_is_not_allowed() {
    assert_eq!(
        ask(
            &example(),
            &no_routes(),
            &[origin(APP), origin(APP), method("GET")]
        ),
        Err(PreflightRefusal::Origin)
    );
    assert_eq!(
        ask(
            &origins(&["*"]),
            &no_routes(),
            &[origin(APP), origin(APP), method("GET")]
        ),
        Err(PreflightRefusal::Origin)
    );
}

#[test]
fn methods_are_compared_with_case_and_head_counts_as_get() {
    let ask = |asked| ask(&example(), &no_routes(), &[origin(APP), method(asked)]);
    for asked in ["GET", "POST", "HEAD"] {
        let answer = ask(asked).unwrap();
        assert_eq!(
            header(&answer, "access-control-allow-methods").as_deref(),
            Some("GET, POST")
        );
    }
    for asked in [
        "get", "Get", "DELETE", "ANY", "*", "GET,POST", "GET ", "OPTIONS", "G\u{e9}T",
    ] {
        assert_eq!(ask(asked), Err(PreflightRefusal::Method), "{asked}");
    }
}

#[test]
fn head_alone_does_not_allow_get() {
    let spec = CorsSpec {
        allow_methods: list(&["HEAD"]),
        ..example()
    };
    assert!(ask(&spec, &no_routes(), &[origin(APP), method("HEAD")]).is_ok());
    assert_eq!(
        ask(&spec, &no_routes(), &[origin(APP), method("GET")]),
        Err(PreflightRefusal::Method)
    );
}

#[test]
fn several_requested_methods_are_none() {
    let request = [origin(APP), method("GET"), method("POST")];
    assert_eq!(detect(&request).unwrap().requested_method(), None);
    assert_eq!(
        ask(&example(), &no_routes(), &request),
        Err(PreflightRefusal::Method)
    );
    assert_eq!(
        detect(&[origin(APP), method("GET")])
            .unwrap()
            .requested_method(),
        Some("GET")
    );
}

#[test]
fn absent_methods_are_those_of_the_paths_routes() {
    let spec = CorsSpec {
        allow_methods: None,
        ..example()
    };
    let path = RouteMethods {
        named: vec!["POST", "GET", "POST"],
        any: false,
        others: false,
    };
    let answer = ask(&spec, &path, &[origin(APP), method("HEAD")]).unwrap();
    assert_eq!(
        header(&answer, "access-control-allow-methods").as_deref(),
        Some("GET, POST")
    );
    assert_eq!(
        ask(&spec, &path, &[origin(APP), method("DELETE")]),
        Err(PreflightRefusal::Method)
    );
}

#[test]
fn any_allows_the_method_asked_for() {
    let derived = CorsSpec {
        allow_methods: None,
        ..example()
    };
    let path = RouteMethods {
        named: vec!["GET"],
        any: true,
        others: false,
    };
    let written = CorsSpec {
        allow_methods: list(&["GET", "ANY"]),
        ..example()
    };
    for (spec, path) in [(&derived, &path), (&written, &no_routes())] {
        for (asked, whole) in [
            ("GET", "GET"),
            ("HEAD", "GET"),
            ("DELETE", "GET, DELETE"),
            ("propfind", "GET, propfind"),
        ] {
            let answer = ask(spec, path, &[origin(APP), method(asked)]).unwrap();
            assert_eq!(
                header(&answer, "access-control-allow-methods").as_deref(),
                Some(whole)
            );
        }
        for asked in ["", "A B", "GET\r\nX: y", "A,B", "\u{e9}"] {
            assert_eq!(
                ask(spec, path, &[origin(APP), method(asked)]),
                Err(PreflightRefusal::Method),
                "{asked:?}"
            );
        }
    }
}

#[test]
fn a_path_without_routes_allows_the_method_so_that_the_page_reads_the_404() {
    let spec = CorsSpec {
        allow_methods: None,
        ..example()
    };
    let answer = ask(&spec, &no_routes(), &[origin(APP), method("DELETE")]).unwrap();
    assert_eq!(
        header(&answer, "access-control-allow-methods").as_deref(),
        Some("DELETE")
    );
    assert_eq!(
        ask(&example(), &no_routes(), &[origin(APP), method("DELETE")]),
        Err(PreflightRefusal::Method),
        "a written list is meant for every path"
    );
}

#[test]
fn private_network_access_is_answered_only_when_asked_for_and_allowed() {
    const NAME: &str = "access-control-allow-private-network";
    let allowing = CorsSpec {
        allow_private_network: true,
        ..example()
    };
    let asking: Header<'_> = (b"access-control-request-private-network", b"true");
    let ask =
        |spec, request: &[Header<'_>]| header(&ask(spec, &no_routes(), request).unwrap(), NAME);
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
    let answer = ask(&spec, &no_routes(), &[origin(APP), method("GET")]).unwrap();
    assert_eq!(
        header(&answer, "access-control-max-age").as_deref(),
        Some("0")
    );
}

#[test]
fn every_origin_is_answered_with_a_star_and_without_vary() {
    for value in [
        &b"https://evil.example"[..],
        b"null",
        b"chrome-extension://abc",
    ] {
        let answer = ask(
            &origins(&["*"]),
            &no_routes(),
            &[origin(value), method("GET")],
        )
        .unwrap();
        assert_eq!(
            header(&answer, "access-control-allow-origin").as_deref(),
            Some("*")
        );
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
    }
    for value in [&b""[..], b"https://a.example,https://b.example", b"\xff"] {
        assert_eq!(
            ask(
                &origins(&["*"]),
                &no_routes(),
                &[origin(value), method("GET")]
            ),
            Err(PreflightRefusal::Origin)
        );
    }
}

#[test]
fn beside_a_star_the_answer_depends_on_the_origin() {
    let spec = origins(&["*", "https://app.example.com"]);
    for (value, allowed) in [
        (APP, "https://app.example.com"),
        (b"https://evil.example", "*"),
    ] {
        let answer = ask(&spec, &no_routes(), &[origin(value), method("GET")]).unwrap();
        assert_eq!(
            header(&answer, "access-control-allow-origin").as_deref(),
            Some(allowed)
        );
    }
}
