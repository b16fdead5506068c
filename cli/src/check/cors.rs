//! Valid but risky CORS settings, and those that refuse what the routes need.

use std::collections::{BTreeMap, BTreeSet};

use super::collector::Warnings;
use super::strangers::is_open_to_strangers;
use crate::codes::Code;
use crate::patterns::Written;
use crate::subject::{Step, shown};
use crate::tree::Node;
use edge_authz::cors::CorsPolicy;
use edge_authz::http::{MethodPattern, RoutePattern};
use edge_authz::policy::{Access, Policy, TokenPlace};

/// All risks of CORS policies.
pub(super) fn of(policy: &Policy, written: &[Written], warnings: &mut Warnings<'_>) {
    origins(policy, warnings);
    cookies(policy, warnings);
    for (steps, routes) in by_policy(policy, warnings) {
        headers(policy, &steps, &routes, warnings);
        methods(&steps, &routes, written, warnings);
        strangers(&steps, warnings);
    }
}

/// Policies that let pages other than the operator's read private answers.
fn origins(policy: &Policy, warnings: &mut Warnings<'_>) {
    let mut reported = BTreeSet::new();
    for (index, route) in policy.routes.iter().enumerate() {
        let Some(cors) = &route.cors else {
            continue;
        };
        let routes = Step::Member("routes");
        let own = vec![routes, Step::Element(index), Step::Member("cors")];
        let steps = if warnings.subject().has(&own) {
            own
        } else {
            vec![Step::Member("cors")]
        };
        if is_private(route.access) && reported.insert(shown(&steps)) {
            origins_of(cors, steps, warnings);
        }
    }
}

fn origins_of(cors: &CorsPolicy, mut steps: Vec<Step<'_>>, warnings: &mut Warnings<'_>) {
    steps.push(Step::Member("allow_origins"));
    if cors.allows_null() {
        warnings.add(
            Code::OpenToPages,
            &steps,
            "`null` is the origin of every sandboxed frame, whoever created it; list your pages",
        );
    }
    if cors.has_wildcard_origins() {
        warnings.add(Code::OpenToPages,
            &steps,
            "a `*` lets any matching page read the responses of routes that need a token; list your pages",
        );
    }
}

fn cookies(policy: &Policy, warnings: &mut Warnings<'_>) {
    let without = policy.routes.iter().any(|route| {
        let cors = route.cors.as_ref();
        is_private(route.access) && cors.is_some_and(|cors| !cors.allows_credentials())
    });
    if !without {
        return;
    }
    for (index, place) in policy.token_places.iter().enumerate() {
        if matches!(place, TokenPlace::Cookie(_)) {
            let list = Step::Member("token_from");
            warnings.add(Code::TokenNotSent,
                &[list, Step::Element(index), Step::Member("cookie")],
                "browsers send no cookie to another origin unless `cors` has `allow_credentials: true`; add it, or read the token from a header",
            );
        }
    }
}

const fn is_private(access: Access) -> bool {
    matches!(access, Access::Required | Access::Optional)
}

type Steps = Vec<Step<'static>>;

/// The places of the CORS policies that are written, each with its routes.
fn by_policy(policy: &Policy, warnings: &Warnings<'_>) -> Vec<(Steps, Vec<usize>)> {
    let mut found: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, route) in policy.routes.iter().enumerate() {
        if route.cors.is_some() {
            let own = warnings.subject().has(&own(index)).then_some(index);
            found.entry(own).or_default().push(index);
        }
    }
    let steps = |place: Option<usize>| place.map_or_else(|| vec![Step::Member("cors")], own);
    found
        .into_iter()
        .map(|(place, routes)| (steps(place), routes))
        .collect()
}

fn own(route: usize) -> Steps {
    vec![
        Step::Member("routes"),
        Step::Element(route),
        Step::Member("cors"),
    ]
}

