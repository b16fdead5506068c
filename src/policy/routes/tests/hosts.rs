use super::*;

fn routes(routes: &[(&str, &str)]) -> Routes {
    Routes::new(PathRules::default(), routes)
}

#[test]
fn the_closest_hosts_routes_come_first_and_no_match_falls_to_the_next() {
    let routes = routes(&[
        ("a.b.example.com", "GET /x"),
        ("*.b.example.com", "GET /{v}"),
        ("*.example.com", "ANY /{rest+}"),
        ("", "GET /x"),
        ("", "$default"),
    ]);
    for (host, request, route) in [
        ("a.b.example.com", "GET /x", 0),
        ("a.b.example.com", "GET /y", 1),
        ("a.b.example.com", "POST /x", 2),
        ("a.b.example.com", "GET /y/z", 2),
        ("a.b.example.com", "GET /", 4),
        ("c.b.example.com", "GET /x", 1),
        ("c.d.b.example.com", "GET /x", 1),
        ("b.example.com", "GET /x", 2),
        ("example.com", "GET /x", 3),
        ("other.test", "GET /x", 3),
        ("other.test", "GET /y", 4),
        ("xb.example.com.test", "GET /x", 3),
        ("", "GET /x", 3),
    ] {
        let found = routes.at(host, request).map(|(route, _)| route);
        assert_eq!(found, Some(route), "{host} {request}");
    }
}

#[test]
fn a_hosts_default_comes_before_better_patterns_of_the_next_set() {
    let routes = routes(&[
        ("a.example.com", "$default"),
        ("*.example.com", "$default"),
        ("*.example.com", "GET /y"),
        ("", "GET /x"),
    ]);
    let route = |host, request| routes.at(host, request).map(|(route, _)| route);
    assert_eq!(route("a.example.com", "GET /x"), Some(0));
    assert_eq!(route("a.example.com", "GET /y"), Some(0));
    assert_eq!(route("b.example.com", "GET /y"), Some(2));
    assert_eq!(route("b.example.com", "GET /x"), Some(1));
    assert_eq!(route("example.com", "GET /x"), Some(3));
}

#[test]
fn a_host_in_any_spelling_has_its_routes() {
    let routes = routes(&[("admin.example.com *.x.test [::1]", "GET /a")]);
    for host in [
        "ADMIN.example.com:8443",
        "admin.example.com.",
        "a.b.X.test",
        "[0::1]:80",
    ] {
        assert!(routes.at(host, "GET /a").is_some(), "{host}");
    }
    for host in ["", "x.test", "admin.example.com.test", "127.0.0.1"] {
        assert!(routes.at(host, "GET /a").is_none(), "{host}");
    }
}

#[test]
fn hosts_matter_only_where_a_route_names_some() {
    assert!(!routes(&[("", "GET /a")]).table().uses_hosts());
    assert!(routes(&[("a.test", "GET /a")]).table().uses_hosts());
    assert!(routes(&[("*.test", "GET /a")]).table().uses_hosts());
}

#[test]
fn the_same_pattern_for_other_hosts_does_not_clash() {
    let apart = [("a.test", "GET /a"), ("*.test", "GET /a"), ("", "GET /a")];
    assert!(routes(&apart).built.is_ok());
    let together = [("a.test b.test", "GET /a"), ("c.test b.test", "GET /a")];
    assert_eq!(routes(&together).clashes(), [(0, 1)]);
    assert!(routes(&[("a.test a.test", "GET /a")]).built.is_ok());
}
