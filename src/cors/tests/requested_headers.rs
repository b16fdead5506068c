use super::super::{CorsSpec, PreflightPart, RouteMethods};
use super::preflight::{APP, ask, header, headers, method, no_routes, origin};
use super::{example, list, origins};

#[test]
fn requested_headers_are_compared_without_case_and_with_blanks_around_them() {
    for asked in [
        "authorization",
        "authorization,content-type",
        "Authorization, Content-Type",
        " content-type\t,\tAUTHORIZATION ",
        "",
        ",",
        "authorization,,content-type,",
    ] {
        let request = [origin(APP), method("GET"), headers(asked)];
        let answer = ask(&example(), &no_routes(), &request);
        assert_eq!(answer.faults, [], "{asked:?}");
        answer.assert_allowed();
    }
    for asked in [
        "x-other",
        "authorization,x-other",
        "authorization content-type",
        "authorization;content-type",
        "authorizatio",
        "authorizations",
        "accept",
        "*",
        "authorization\r\nx",
        "authorizati\u{f6}n",
    ] {
        let request = [origin(APP), method("GET"), headers(asked)];
        let answer = ask(&example(), &no_routes(), &request);
        assert_eq!(answer.faults, [PreflightPart::Headers], "{asked:?}");
        answer.assert_faults(&[PreflightPart::Headers]);
    }
}

#[test]
fn repeated_lines_of_requested_headers_are_one_list() {
    let request = |second| {
        [
            origin(APP),
            method("GET"),
            headers("authorization"),
            headers(second),
        ]
    };
    ask(&example(), &no_routes(), &request("content-type")).assert_allowed();
    ask(&example(), &no_routes(), &request("x-other")).assert_faults(&[PreflightPart::Headers]);
}

#[test]
fn without_allowed_headers_none_may_be_requested() {
    let spec = CorsSpec {
        allow_headers: None,
        ..example()
    };
    let asked = |names| {
        ask(
            &spec,
            &no_routes(),
            &[origin(APP), method("GET"), headers(names)],
        )
    };
    asked("").assert_allowed();
    let answer = asked("x-a");
    answer.assert_faults(&[PreflightPart::Headers]);
    assert_eq!(
        answer.messages,
        ["the header `x-a` is not allowed; none is"]
    );
}

#[test]
fn a_star_covers_every_header_but_authorization() {
    let star = |entries| CorsSpec {
        allow_headers: list(entries),
        ..origins(&["https://app.example.com"])
    };
    let path = RouteMethods {
        named: vec!["GET"],
        any: false,
        ..no_routes()
    };
    let asked =
        |spec: &CorsSpec, names| ask(spec, &path, &[origin(APP), method("GET"), headers(names)]);
    let answer = asked(&star(&["*"]), "x-a,x-b");
    answer.assert_allowed();
    assert_eq!(
        header(&answer.headers, "access-control-allow-headers").as_deref(),
        Some("*")
    );
    for names in ["authorization", "x-a,AUTHORIZATION", "x a", "x-a;x-b"] {
        asked(&star(&["*"]), names).assert_faults(&[PreflightPart::Headers]);
    }
    let answer = asked(&star(&["*", "Authorization"]), "authorization,x-a");
    answer.assert_allowed();
    assert_eq!(
        header(&answer.headers, "access-control-allow-headers").as_deref(),
        Some("*, Authorization")
    );
}

#[test]
fn fifty_thousand_commas_are_refused_after_a_bounded_check() {
    for long in [
        ",".repeat(50_000),
        "authorization,".repeat(50_000),
        "a".repeat(50_000),
    ] {
        let request = [origin(APP), method("GET"), headers(&long)];
        ask(&example(), &no_routes(), &request).assert_faults(&[PreflightPart::Headers]);
    }
    let longest = ",".repeat(255);
    let request = [origin(APP), method("GET"), headers(&longest)];
    ask(&example(), &no_routes(), &request).assert_allowed();
}
