//! How much a route requires.

use crate::words::needs;
use edge_authz::policy::{Access, Mode, Route};

/// How much a route requires, ordered by strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strictness {
    Public,
    Optional,
    Token,
    Rules,
    Denied,
}

impl Strictness {
    pub(super) fn of(route: &Route) -> Self {
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

/// Whether `one` lets requests pass that `other` refuses, and refuses none that `other` lets
/// pass. An optional route is as open as a public one.
pub(super) fn is_weaker(one: &Route, other: &Route) -> bool {
    let (left, right) = (enforced(one), enforced(other));
    if right <= Strictness::Optional {
        return false;
    }
    if (left, right) != (Strictness::Rules, Strictness::Rules) {
        return left < right;
    }
    let (fewer, more) = (rules(one), rules(other));
    fewer.len() < more.len() && fewer.iter().all(|rule| more.contains(rule))
}

/// What a route enforces: refusals that are only reported let requests pass.
fn enforced(route: &Route) -> Strictness {
    match (route.mode, Strictness::of(route)) {
        (Mode::Enforce, strictness) | (Mode::Report, strictness @ Strictness::Denied) => strictness,
        (Mode::Report, _) => Strictness::Public,
    }
}

fn rules(route: &Route) -> Vec<String> {
    let mut rules = needs(route);
    rules.extend(route.providers.as_ref().map(|ids| format!("{ids:?}")));
    rules
}
