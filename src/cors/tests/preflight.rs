use super::super::{CorsSpec, Preflight, PreflightPart, RouteMethods};
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

/// The answer to a preflight, in a form for assertions.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) status: u16,
    /// Without `Vary`, which is checked separately.
    pub(super) headers: Vec<(String, String)>,
    pub(super) faults: Vec<PreflightPart>,
    /// The faults as text.
    pub(super) messages: Vec<String>,
}

impl Asked {
    #[track_caller]
    pub(super) fn assert_allowed(&self) {
        assert_eq!((self.status, &*self.faults), (204, &[][..]), "{self:?}");
    }

    /// Asserts that the browser refuses by itself: the answer has the whole
    /// lists.
    #[track_caller]
    pub(super) fn assert_faults(&self, parts: &[PreflightPart]) {
        assert_eq!((self.status, &*self.faults), (204, parts), "{self:?}");
        let origin = header(&self.headers, "access-control-allow-origin");
        assert!(origin.is_some(), "{self:?}");
    }

    /// Asserts a 403 without any allowed value.
    #[track_caller]
    pub(super) fn assert_refused(&self) {
        let faults = [PreflightPart::Origin];
        assert_eq!((self.status, &*self.faults), (403, &faults[..]), "{self:?}");
        assert_eq!(self.headers, [], "a refusal allows nothing");
    }
}

pub(super) fn ask(spec: &CorsSpec, path: &RouteMethods<'_>, request: &[Header<'_>]) -> Asked {
    let policy = policy(spec);
    let answer = detect(request).expect("a preflight").answer(&policy, path);
    let headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()))
        .collect();
    let (vary, headers): (Vec<_>, Vec<_>) =
        headers.into_iter().partition(|(name, _)| name == "vary");
    let expected: &[(String, String)] = if spec.allow_origins == list(&["*"]) {
        &[]
    } else {
        &[("vary".to_owned(), VARY.to_owned())]
    };
    assert_eq!(vary, expected);
    let messages: Vec<String> = answer.faults.iter().map(ToString::to_string).collect();
    for message in &messages {
        assert!(message.len() < 1500, "{}", message.len());
        assert!(
            message.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{message}"
        );
    }
    Asked {
        status: answer.status,
        headers,
        faults: answer.faults.iter().map(|fault| fault.part).collect(),
        messages,
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

const WHOLE: [(&str, &str); 5] = [
    ("access-control-allow-origin", "https://app.example.com"),
    ("access-control-allow-credentials", "true"),
    ("access-control-allow-methods", "GET, POST"),
    (
        "access-control-allow-headers",
        "Authorization, Content-Type",
    ),
    ("access-control-max-age", "7200"),
];

pub(super) fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    headers.iter().map(owned).collect()
}

#[test]
fn empty_values_count_as_present_and_are_not_allowed() {
    ask(&example(), &no_routes(), &[origin(b""), method("GET")]).assert_refused();
    ask(&example(), &no_routes(), &[origin(APP), method("")])
        .assert_faults(&[PreflightPart::Method]);
}

#[test]
fn a_preflight_of_an_allowed_origin_always_gets_the_whole_lists() {
    for (asked, names, faults) in [
        ("GET", "authorization", &[][..]),
        ("GET", "", &[]),
        ("DELETE", "authorization", &[PreflightPart::Method]),
        ("GET", "x-trace", &[PreflightPart::Headers]),
        (
            "DELETE",
            "x-trace",
            &[PreflightPart::Method, PreflightPart::Headers],
        ),
    ] {
        let request = [origin(APP), method(asked), headers(names)];
        let answer = ask(&example(), &no_routes(), &request);
        assert_eq!(answer.headers, owned(&WHOLE), "{asked} {names}");
        assert_eq!((answer.status, &*answer.faults), (204, faults));
    }
}

#[test]
fn members_that_are_not_configured_send_no_header() {
    let answer = ask(
        &origins(&["https://app.example.com"]),
        &RouteMethods {
            named: vec!["GET"],
            any: false,
            ..no_routes()
        },
        &[origin(APP), method("GET")],
    );
    answer.assert_allowed();
    let [origin, _, methods, ..] = WHOLE;
    assert_eq!(answer.headers, owned(&[origin, (methods.0, "GET")]));
}

#[test]
fn no_spelling_of_another_origin_is_allowed() {
    for (row, bad) in BAD_ORIGINS {
        let answer = ask(&example(), &no_routes(), &[origin(bad), method("GET")]);
        assert_eq!(answer.status, 403, "{row}");
        answer.assert_refused();
    }
}

