use super::*;
use crate::http::path::{EncodedCharacter, EncodedSet, PathFlags};
use std::ops::ControlFlow;

/// The table in API Gateway's own documentation.
#[test]
fn routes_have_the_precedence_of_api_gateway() {
    let routes = Routes::of(&[
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{proxy+}",
        "ANY /{proxy+}",
        "$default",
    ]);
    for (request, route) in [
        ("GET /pets/dog/1", "GET /pets/dog/1"),
        ("GET /pets/dog/2", "GET /pets/dog/{id}"),
        ("GET /pets/cat/1", "GET /pets/{proxy+}"),
        ("POST /test/5", "ANY /{proxy+}"),
        ("POST /pets/dog/1", "ANY /{proxy+}"),
        ("GET /", "$default"),
    ] {
        assert_eq!(routes.get(request), Some(route), "{request}");
    }
}

#[test]
fn a_request_that_no_pattern_matches_has_no_route() {
    let routes = Routes::of(&["GET /pets/{id}", "GET /files/{path+}"]);
    for request in [
        "GET /",
        "GET /pets",
        "GET /pets/",
        "GET /pets/1/2",
        "GET /files",
        "GET /files/",
        "POST /pets/1",
        "GET /petsx/1",
    ] {
        assert_eq!(routes.get(request), None, "{request}");
    }
}

#[test]
fn a_pattern_without_a_greedy_variable_comes_before_one_with_it() {
    let routes = Routes::of(&["ANY /{a}/{b}/{c}", "GET /x/{rest+}", "GET /x/y/{rest+}"]);
    assert_eq!(routes.get("GET /x/y/z"), Some("ANY /{a}/{b}/{c}"));
    assert_eq!(routes.get("GET /x/y/z/w"), Some("GET /x/y/{rest+}"));
    assert_eq!(routes.get("GET /x/y"), Some("GET /x/{rest+}"));
}

#[test]
fn the_first_segment_from_the_left_that_differs_decides() {
    let routes = Routes::of(&["GET /a/{x}/{y}", "GET /{x}/b/c", "GET /{x}/b/{y}"]);
    assert_eq!(routes.get("GET /a/b/c"), Some("GET /a/{x}/{y}"));
    assert_eq!(routes.get("GET /d/b/c"), Some("GET /{x}/b/c"));
    assert_eq!(routes.get("GET /d/b/d"), Some("GET /{x}/b/{y}"));
}

#[test]
fn among_greedy_patterns_a_literal_comes_before_a_variable_before_the_greedy_one() {
    let routes = Routes::of(&[
        "GET /{rest+}",
        "GET /{a}/b/{rest+}",
        "GET /a/{rest+}",
        "GET /a/{x}/{rest+}",
    ]);
    assert_eq!(routes.get("GET /a/b/c"), Some("GET /a/{x}/{rest+}"));
    assert_eq!(routes.get("GET /a/b"), Some("GET /a/{rest+}"));
    assert_eq!(routes.get("GET /d/b/c"), Some("GET /{a}/b/{rest+}"));
    assert_eq!(routes.get("GET /d/c/b"), Some("GET /{rest+}"));
}

#[test]
fn a_look_up_backtracks_from_a_literal_without_a_match() {
    let routes = Routes::of(&[
        "GET /a/b/c",
        "GET /a/{x}/d",
        "GET /{x}/b/e",
        "GET /{x}/{y}/f",
    ]);
    assert_eq!(routes.get("GET /a/b/d"), Some("GET /a/{x}/d"));
    assert_eq!(routes.get("GET /a/b/e"), Some("GET /{x}/b/e"));
    assert_eq!(routes.get("GET /a/b/f"), Some("GET /{x}/{y}/f"));
}

#[test]
fn a_pattern_that_lacks_the_method_never_hides_another_that_has_it() {
    let routes = Routes::of(&[
        "GET /pets/dog",
        "POST /pets/{id}",
        "PUT /pets/{rest+}",
        "DELETE /{rest+}",
        "$default",
    ]);
    for (method, route) in [
        ("GET", "GET /pets/dog"),
        ("POST", "POST /pets/{id}"),
        ("PUT", "PUT /pets/{rest+}"),
        ("DELETE", "DELETE /{rest+}"),
        ("PATCH", "$default"),
    ] {
        let request = format!("{method} /pets/dog");
        assert_eq!(routes.get(&request), Some(route));
    }
}

