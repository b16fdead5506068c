//! Requests that fall back to a route that was not meant for them.

use super::collector::Warnings;
use super::strictness::Strictness;
use crate::codes::Code;
use crate::patterns::Written;
use edge_authz::http::{NormalPath, RoutePattern};
use edge_authz::policy::Policy;

/// Warns about unknown methods, about a `$default` that is weaker than its neighbours,
/// about `/x/{proxy+}` without `/x`, about patterns that repeat `paths.base`, and about
/// weaker routes that come before stricter ones.
pub(super) fn of(policy: &Policy, written: &[Written], warnings: &mut Warnings<'_>) {
    super::methods::of(written, warnings);
    super::mcp::of(written, warnings);
    default_route(policy, written, warnings);
    for one in written {
        greedy(policy, one, written, warnings);
        based(one, warnings);
    }
    super::overlap::of(policy, written, warnings);
}

fn default_route(policy: &Policy, written: &[Written], warnings: &mut Warnings<'_>) {
    let is_default = |one: &&Written| one.pattern == RoutePattern::Default;
    let route_of = |one: &Written| policy.route(one.place.route);
    // Routes that are public on purpose do not show what the others require.
    let least = written
        .iter()
        .filter(|one| !is_default(one))
        .filter_map(route_of)
        .map(Strictness::of)
        .filter(|other| *other > Strictness::Optional)
        .min();
    for default in written.iter().filter(is_default) {
        let Some(route) = route_of(default) else {
            continue;
        };
        let sentence = match (Strictness::of(route), least) {
            (Strictness::Public, _) => {
                "every path without another route is public, including paths that are added later; list the public paths and leave `$default` protected"
            }
            (Strictness::Optional, Some(_)) => {
                "paths without another route need no token, although other routes do; write `access: required`"
            }
            (Strictness::Token, Some(Strictness::Rules | Strictness::Denied)) => {
                "paths without another route accept any valid token, although other routes require more; add `scopes` or `claims`, or leave it out"
            }
            (
                Strictness::Optional | Strictness::Token | Strictness::Rules | Strictness::Denied,
                _,
            ) => continue,
        };
        warnings.add(Code::WeakDefault, &default.steps(), sentence);
    }
}

/// `/x/{proxy+}` does not match `/x`: that request falls back to another route, or to
/// none.
fn greedy(policy: &Policy, one: &Written, all: &[Written], warnings: &mut Warnings<'_>) {
    if one.is_exact() {
        return;
    }
    let Some(sample) = one.sample_above() else {
        return;
    };
    let Ok(path) = NormalPath::parse(sample.path.as_bytes(), &policy.paths) else {
        return;
    };
    let host = sample.host();
    let found = policy
        .table
        .find(host.as_ref(), sample.method.as_bytes(), &path);
    let place = found.map(|found| found.place());
    let other = all.iter().find(|other| Some(other.place) == place);
    let instead = match other {
        None => "is answered 404".to_owned(),
        Some(other) if other.is_exact() || other.place.route == one.place.route => return,
        Some(other) => format!("has the route `{}`", other.text),
    };
    let sentence = format!(
        "does not match `{}`, which {instead}; add it to this `match`, or add a route for it",
        sample.shown
    );
    warnings.add(Code::NotCovered, &one.steps(), &sentence);
}

/// The base is cut off before a path is matched, so a pattern that begins with it matches
/// only paths that have it twice.
fn based(one: &Written, warnings: &mut Warnings<'_>) {
    let base = one.base();
    let path = one.text.split_once(' ').map(|(_, path)| path);
    let rest = path.and_then(|path| path.strip_prefix(base));
    if base.is_empty() || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return;
    }
    let sentence = format!(
        "begins with `paths.base`, which is cut off before a path is matched; write it without `{base}`"
    );
    warnings.add(Code::RepeatedBase, &one.steps(), &sentence);
}
