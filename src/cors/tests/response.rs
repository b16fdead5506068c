use super::super::{CorsSpec, ResponseCors};
use super::{BAD_ORIGINS, example, list, origins, policy};
use crate::http::HeaderEdit;

const APP: &[u8] = b"https://app.example.com";

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// The client's response: the upstream's with the edits applied.
fn edited(cors: &ResponseCors, response: &Headers, own: bool) -> Headers {
    let lines = response
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    let mut result = response.clone();
    for edit in cors.apply(lines, own) {
        match edit {
            HeaderEdit::Remove(name) => result.retain(|(known, _)| known.as_slice() != &*name),
            HeaderEdit::Set(name, value) => {
                result.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
                result.push((name.to_vec(), value.into_owned()));
            }
            HeaderEdit::Add(name, value) => {
                let is_it = |(known, _): &(Vec<u8>, _)| known.eq_ignore_ascii_case(&name);
                assert!(!result.iter().any(is_it), "{name:?} is there");
                result.push((name.to_vec(), value.into_owned()));
            }
        }
    }
    result
}

/// The response to a request with these origins, as text. It also checks that
/// applying the edits twice changes nothing.
fn answer(spec: &CorsSpec, sent: &[&[u8]], response: &[(&str, &str)], own: bool) -> Vec<String> {
    let policy = policy(spec);
    let cors = ResponseCors::for_request(&policy, sent.iter().copied());
    let response = response
        .iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    let once = edited(&cors, &response, own);
    let sorted = |mut headers: Headers| {
        headers.sort();
        headers
    };
    assert_eq!(sorted(edited(&cors, &once, own)), sorted(once.clone()));
    once.iter()
        .map(|(name, value)| {
            format!(
                "{}: {}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value)
            )
        })
        .collect()
}

#[test]
fn an_allowed_origin_gets_its_headers() {
    assert_eq!(
        answer(&example(), &[APP], &[("content-type", "text/plain")], false),
        [
            "content-type: text/plain",
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-credentials: true",
            "access-control-expose-headers: X-Request-Id",
            "vary: Origin",
        ]
    );
    assert_eq!(
        answer(&example(), &[b"https://a.b.example.org"], &[], false)
            .first()
            .map(String::as_str),
        Some("access-control-allow-origin: https://a.b.example.org")
    );
}

#[test]
fn without_credentials_none_are_allowed() {
    let spec = origins(&["https://app.example.com"]);
    assert_eq!(
        answer(&spec, &[APP], &[], false),
        [
            "access-control-allow-origin: https://app.example.com",
            "vary: Origin"
        ]
    );
}

#[test]
fn another_origin_gets_only_vary() {
    for (row, bad) in BAD_ORIGINS {
        assert_eq!(
            answer(&example(), &[bad], &[], false),
            ["vary: Origin"],
            "{row}"
        );
        assert_eq!(
            answer(&example(), &[bad], &[], true),
            ["vary: Origin"],
            "{row}"
        );
    }
}

#[test]
fn no_origin_and_a_repeated_one_get_only_vary() {
    assert_eq!(answer(&example(), &[], &[], false), ["vary: Origin"]);
    assert_eq!(
        answer(&example(), &[APP, APP], &[], false),
        ["vary: Origin"]
    );
    assert_eq!(
        answer(&example(), &[APP, b""], &[], false),
        ["vary: Origin"]
    );
}

#[test]
fn null_is_allowed_only_when_written() {
    let spec = CorsSpec {
        allow_origins: list(&["null"]),
        ..example()
    };
    assert!(
        answer(&spec, &[b"null"], &[], false)
            .contains(&"access-control-allow-origin: null".to_owned())
    );
    let spec = origins(&["https://*", "http://*:*"]);
    assert_eq!(answer(&spec, &[b"null"], &[], false), ["vary: Origin"]);
}

#[test]
fn the_upstreams_own_headers_are_always_removed() {
    let theirs = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-origin", "https://evil.example"),
        ("Access-Control-Allow-Credentials", "true"),
        ("access-control-expose-headers", "X-Secret"),
        ("access-control-allow-methods", "GET"),
        ("access-control-max-age", "1"),
        ("access-control-", "x"),
        ("access-control", "stays"),
    ];
    assert_eq!(
        answer(&example(), &[b"https://evil.example"], &theirs, false),
        ["access-control: stays", "vary: Origin"]
    );
    assert_eq!(
        answer(&example(), &[APP], &theirs, false),
        [
            "access-control: stays",
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-credentials: true",
            "access-control-expose-headers: X-Request-Id",
            "vary: Origin",
        ]
    );
}

