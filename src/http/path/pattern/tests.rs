use super::*;
use crate::http::{EncodedCharacter, EncodedSet, PathFlags};

fn rules() -> PathRules {
    PathRules::default()
}

fn segments(text: &str) -> Result<Vec<PatternSegment>, BadPattern> {
    PathPattern::parse(text, &rules()).map(|pattern| pattern.segments)
}

fn literal(text: &str) -> PatternSegment {
    PatternSegment::Literal(text.as_bytes().into())
}

fn variable(name: &str) -> PatternSegment {
    PatternSegment::Variable(name.into())
}

fn greedy(name: &str) -> PatternSegment {
    PatternSegment::Greedy(name.into())
}

#[test]
fn a_pattern_is_literals_variables_and_a_greedy_variable_at_the_end() {
    assert_eq!(segments("/").unwrap(), []);
    assert_eq!(
        segments("/pets/{id}").unwrap(),
        [literal("pets"), variable("id")]
    );
    assert_eq!(
        segments("/{a.b_c-1}/x/{proxy+}").unwrap(),
        [variable("a.b_c-1"), literal("x"), greedy("proxy")]
    );
    let pattern = PathPattern::parse("/a/{x}/{y+}", &rules()).unwrap();
    assert_eq!(pattern.variables().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(pattern.to_string(), "/a/{x}/{y+}");
}

#[test]
fn a_slash_at_the_end_and_the_encoding_make_no_difference() {
    for (one, other) in [
        ("/pets/", "/pets"),
        ("/pets/{id}/", "/pets/{id}"),
        ("/users/%40me", "/users/@me"),
        ("/caf%c3%a9", "/café"),
        ("/a%20b", "/a b"),
        ("/a%2Eb%2d%5F%7e", "/a.b-_~"),
        ("/%7Bx%7D", "/%7bx%7d"),
    ] {
        assert_eq!(segments(one).unwrap(), segments(other).unwrap(), "{one}");
    }
}

#[test]
fn a_literal_that_no_request_could_have_is_refused() {
    use BadPath::{
        Backslash, BrokenEncoding, DotSegment, EmptySegment, Encoded, EncodedControl, Fragment,
        NotUtf8, Semicolon,
    };
    for (text, reason) in [
        ("//", EmptySegment),
        ("/a//b", EmptySegment),
        ("/a//", EmptySegment),
        ("/a/../b", DotSegment),
        ("/.", DotSegment),
        ("/%2e", DotSegment),
        ("/a/%2E%2e", DotSegment),
        ("/a%2Fb", Encoded(EncodedCharacter::Slash)),
        ("/100%25", Encoded(EncodedCharacter::Percent)),
        ("/100%", BrokenEncoding),
        ("/%ff", NotUtf8),
        ("/a\\b", Backslash),
        ("/a#b", Fragment),
        ("/a;b", Semicolon),
        ("/a\nb", EncodedControl),
        ("/a\u{85}b", EncodedControl),
    ] {
        let error = segments(text).unwrap_err();
        assert_eq!(error, BadPattern::Unreachable(reason), "{text:?}");
    }
}

#[test]
fn path_flags_apply_to_requests_and_patterns() {
    let flags = PathFlags {
        allow_encoded: EncodedSet::default().with(EncodedCharacter::Slash),
        allow_empty_segments: true,
        allow_semicolons: true,
        ignore_case: true,
    };
    let parse = |text| PathPattern::parse(text, &PathRules::new(flags));
    assert_eq!(parse("/A%2fB").unwrap().segments(), [literal("a/b")]);
    // These two match without the setting, so they must not be written encoded.
    assert_eq!(
        parse("/a//b"),
        Err(BadPattern::Unreachable(BadPath::EmptySegment))
    );
    assert_eq!(
        parse("/a;b"),
        Err(BadPattern::Unreachable(BadPath::Semicolon))
    );
}

#[test]
fn an_invalid_pattern_is_refused() {
    for (text, error) in [
        ("", BadPattern::NotAbsolute),
        ("pets", BadPattern::NotAbsolute),
        ("/{id}x", BadPattern::Brace),
        ("/x{id}", BadPattern::Brace),
        ("/{id", BadPattern::Brace),
        ("/}", BadPattern::Brace),
        ("/{a}{b}", BadPattern::VariableName),
        ("/{}", BadPattern::VariableName),
        ("/{+}", BadPattern::VariableName),
        ("/{a b}", BadPattern::VariableName),
        ("/{a++}", BadPattern::VariableName),
        ("/{é}", BadPattern::VariableName),
        ("/{a}/{a}", BadPattern::VariableTwice { name: "a".into() }),
        ("/{a}/{a+}", BadPattern::VariableTwice { name: "a".into() }),
        ("/{a+}/x", BadPattern::GreedyNotLast),
        ("/{a+}/{b+}", BadPattern::GreedyNotLast),
        ("/a/*", BadPattern::ForeignWildcard),
        ("/a/**", BadPattern::ForeignWildcard),
        ("/a/:id", BadPattern::ForeignWildcard),
        ("/a?b", BadPattern::Query),
    ] {
        assert_eq!(segments(text), Err(error), "{text:?}");
    }
    assert_eq!(
        segments("/%2A/a:b").unwrap(),
        [literal("*"), literal("a:b")]
    );
}

#[test]
fn a_route_is_a_method_and_a_path_or_the_default() {
    let parse = |text| RoutePattern::parse(text, &rules());
    assert_eq!(parse("$default"), Ok(RoutePattern::Default));
    let Ok(RoutePattern::Path { method, path }) = parse("ANY /a/{x+}") else {
        panic!("not a path")
    };
    assert_eq!(method, MethodPattern::Any);
    assert_eq!(path.to_string(), "/a/{x+}");
    assert_eq!(parse("GET /a").unwrap().to_string(), "GET /a");
    for (text, error) in [
        ("", BadRoutePattern::Form),
        ("GET", BadRoutePattern::Form),
        ("GET  /a", BadRoutePattern::Form),
        ("GET a", BadRoutePattern::Form),
        ("ANY $default", BadRoutePattern::Form),
        ("$DEFAULT", BadRoutePattern::Form),
        ("/a", BadRoutePattern::NoMethod),
        (" /a", BadRoutePattern::Method(BadMethod::NotAMethod)),
        ("GET,POST /a", BadRoutePattern::Method(BadMethod::Several)),
        ("* /a", BadRoutePattern::Method(BadMethod::EveryMethod)),
        (
            "$default /a",
            BadRoutePattern::Method(BadMethod::EveryMethod),
        ),
        (
            "get /a",
            BadRoutePattern::Method(BadMethod::LetterCase { instead: "GET" }),
        ),
        (
            "GET /a//b",
            BadRoutePattern::Path(BadPattern::Unreachable(BadPath::EmptySegment)),
        ),
    ] {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn an_error_says_what_to_write_instead() {
    let text = |pattern: &str| {
        RoutePattern::parse(pattern, &rules())
            .unwrap_err()
            .to_string()
    };
    for (pattern, advice) in [
        ("GET  /", "write a method, one space and a path"),
        ("/pets", "write the method before the path"),
        ("GET /a//b", "remove the empty segment"),
        ("GET /a%2", "write `%25` for a `%`"),
        ("GET /a%2Fb", "unless `paths.allow_encoded` lists \"/\""),
    ] {
        let text = text(pattern);
        assert!(text.contains(advice), "{pattern}: {text}");
    }
}
