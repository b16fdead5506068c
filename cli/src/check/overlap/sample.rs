//! A request that two patterns match.

use std::fmt::Write;

use crate::patterns::Written;
use edge_authz::http::path::PatternSegment;
use edge_authz::http::{Host, HostPattern, MethodPattern, NormalPath, RoutePattern};
use edge_authz::policy::Policy;

/// How many hosts of a pair of routes are tried.
const MAX_HOSTS: usize = 8;

/// A request that both patterns match and that the table gives to the first; `None` if none
/// of the tried ones is. A path variable gets a text that is probably no route's literal.
pub(super) fn won(policy: &Policy, winner: &Written, other: &Written) -> Option<String> {
    let methods = methods(&winner.pattern, &other.pattern)?;
    for filler in ["any", "any-other"] {
        for path in paths(winner, other, filler)? {
            let Ok(normal) = NormalPath::parse(path.as_bytes(), &policy.paths) else {
                continue;
            };
            for host in hosts(&winner.hosts, &other.hosts) {
                let parsed = host.as_deref().map(str::as_bytes);
                let Ok(parsed) = Host::parse(parsed) else {
                    continue;
                };
                for method in &methods {
                    let found = policy
                        .table
                        .find(parsed.as_ref(), method.as_bytes(), &normal);
                    if found.map(|found| found.place()) == Some(winner.place) {
                        let host = host.unwrap_or_default();
                        return Some(format!("{method} {host}{path}"));
                    }
                }
            }
        }
    }
    None
}

/// The place of a pattern without hosts that can never come before the other one.
pub(super) fn never_first(one: &Written, other: &Written) -> bool {
    let greedy = |written: &Written| !written.is_exact();
    one.hosts.is_empty() && greedy(one) && !greedy(other)
}

fn methods(one: &RoutePattern, other: &RoutePattern) -> Option<Vec<String>> {
    let named = |pattern: &RoutePattern| match pattern {
        RoutePattern::Path {
            method: MethodPattern::Named(method),
            ..
        } => Some(method.as_str().to_owned()),
        RoutePattern::Path { .. } | RoutePattern::Default => None,
    };
    let is_get = |method: &str| method == "GET" || method == "HEAD";
    match (named(one), named(other)) {
        (None, None) => Some(vec![
            "GET".to_owned(),
            "POST".to_owned(),
            "PATCH".to_owned(),
        ]),
        (Some(method), None) | (None, Some(method)) => Some(vec![method]),
        (Some(one), Some(other)) if one == other => Some(vec![one]),
        (Some(one), Some(other)) if is_get(&one) && is_get(&other) => Some(vec!["HEAD".to_owned()]),
        (Some(_), Some(_)) => None,
    }
}

/// Paths that both match; the second is longer, for two patterns with `{name+}`.
fn paths(one: &Written, other: &Written, filler: &str) -> Option<Vec<String>> {
    let (left, right) = (one.segments(), other.segments());
    let short = merged(left, right, filler, 1)?;
    let long = merged(left, right, filler, 3)?;
    let base = one.base();
    let written = |segments: &[Vec<u8>]| {
        let mut path = base.to_owned();
        for segment in segments {
            path.push('/');
            path.push_str(&encoded(segment));
        }
        if segments.is_empty() {
            path.push('/');
        }
        path
    };
    Some(vec![written(&short), written(&long)])
}

/// The segments of a path that both match; `None` stands for `$default`. A `{name+}` at the
/// end of both stands for `rest` segments.
fn merged(
    left: Option<&[PatternSegment]>,
    right: Option<&[PatternSegment]>,
    filler: &str,
    rest: usize,
) -> Option<Vec<Vec<u8>>> {
    let everything = [PatternSegment::Greedy("all".into())];
    let mut left = left.unwrap_or(&everything);
    let mut right = right.unwrap_or(&everything);
    let filler = || filler.as_bytes().to_vec();
    let text = |segment: &PatternSegment| match segment {
        PatternSegment::Literal(text) => text.to_vec(),
        PatternSegment::Variable(_) | PatternSegment::Greedy(_) => filler(),
    };
    let mut out = Vec::new();
    loop {
        let (one, other) = match (left.split_first(), right.split_first()) {
            (None, None) => return Some(out),
            (Some(one), Some(other)) => (one, other),
            (Some(_), None) | (None, Some(_)) => return None,
        };
        match (one.0, other.0) {
            (PatternSegment::Greedy(_), PatternSegment::Greedy(_)) => {
                out.extend(std::iter::repeat_with(filler).take(rest));
                return Some(out);
            }
            (PatternSegment::Greedy(_), _) => {
                out.extend(right.iter().map(text));
                return Some(out);
            }
            (_, PatternSegment::Greedy(_)) => {
                out.extend(left.iter().map(text));
                return Some(out);
            }
            (PatternSegment::Literal(a), PatternSegment::Literal(b)) if a != b => return None,
            (literal @ PatternSegment::Literal(_), _) | (_, literal) => out.push(text(literal)),
        }
        (left, right) = (one.1, other.1);
    }
}

/// Hosts that both match, at most [`MAX_HOSTS`]; `None` is any host.
fn hosts(one: &[HostPattern], other: &[HostPattern]) -> Vec<Option<String>> {
    let example = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(name) => name.to_string(),
        HostPattern::Below(name) => format!("any.{name}"),
    };
    let mut found: Vec<Option<String>> = match (one, other) {
        ([], []) => vec![None],
        ([], list) | (list, []) => list
            .iter()
            .take(MAX_HOSTS)
            .map(|one| Some(example(one)))
            .collect(),
        (one, other) => {
            let one = one.iter().take(MAX_HOSTS);
            one.flat_map(|one| other.iter().take(MAX_HOSTS).map(move |other| (one, other)))
                .filter_map(|(one, other)| common_host(one, other))
                .map(|pattern| Some(example(pattern)))
                .collect()
        }
    };
    found.truncate(MAX_HOSTS);
    found
}

/// The narrower of two patterns, if one is within the other.
fn common_host<'h>(one: &'h HostPattern, other: &'h HostPattern) -> Option<&'h HostPattern> {
    let within = |inner: &HostPattern, outer: &HostPattern| match (inner, outer) {
        (HostPattern::Exact(a), HostPattern::Exact(b))
        | (HostPattern::Below(a), HostPattern::Below(b))
            if a == b =>
        {
            true
        }
        (HostPattern::Exact(a) | HostPattern::Below(a), HostPattern::Below(b)) => {
            a.strip_suffix(&**b).is_some_and(|rest| rest.ends_with('.'))
        }
        (HostPattern::Exact(_) | HostPattern::Below(_), HostPattern::Exact(_)) => false,
    };
    if within(one, other) {
        return Some(one);
    }
    within(other, one).then_some(other)
}

fn encoded(segment: &[u8]) -> String {
    let mut out = String::new();
    for byte in segment {
        if byte.is_ascii_alphanumeric() || b"._-~@:".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}
