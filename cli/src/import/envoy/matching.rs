//! The requests that a match of a route, of `jwt_authn` or of `rbac` has.

use super::member::{elements, get, has_only, text};
use crate::import::ordered::Region;
use crate::tree::{Node, Value};

/// A `RouteMatch`.
pub(super) fn of_route(one: &Node) -> Region {
    let at = &one.span;
    let mut region = if let Some(prefix) = text(one, "prefix") {
        Region::prefix(at, prefix)
    } else if let Some(path) = text(one, "path") {
        Region::exact(at, path)
    } else if let Some(path) = text(one, "path_separated_prefix") {
        Region::below(at, path)
    } else if let Some(regex) = get(one, "safe_regex").and_then(|regex| text(regex, "regex")) {
        Region::regex(at, regex)
    } else {
        Region::unknown(at)
    };
    if get(one, "case_sensitive").is_some_and(|node| node.value == Value::Bool(false)) {
        region = Region::unknown(at);
    }
    for header in elements(one, "headers") {
        region = region.and(of_header(header));
    }
    let known = [
        "prefix",
        "path",
        "path_separated_prefix",
        "headers",
        "case_sensitive",
    ];
    if has_only(one, &known) {
        region
    } else {
        region.conditional()
    }
}

/// A `HeaderMatcher`.
pub(super) fn of_header(header: &Node) -> Region {
    let at = &header.span;
    let matcher = get(header, "string_match");
    let value = |new: &str, old: &str| {
        let own = matcher.filter(|matcher| has_only(matcher, &["exact", "prefix"]));
        own.and_then(|own| text(own, new))
            .or_else(|| text(header, old))
    };
    let known = ["name", "string_match", "exact_match", "prefix_match"];
    if !has_only(header, &known) {
        return Region::unknown(at);
    }
    match (
        text(header, "name"),
        value("exact", "exact_match"),
        value("prefix", "prefix_match"),
    ) {
        (Some(":method"), Some(method), None) => Region::everything(at).with_methods(&[method]),
        (Some(":path"), None, Some(prefix)) => Region::prefix(at, prefix),
        // The value has the query, too, so it is not known that it matches.
        (Some(":path"), Some(path), None) => Region::exact(at, path).conditional(),
        _ => Region::unknown(at),
    }
}

/// A `PathMatcher`, which does not see the query.
pub(super) fn of_path(matcher: &Node) -> Region {
    let at = &matcher.span;
    let Some(path) = get(matcher, "path").filter(|path| has_only(path, &["exact", "prefix"]))
    else {
        return Region::unknown(at);
    };
    match (text(path, "exact"), text(path, "prefix")) {
        (Some(path), None) => Region::exact(at, path),
        (None, Some(prefix)) => Region::prefix(at, prefix),
        _ => Region::unknown(at),
    }
}
