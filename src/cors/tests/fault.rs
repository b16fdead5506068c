//! Messages about preflights that request what the policy does not allow.

use super::super::CorsSpec;
use super::preflight::{APP, Header, ask, headers, method, no_routes, origin};
use super::{example, list};

fn messages(spec: &CorsSpec, request: &[Header<'_>]) -> Vec<String> {
    ask(spec, &no_routes(), request).messages
}

#[test]
fn faults_name_the_requested_and_the_allowed_values() {
    let get = method("GET");
    for (request, expected) in [
        (
            &[origin(b"https://evil.example"), get][..],
            &[
                "the origin `https://evil.example` is not allowed; allowed: https://app.example.com, https://*.example.org",
            ][..],
        ),
        (
            &[origin(APP), method("DELETE")],
            &["the method `DELETE` is not allowed; allowed: GET, POST"],
        ),
        (
            &[origin(APP), method("M-SEARCH")],
            &["the method `M-SEARCH` is not allowed; allowed: GET, POST"],
        ),
        (
            &[origin(APP), get, headers("x-trace")],
            &["the header `x-trace` is not allowed; allowed: Authorization, Content-Type"],
        ),
        (
            &[
                origin(APP),
                method("PUT"),
                headers("x-trace,authorization,x_b3"),
            ],
            &[
                "the method `PUT` is not allowed; allowed: GET, POST",
                "the headers `x-trace`, `x_b3` are not allowed; allowed: Authorization, Content-Type",
            ],
        ),
    ] {
        assert_eq!(messages(&example(), request), expected);
    }
    assert_eq!(messages(&example(), &[origin(APP), get]), [""; 0]);
}

#[test]
fn text_without_the_form_of_a_name_is_not_repeated() {
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
    let get = method("GET");
    let malformed = |part: &str, allowed: &str| {
        format!("a malformed {part} is not allowed; allowed: {allowed}")
    };
    let origins = "https://app.example.com, https://*.example.org";
    let long = format!("https://{}.example", "a".repeat(300));
    for value in [
        &b""[..],
        b"https://evil.example\r\nx",
        b"https://evil.example\x1b[31m",
        b"\xff",
        b"https://evil.example, https://app.example.com",
        b"https://EVIL.example",
        TOKEN.as_bytes(),
        long.as_bytes(),
    ] {
        let messages = messages(&example(), &[origin(value), get]);
        assert_eq!(messages, [malformed("origin", origins)]);
    }
    for asked in [
        "",
        "GET,POST",
        "A B",
        "A1",
        "A.B",
        "A|B",
        "G\u{e9}T",
        TOKEN,
        &"A".repeat(33),
        "\u{1b}[31m",
    ] {
        let messages = messages(&example(), &[origin(APP), method(asked)]);
        assert_eq!(messages, [malformed("method", "GET, POST")], "{asked}");
    }
    for asked in [
        TOKEN,
        "x y",
        "x;y",
        "\u{1b}[31m",
        &"x".repeat(65),
        "x.y",
        "`",
    ] {
        let messages = messages(&example(), &[origin(APP), get, headers(asked)]);
        let expected = malformed("header", "Authorization, Content-Type");
        assert_eq!(messages, [expected], "{asked}");
    }
    let some = messages(&example(), &[origin(APP), get, headers("x-a,x;y")]);
    assert_eq!(
        some,
        ["the headers `x-a` and 1 more are not allowed; allowed: Authorization, Content-Type"]
    );
}

#[test]
fn repeated_text_is_limited() {
    let get = method("GET");
    let many: Vec<String> = (0..100).map(|number| format!("x-{number}")).collect();
    let asked = many.join(",");
    assert_eq!(
        messages(&example(), &[origin(APP), get, headers(&asked)]),
        [
            "the headers `x-0`, `x-1`, `x-2`, `x-3`, `x-4`, `x-5`, `x-6`, `x-7` and 92 more \
             are not allowed; allowed: Authorization, Content-Type"
        ]
    );
    let asked = "x,".repeat(1000);
    assert_eq!(
        messages(&example(), &[origin(APP), get, headers(&asked)]),
        ["more than 256 headers at once are not allowed; allowed: Authorization, Content-Type"]
    );
    assert_eq!(
        messages(&example(), &[origin(APP), origin(APP), get]),
        ["more than one origin at once is not allowed; \
             allowed: https://app.example.com, https://*.example.org"]
    );
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let spec = CorsSpec {
        allow_headers: list(&names),
        allow_methods: list(&[&"A".repeat(300), "GET"]),
        ..example()
    };
    let messages = messages(&spec, &[origin(APP), method("PUT"), headers("y")]);
    assert_eq!(
        messages[0],
        "the method `PUT` is not allowed; allowed: 2 more"
    );
    assert!(messages[1].ends_with("x-44 and 55 more"), "{}", messages[1]);
}
