//! Rules that allow no token, or that are probably typing errors.

use super::collector::Warnings;
use super::similar;
use crate::codes::Code;
use crate::subject::Step;
use edge_authz::policy::Policy;
use edge_authz::rules::Expected;

/// All of them.
pub(super) fn of(policy: &Policy, warnings: &mut Warnings<'_>) {
    scopes(policy, warnings);
    claims(policy, warnings);
    similar::of(policy, warnings);
}

/// A `*` in a claim's text is a character like every other.
fn claims(policy: &Policy, warnings: &mut Warnings<'_>) {
    let has_star = |value: &Expected| match value {
        Expected::Text(text) | Expected::Prefix(text) => text.contains('*'),
        Expected::Part(_) => false,
    };
    let sentence = |value: &Expected| {
        let text = value.to_string();
        match text
            .strip_suffix('*')
            .filter(|rest| !rest.is_empty() && !rest.contains('*'))
        {
            Some(prefix) => format!(
                "a `*` stands for itself, so it matches only a claim with that character; write `{{prefix: {prefix:?}}}`"
            ),
            None => {
                "a `*` stands for itself, so it matches only a claim with that character; list the \
                     values, or write a `prefix`"
                    .to_owned()
            }
        }
    };
    let providers = policy.providers.iter();
    let of_providers = providers.flat_map(|(id, provider)| {
        let rules = provider.expectations.claims.iter();
        rules.map(move |rule| ("providers", id.index(), rule))
    });
    let routes = policy.routes.iter().enumerate();
    let of_routes = routes.flat_map(|(index, route)| {
        let rules = route.rules.claims.iter();
        rules.map(move |rule| ("routes", index, rule))
    });
    for (list, index, rule) in of_providers.chain(of_routes) {
        if let Some(value) = rule.requirement.values().find(|value| has_star(value)) {
            let at = [
                Step::Member(list),
                Step::Element(index),
                Step::Member("claims"),
                Step::Member(rule.name.as_str()),
            ];
            warnings.add(Code::Asterisk, &at, &sentence(value));
        }
    }
}

fn scopes(policy: &Policy, warnings: &mut Warnings<'_>) {
    for (index, route) in policy.routes.iter().enumerate() {
        let scopes = &route.rules.scopes;
        // A token with a scope has those that it implies, too.
        let forbidden = |scope: &str| {
            let implied = &policy.scope_implies;
            let mut none_of = scopes.none_of.iter();
            none_of.any(|none| **none == *scope || implied.implies(scope, none))
        };
        let all_forbidden = scopes.any_of.iter().all(|scope| forbidden(scope));
        let sentence = if let Some(scope) = scopes.all_of.iter().find(|scope| forbidden(scope)) {
            if scopes.none_of.contains(scope) {
                format!(
                    "no token can pass, because `all_of` and `none_of` both list {scope:?}; remove it from one of the two"
                )
            } else {
                format!(
                    "no token can pass, because `all_of` lists {scope:?}, which implies a scope of `none_of`; remove one of the two"
                )
            }
        } else if !scopes.any_of.is_empty() && all_forbidden {
            "no token can pass, because `none_of` lists every scope of `any_of`, or one that it implies; remove them from one of the two".to_owned()
        } else if let Some(scope) = scopes.any_of.iter().find(|scope| forbidden(scope)) {
            format!(
                "{scope:?} allows no token, because `none_of` lists it too; remove it from one of the two"
            )
        } else {
            continue;
        };
        let at = [
            Step::Member("routes"),
            Step::Element(index),
            Step::Member("scopes"),
        ];
        warnings.add(Code::ImpossibleScope, &at, &sentence);
    }
}