#[test]
fn a_repeated_origin_is_not_allowed() {
    let twice = [origin(APP), origin(APP), method("GET")];
    ask(&example(), &no_routes(), &twice).assert_refused();
}

#[test]
fn an_origin_that_is_not_allowed_hides_the_other_faults() {
    let request = [
        origin(b"https://evil.example"),
        method("DELETE"),
        headers("x-trace"),
    ];
    ask(&example(), &no_routes(), &request).assert_refused();
}

#[test]
fn methods_are_compared_with_case_and_head_counts_as_get() {
    let ask = |asked| ask(&example(), &no_routes(), &[origin(APP), method(asked)]);
    let methods = |answer: &Asked| header(&answer.headers, "access-control-allow-methods");
    for asked in ["GET", "POST", "HEAD"] {
        let answer = ask(asked);
        answer.assert_allowed();
        assert_eq!(methods(&answer).as_deref(), Some("GET, POST"));
    }
    for asked in [
        "get", "Get", "DELETE", "ANY", "*", "GET,POST", "GET ", "OPTIONS", "G\u{e9}T",
    ] {
        let answer = ask(asked);
        answer.assert_faults(&[PreflightPart::Method]);
        assert_eq!(methods(&answer).as_deref(), Some("GET, POST"), "{asked}");
    }
}

#[test]
fn head_alone_does_not_allow_get() {
    let spec = CorsSpec {
        allow_methods: list(&["HEAD"]),
        ..example()
    };
    ask(&spec, &no_routes(), &[origin(APP), method("HEAD")]).assert_allowed();
    ask(&spec, &no_routes(), &[origin(APP), method("GET")]).assert_faults(&[PreflightPart::Method]);
}

#[test]
fn several_requested_methods_count_as_no_method() {
    let request = [origin(APP), method("GET"), method("POST")];
    assert_eq!(detect(&request).unwrap().requested_method(), None);
    ask(&example(), &no_routes(), &request).assert_faults(&[PreflightPart::Method]);
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
        ..no_routes()
    };
    for (asked, faults) in [("HEAD", &[][..]), ("DELETE", &[PreflightPart::Method])] {
        let answer = ask(&spec, &path, &[origin(APP), method(asked)]);
        assert_eq!((answer.status, &*answer.faults), (204, faults));
        assert_eq!(
            header(&answer.headers, "access-control-allow-methods").as_deref(),
            Some("GET, POST")
        );
    }
}

#[test]
fn if_no_method_is_allowed_none_is_listed() {
    let spec = CorsSpec {
        allow_methods: None,
        ..example()
    };
    let path = RouteMethods {
        others: true,
        ..no_routes()
    };
    let answer = ask(&spec, &path, &[origin(APP), method("DELETE")]);
    answer.assert_faults(&[PreflightPart::Method]);
    assert_eq!(
        header(&answer.headers, "access-control-allow-methods"),
        None
    );
    assert_eq!(
        answer.messages,
        ["the method `DELETE` is not allowed; none is"]
    );
}

#[test]
fn any_allows_the_requested_method() {
    let derived = CorsSpec {
        allow_methods: None,
        ..example()
    };
    let path = RouteMethods {
        named: vec!["GET"],
        any: true,
        ..no_routes()
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
            let answer = ask(spec, path, &[origin(APP), method(asked)]);
            answer.assert_allowed();
            assert_eq!(
                header(&answer.headers, "access-control-allow-methods").as_deref(),
                Some(whole)
            );
        }
        for asked in ["", "A B", "GET\r\nX: y", "A,B", "\u{e9}"] {
            let answer = ask(spec, path, &[origin(APP), method(asked)]);
            answer.assert_faults(&[PreflightPart::Method]);
            let methods = header(&answer.headers, "access-control-allow-methods");
            assert_eq!(methods.as_deref(), Some("GET"), "{asked:?}");
        }
    }
}

#[test]
fn a_path_without_routes_allows_the_method_so_that_the_page_reads_the_404() {
    let spec = CorsSpec {
        allow_methods: None,
        ..example()
    };
    let answer = ask(&spec, &no_routes(), &[origin(APP), method("DELETE")]);
    answer.assert_allowed();
    assert_eq!(
        header(&answer.headers, "access-control-allow-methods").as_deref(),
        Some("DELETE")
    );
    // A configured list applies to every path.
    ask(&example(), &no_routes(), &[origin(APP), method("DELETE")])
        .assert_faults(&[PreflightPart::Method]);
}
