//! Requests that fall back to a route that was not meant for them.

use super::collector::Warnings;
use crate::patterns::{Written, written};
use crate::subject::Subject;
use edge_authz::http::{NormalPath, RoutePattern};
use edge_authz::policy::{Access, Policy, Route};

/// Warns about unknown methods, about a `$default` that is weaker than its neighbours,
/// and about `/x/{proxy+}` without `/x`.
pub(super) fn of(policy: &Policy, subject: &Subject, warnings: &mut Warnings<'_>) {
    let written = written(policy, subject);
    super::methods::of(&written, warnings);
    default_route(policy, &written, warnings);
    for one in &written {
        greedy(policy, one, &written, warnings);
    }
}

/// How much a route requires, ordered by strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strictness {
    Public,
    Optional,
    Token,
    Rules,
    Denied,
}

impl Strictness {
    fn of(route: &Route) -> Self {
        let rules = !route.rules.scopes.is_empty()
            || !route.rules.claims.is_empty()
            || route.token_use.is_some()
            || route.providers.is_some();
        match route.access {
            Access::Public => Self::Public,
            Access::Optional => Self::Optional,
            Access::Required if rules => Self::Rules,
            Access::Required => Self::Token,
            Access::Denied => Self::Denied,
        }
    }
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
        warnings.add(&default.steps(), sentence);
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
    warnings.add(&one.steps(), &sentence);
}