/// `allow_headers` without the header that carries the token.
fn headers(policy: &Policy, steps: &Steps, routes: &[usize], warnings: &mut Warnings<'_>) {
    let mut all = steps.clone();
    all.push(Step::Member("allow_headers"));
    let list = warnings.subject().get(&all);
    let allowed = list.map(Node::texts).unwrap_or_default();
    let partial = allowed
        .iter()
        .position(|name| name.contains('*') && *name != "*");
    if let Some(index) = partial {
        let mut at = all.clone();
        at.push(Step::Element(index));
        warnings.add(
            Code::Asterisk,
            &at,
            "is the name of one header, because a `*` inside a name has no meaning; list the names",
        );
    }
    let needs_token = |index: &usize| {
        let route = policy.routes.get(*index);
        route.is_some_and(|route| route.access == Access::Required)
    };
    let names = policy.token_places.iter().map(|place| match place {
        TokenPlace::Header { name, .. } => Some(&**name),
        TokenPlace::Cookie(_) | TokenPlace::Query(_) => None,
    });
    // A page can send the token in any of the places.
    let Some(names) = names.collect::<Option<Vec<_>>>() else {
        return;
    };
    let covered = names.iter().any(|name| {
        let listed = allowed.iter().any(|known| known.eq_ignore_ascii_case(name));
        listed || (*name != "authorization" && allowed.contains(&"*"))
    });
    let Some(first) = names
        .first()
        .filter(|_| !covered && routes.iter().any(needs_token))
    else {
        return;
    };
    let first = if *first == "authorization" {
        "Authorization"
    } else {
        first
    };
    let (at, what) = match list {
        Some(_) => (&all, "lacks"),
        None => (steps, "has no `allow_headers` with"),
    };
    let sentence = format!(
        "{what} `{first}`, so browsers refuse to send a token from another origin, although routes need one; add it"
    );
    warnings.add(Code::TokenNotSent, at, &sentence);
}

/// `allow_methods` without a method of the routes.
fn methods(steps: &Steps, routes: &[usize], written: &[Written], warnings: &mut Warnings<'_>) {
    let mut at = steps.clone();
    at.push(Step::Member("allow_methods"));
    let Some(list) = warnings.subject().get(&at) else {
        return;
    };
    let allowed = list.texts();
    if allowed.contains(&"ANY") {
        return;
    }
    let mut missing = BTreeSet::new();
    for one in written {
        let RoutePattern::Path {
            method: MethodPattern::Named(method),
            ..
        } = &one.pattern
        else {
            continue;
        };
        let method = method.as_str();
        let of_policy = routes.binary_search(&one.place.route.0).is_ok();
        if of_policy && !["HEAD", "OPTIONS"].contains(&method) && !allowed.contains(&method) {
            missing.insert(format!("`{method}`"));
        }
    }
    if missing.is_empty() {
        return;
    }
    let missing: Vec<_> = missing.into_iter().collect();
    let sentence = format!(
        "lacks {}, so browsers refuse these requests to the routes from another origin; add them, or leave \
         `allow_methods` out for the methods of the routes",
        missing.join(", ")
    );
    warnings.add(Code::MethodNotAllowed, &at, &sentence);
}

/// Origins that match pages of strangers, with the user's session.
fn strangers(steps: &Steps, warnings: &mut Warnings<'_>) {
    let mut at = steps.clone();
    at.push(Step::Member("allow_credentials"));
    let credentials = warnings.subject().get(&at);
    if !credentials.is_some_and(|value| value.value == crate::tree::Value::Bool(true)) {
        return;
    }
    at.pop();
    at.push(Step::Member("allow_origins"));
    let origins = warnings.subject().get(&at).map(Node::texts);
    for (index, origin) in origins.unwrap_or_default().into_iter().enumerate() {
        if let Some(domain) = is_open_to_strangers(origin) {
            let mut at = at.clone();
            at.push(Step::Element(index));
            let sentence = format!(
                "anybody can get a host below `{domain}`, and its pages could act with the user's session; list your hosts"
            );
            warnings.add(Code::OpenToPages, &at, &sentence);
        }
    }
}