#[test]
fn vary_is_appended_once_to_the_upstreams() {
    let vary = |lines: &[&str]| {
        let response: Vec<_> = lines.iter().map(|line| ("vary", *line)).collect();
        answer(&example(), &[], &response, false)
    };
    assert_eq!(
        vary(&["Accept-Encoding"]),
        ["vary: Accept-Encoding, Origin"]
    );
    assert_eq!(
        vary(&["Accept", "Accept-Encoding"]),
        ["vary: Accept, Accept-Encoding, Origin"]
    );
    assert_eq!(vary(&[""]), ["vary: Origin"]);
    assert_eq!(vary(&["Accept,, "]), ["vary: Accept, Origin"]);
    assert_eq!(vary(&["X-Origin"]), ["vary: X-Origin, Origin"]);
    for same in ["Origin", "ORIGIN", "Accept , origin", "*", "Accept, *"] {
        assert_eq!(vary(&[same]), [format!("vary: {same}")]);
    }
    assert_eq!(
        vary(&["Accept", "origin"]),
        ["vary: Accept", "vary: origin"]
    );
    for twice in [
        &["Origin, Accept, origin"][..],
        &["Origin", "ORIGIN, Accept"],
    ] {
        assert_eq!(vary(twice), ["vary: Accept, Origin"]);
    }
}

#[test]
fn a_star_alone_is_constant_and_without_vary() {
    let spec = origins(&["*"]);
    let anything: [&[&[u8]]; 6] = [
        &[],
        &[APP],
        &[b"null"],
        &[b""],
        &[b"https://a.example,https://b.example"],
        &[APP, APP],
    ];
    for sent in anything {
        assert_eq!(
            answer(&spec, sent, &[], false),
            ["access-control-allow-origin: *"]
        );
    }
    assert_eq!(
        answer(
            &spec,
            &[],
            &[("vary", "Accept"), ("access-control-allow-origin", "null")],
            false
        ),
        ["vary: Accept", "access-control-allow-origin: *"]
    );
}

#[test]
fn a_star_beside_others_depends_on_the_origin() {
    let spec = origins(&["*", "https://app.example.com"]);
    assert_eq!(
        answer(&spec, &[APP], &[], false),
        [
            "access-control-allow-origin: https://app.example.com",
            "vary: Origin"
        ]
    );
    assert_eq!(
        answer(&spec, &[b"https://evil.example"], &[], false),
        ["access-control-allow-origin: *", "vary: Origin"]
    );
    assert_eq!(answer(&spec, &[], &[], false), ["vary: Origin"]);
    assert_eq!(answer(&spec, &[b"a,b"], &[], false), ["vary: Origin"]);
}

#[test]
fn own_answers_expose_the_challenge_and_when_to_try_again() {
    let exposed = |spec: &CorsSpec, own| {
        answer(spec, &[APP], &[], own).into_iter().find_map(|line| {
            line.strip_prefix("access-control-expose-headers: ")
                .map(str::to_owned)
        })
    };
    let with = |entries| CorsSpec {
        expose_headers: list(entries),
        ..origins(&["https://app.example.com"])
    };
    let none = origins(&["https://app.example.com"]);
    for (spec, upstreams, own) in [
        (&none, None, "WWW-Authenticate, Retry-After"),
        (
            &with(&["X-A"]),
            Some("X-A"),
            "X-A, WWW-Authenticate, Retry-After",
        ),
        (
            &with(&["retry-after", "X-A"]),
            Some("retry-after, X-A"),
            "retry-after, X-A, WWW-Authenticate",
        ),
        (&with(&["*"]), Some("*"), "*"),
    ] {
        assert_eq!(exposed(spec, false).as_deref(), upstreams);
        assert_eq!(exposed(spec, true).as_deref(), Some(own));
    }
}

#[test]
fn a_nonce_that_is_added_to_a_response_is_exposed() {
    let exposed = |spec: &CorsSpec| {
        let cors = ResponseCors::for_request(&policy(spec), [APP]).exposing_nonce(true);
        let name = &b"access-control-expose-headers"[..];
        let headers = edited(&cors, &Vec::new(), false).into_iter();
        let mut values = headers.filter_map(|(known, value)| (known == name).then_some(value));
        String::from_utf8(values.next().unwrap()).unwrap()
    };
    let with = |entries| CorsSpec {
        expose_headers: list(entries),
        ..origins(&["https://app.example.com"])
    };
    assert_eq!(
        exposed(&origins(&["https://app.example.com"])),
        "DPoP-Nonce"
    );
    assert_eq!(exposed(&with(&["X-A"])), "X-A, DPoP-Nonce");
    assert_eq!(exposed(&with(&["dpop-nonce", "X-A"])), "dpop-nonce, X-A");
    assert_eq!(exposed(&with(&["*"])), "*");
}

#[test]
fn the_filters_own_errors_can_be_read_by_the_page() {
    let challenge = [("www-authenticate", "Bearer realm=\"api\"")];
    assert_eq!(
        answer(&example(), &[APP], &challenge, true),
        [
            "www-authenticate: Bearer realm=\"api\"",
            "access-control-allow-origin: https://app.example.com",
            "access-control-allow-credentials: true",
            "access-control-expose-headers: X-Request-Id, WWW-Authenticate, Retry-After",
            "vary: Origin",
        ]
    );
}

#[test]
fn the_memory_of_a_request_includes_its_origin() {
    let held = |spec: &CorsSpec, sent: &[u8]| {
        ResponseCors::for_request(&policy(spec), [sent]).held_bytes()
    };
    assert_eq!(held(&example(), APP), APP.len());
    assert_eq!(held(&example(), b"https://other.example"), 0);
    assert_eq!(held(&origins(&["*"]), APP), 0);
}