#[test]
fn at_one_pattern_a_named_method_comes_before_any() {
    let routes = Routes::of(&["ANY /pets", "GET /pets", "ANY /pets/{id}"]);
    assert_eq!(routes.get("GET /pets"), Some("GET /pets"));
    assert_eq!(routes.get("POST /pets"), Some("ANY /pets"));
    // The better pattern comes before the named method.
    let routes = Routes::of(&["ANY /pets/dog", "GET /pets/{id}"]);
    assert_eq!(routes.get("GET /pets/dog"), Some("ANY /pets/dog"));
}

#[test]
fn head_is_get_unless_the_pattern_names_head() {
    let routes = Routes::of(&["GET /a", "ANY /a", "HEAD /b", "GET /b", "ANY /c", "POST /d"]);
    assert_eq!(routes.get("HEAD /a"), Some("GET /a"));
    assert_eq!(routes.get("HEAD /b"), Some("HEAD /b"));
    assert_eq!(routes.get("HEAD /c"), Some("ANY /c"));
    assert_eq!(routes.get("HEAD /d"), None);
    // `HEAD` is `GET` at the better pattern, regardless of the methods of a worse one.
    let routes = Routes::of(&["GET /a/b", "HEAD /a/{x}"]);
    assert_eq!(routes.get("HEAD /a/b"), Some("GET /a/b"));
    assert_eq!(routes.get("HEAD /a/c"), Some("HEAD /a/{x}"));
    assert_eq!(routes.get("GET /a/c"), None);
}

#[test]
fn methods_are_compared_with_letter_case() {
    let routes = Routes::of(&["GET /a", "FOO /a"]);
    for method in ["get", "Get", "HEADx", "TRACE", "OPTIONS", "foo", ""] {
        assert_eq!(routes.get(&format!("{method} /a")), None, "{method}");
    }
    assert_eq!(routes.get("FOO /a"), Some("FOO /a"));
}

#[test]
fn a_slash_at_the_end_and_the_spelling_make_no_difference() {
    let routes = Routes::of(&["GET /users/@me/", "GET /users/{id}", "GET /café"]);
    for request in [
        "GET /users/@me",
        "GET /users/%40me/",
        "GET /%75sers/@m%65?x",
    ] {
        assert_eq!(routes.get(request), Some("GET /users/@me/"), "{request}");
    }
    assert_eq!(routes.get("GET /caf%C3%A9/"), Some("GET /café"));
    assert_eq!(routes.get("GET /users/me/"), Some("GET /users/{id}"));
}

#[test]
fn variables_are_decoded_segments() {
    let routes = Routes::of(&["GET /a/{x}/{y.z}", "GET /b/{x}/{rest+}"]);
    let value = |request, name| routes.variable(request, name);
    assert_eq!(value("GET /a/%C3%A4/B%20/", "x").as_deref(), Some("ä"));
    assert_eq!(value("GET /a/%C3%A4/B%20/", "y.z").as_deref(), Some("B "));
    assert_eq!(value("GET /a/1/2", "y"), None);
    assert_eq!(
        value("GET /b/1/2/3%20/4/", "rest").as_deref(),
        Some("2/3 /4")
    );
    assert_eq!(value("GET /b/1/2", "rest").as_deref(), Some("2"));
}

#[test]
fn an_allowed_encoded_slash_never_separates_segments() {
    let flags = PathFlags {
        allow_encoded: EncodedSet::default().with(EncodedCharacter::Slash),
        ..PathFlags::default()
    };
    let routes = Routes::new(
        PathRules::new(flags),
        &[
            ("", "GET /projects/{id}"),
            ("", "GET /projects/a%2Fb"),
            ("", "GET /projects/a/b"),
        ],
    );
    assert_eq!(
        routes.get("GET /projects/x%2fy"),
        Some("GET /projects/{id}")
    );
    assert_eq!(
        routes.get("GET /projects/a%2fb"),
        Some("GET /projects/a%2Fb")
    );
    assert_eq!(routes.get("GET /projects/a/b"), Some("GET /projects/a/b"));
    let id = routes.variable("GET /projects/x%2Fy", "id");
    assert_eq!(id.as_deref(), Some("x/y"));
}

