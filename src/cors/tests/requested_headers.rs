use super::super::{CorsSpec, PreflightRefusal, RouteMethods};
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
        assert!(ask(&example(), &no_routes(), &request).is_ok(), "{asked:?}");
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
        assert_eq!(
            ask(&example(), &no_routes(), &request),
            Err(PreflightRefusal::Header),
            "{asked:?}"
        );
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
    assert!(ask(&example(), &no_routes(), &request("content-type")).is_ok());
    assert_eq!(
        ask(&example(), &no_routes(), &request("x-other")),
        Err(PreflightRefusal::Header)
    );
}

#[test]
fn without_allowed_headers_none_may_be_asked_for() {
    let spec = CorsSpec {
        allow_headers: None,
        ..example()
    };
    assert!(
        ask(
            &spec,
            &no_routes(),
            &[origin(APP), method("GET"), headers("")]
        )
        .is_ok()
    );
    assert_eq!(
        ask(
            &spec,
            &no_routes(),
            &[origin(APP), method("GET"), headers("x-a")]
        ),
        Err(PreflightRefusal::Header)
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
        others: false,
    };
    let asked =
        |spec: &CorsSpec, names| ask(spec, &path, &[origin(APP), method("GET"), headers(names)]);
    let answer = asked(&star(&["*"]), "x-a,x-b").unwrap();
    assert_eq!(
        header(&answer, "access-control-allow-headers").as_deref(),
        Some("*")
    );
    for names in ["authorization", "x-a,AUTHORIZATION", "x a", "x-a;x-b"] {
        assert_eq!(
            asked(&star(&["*"]), names),
            Err(PreflightRefusal::Header),
            "{names}"
        );
    }
    let answer = asked(&star(&["*", "Authorization"]), "authorization,x-a").unwrap();
    assert_eq!(
        header(&answer, "access-control-allow-headers").as_deref(),
        Some("*, Authorization")
    );
}

#[test]
fn fifty_thousand_commas_are_refused_after_a_bounded_look() {
    for long in [
        ",".repeat(50_000),
        "authorization,".repeat(50_000),
        "a".repeat(50_000),
    ] {
        let request = [origin(APP), method("GET"), headers(&long)];
        assert_eq!(
            ask(&example(), &no_routes(), &request),
            Err(PreflightRefusal::Header)
        );
    }
    let longest = ",".repeat(255);
    let request = [origin(APP), method("GET"), headers(&longest)];
    assert!(ask(&example(), &no_routes(), &request).is_ok());
}