#[test]
fn without_case_literals_match_in_any_and_variables_keep_theirs() {
    let flags = PathFlags {
        ignore_case: true,
        ..PathFlags::default()
    };
    let routes = Routes::new(
        PathRules::new(flags),
        &[("", "GET /Admin/{id}"), ("", "GET /{proxy+}")],
    );
    assert_eq!(routes.get("GET /aDMIN/Bob"), Some("GET /Admin/{id}"));
    let id = routes.variable("GET /ADMIN/Bob", "id");
    assert_eq!(id.as_deref(), Some("Bob"));
}

#[test]
fn a_path_with_empty_segments_has_the_route_that_it_has_without_them_or_none() {
    let flags = PathFlags {
        allow_empty_segments: true,
        ..PathFlags::default()
    };
    let routes = Routes::new(
        PathRules::new(flags),
        &[
            ("", "GET /files/{path+}"),
            ("", "GET /pets/{id}"),
            ("", "GET /admin"),
            ("", "PUT /t/{tenant}/{rest+}"),
            ("", "GET /{proxy+}"),
            ("", "POST /{proxy+}"),
        ],
    );
    let files = Some("GET /files/{path+}");
    assert_eq!(routes.get("GET /files/a//b"), files);
    assert_eq!(routes.get("GET /files//a"), files);
    let path = routes.variable("GET /files/https://example.com/", "path");
    assert_eq!(path.as_deref(), Some("https://example.com"));
    assert_eq!(routes.get("GET /x//y"), Some("GET /{proxy+}"));
    assert_eq!(routes.get("POST //admin"), Some("POST /{proxy+}"));
    assert!(routes.get("PUT /t/x//y").is_some());
    // No variable except a greedy one contains an empty segment.
    assert_eq!(routes.get("PUT /t//x/y"), None);
    for request in [
        "GET //admin",
        "GET /admin//",
        "GET /pets//1",
        "GET /files//",
        "GET //",
    ] {
        assert_eq!(routes.get(request), None, "{request}");
    }
}

#[test]
fn routes_that_match_the_same_requests_clash() {
    for [one, other] in [
        ["GET /a", "GET /a"],
        ["GET /a", "GET /a/"],
        ["GET /a/{x}", "GET /a/{y}"],
        ["GET /a/{x+}", "GET /a/{y+}"],
        ["GET /users/@me", "GET /users/%40me"],
        ["ANY /", "ANY /"],
        ["$default", "$default"],
    ] {
        let routes = Routes::of(&[one, "POST /b", other]);
        assert_eq!(routes.clashes(), [(0, 2)], "{one} {other}");
    }
    for [one, other] in [
        ["GET /a", "POST /a"],
        ["GET /a", "ANY /a"],
        ["GET /a", "HEAD /a"],
        ["GET /a", "GET /A"],
        ["GET /a/{x}", "GET /a/{x+}"],
        ["GET /{x}/a", "GET /{x}/b"],
        ["ANY /{x+}", "$default"],
    ] {
        assert!(Routes::of(&[one, other]).built.is_ok(), "{one} {other}");
    }
}

#[test]
fn without_case_routes_that_differ_only_in_case_clash() {
    let flags = PathFlags {
        ignore_case: true,
        ..PathFlags::default()
    };
    let routes = Routes::new(PathRules::new(flags), &[("", "GET /Ä"), ("", "GET /ä")]);
    assert_eq!(routes.clashes(), [(0, 1)]);
}

#[test]
fn a_clash_names_both_patterns_once() {
    let hosts = "a.example.com *.example.com";
    let routes = Routes::new(
        PathRules::default(),
        &[
            (hosts, "GET /x, GET /y/{a}, GET /y/{b}"),
            (hosts, "POST /x, GET /x"),
            ("", "GET /x"),
        ],
    );
    let place = |route, pattern| PatternPosition {
        route: RouteId(route),
        pattern,
    };
    let host = HostPattern::parse("a.example.com").ok();
    let clash = |first, second| Clash {
        first,
        second,
        host: host.clone(),
        kind: ClashKind::Alike,
    };
    assert_eq!(
        routes.built.unwrap_err(),
        BadTable::Clashes(vec![
            clash(place(0, 0), place(1, 1)),
            clash(place(0, 1), place(0, 2))
        ])
    );
}

#[test]
fn the_methods_of_a_path_are_those_of_all_its_patterns() {
    let routes = Routes::new(
        PathRules::default(),
        &[
            ("", "GET /pets/dog, POST /pets/{id}"),
            ("", "PUT /pets/{rest+}"),
            ("", "DELETE /cats/{rest+}"),
            ("a.example.com", "ANY /pets/dog"),
            ("b.example.com", "$default"),
        ],
    );
    let methods = |host: &str, path: &str| {
        let host = Host::parse(Some(host.as_bytes())).unwrap();
        let path = NormalPath::parse(path.as_bytes(), &routes.rules).unwrap();
        let methods = routes.table().methods_at(host.as_ref(), &path);
        let named = methods.named.iter().map(|method| method.as_str());
        (named.collect::<Vec<_>>().join(" "), methods.any)
    };
    assert_eq!(methods("", "/pets/dog"), ("GET POST PUT".into(), false));
    assert_eq!(methods("", "/pets/cat"), ("POST PUT".into(), false));
    assert_eq!(methods("", "/x"), (String::new(), false));
    assert_eq!(
        methods("a.example.com", "/pets/dog"),
        ("GET POST PUT".into(), true)
    );
    assert_eq!(methods("b.example.com", "/x"), (String::new(), true));
}

#[test]
fn a_path_outside_of_the_base_has_no_route() {
    let rules = PathRules::with_base(PathFlags::default(), "/dev").unwrap();
    let routes = Routes::new(rules, &[("", "GET /pets"), ("", "GET /"), ("", "$default")]);
    assert_eq!(routes.get("GET /dev/pets"), Some("GET /pets"));
    assert_eq!(routes.get("GET /dev"), Some("GET /"));
    assert_eq!(routes.get("GET /dev/x"), Some("$default"));
    assert_eq!(routes.get("GET /pets"), None);
    assert_eq!(routes.get("GET /devx/pets"), None);
}

#[test]
fn a_path_outside_of_the_base_has_no_methods() {
    let rules = PathRules::with_base(PathFlags::default(), "/dev").unwrap();
    let routes = Routes::new(rules.clone(), &[("", "GET /pets"), ("", "$default")]);
    let methods = |path: &str| {
        let path = NormalPath::parse(path.as_bytes(), &rules).unwrap();
        let methods = routes.table().methods_at(None, &path);
        (methods.named.len(), methods.any)
    };
    assert_eq!(methods("/dev/pets"), (1, true));
    assert_eq!(methods("/dev/x"), (0, true));
    assert_eq!(methods("/pets"), (0, false));
}

#[test]
fn a_look_up_visits_each_pattern_at_most_once() {
    // Every way to write ten segments as a literal or a variable: the worst case
    // for a tree of 1,024 patterns.
    let texts: Vec<String> = (0..1 << 10)
        .map(|bits| {
            let segment = |at: i32| match bits >> at & 1 {
                0 => "/a".to_owned(),
                _ => format!("/{{v{at}}}"),
            };
            format!("GET {}", (0..10).map(segment).collect::<String>())
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let routes = Routes::of(&texts);
    let path = "/a".repeat(10);
    let path = NormalPath::parse(path.as_bytes(), &PathRules::default()).unwrap();
    let mut visits = 0;
    let tree = &routes.table().tree;
    let complete: ControlFlow<()> = tree.walk(0, path.segments().unwrap(), |_, _| {
        visits += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((complete, visits), (ControlFlow::Continue(()), 1 << 10));
}
