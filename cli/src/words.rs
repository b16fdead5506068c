//! Describes the rules of a policy in words.

use edge_authz::policy::routes::{McpCondition, McpName};
use edge_authz::policy::{Access, Policy, Route, TokenPlace};
use edge_authz::rules::{ClaimRule, Requirement};

/// Who may use a route.
pub(crate) fn who(policy: &Policy, route: &Route) -> String {
    let tokens = match &route.providers {
        None => "a token".to_owned(),
        Some(ids) => {
            let names = ids.iter().filter_map(|id| policy.providers.get(*id));
            let names: Vec<_> = names.map(|provider| &*provider.name).collect();
            format!("a token of {}", names.join(" or "))
        }
    };
    match route.access {
        Access::Public => "everyone".to_owned(),
        Access::Denied => "no one".to_owned(),
        Access::Optional => format!("no token, or {tokens}"),
        Access::Required => tokens,
    }
}

/// The MCP requests that a route is for.
pub(crate) fn mcp(condition: &McpCondition) -> String {
    let methods = condition.methods.join(" or ");
    let name = |name: &McpName| match name {
        McpName::Exact(name) => name.to_string(),
        McpName::Prefix(prefix) => format!("{prefix}…"),
    };
    let names: Vec<_> = condition.names.iter().map(name).collect();
    match names.as_slice() {
        [] => methods,
        names => format!("{methods} of {}", names.join(" or ")),
    }
}

/// What a route requires of a token, as separate items.
pub(crate) fn needs(route: &Route) -> Vec<String> {
    let mut needs = Vec::new();
    if let Some(token_use) = route.token_use {
        needs.push(format!("token_use {}", token_use.as_str()));
    }
    if let Some(authentication) = &route.rules.authentication {
        let acr = authentication.acr_values.as_ref();
        let age = authentication.max_age.as_ref();
        let acr = acr.map(|values| format!("acr {}", values.replace(' ', " or ")));
        let age = age.map(|age| format!("at most {} s ago", age.as_secs()));
        let both: Vec<_> = acr.into_iter().chain(age).collect();
        needs.push(format!("authentication {}", both.join(", ")));
    }
    if !route.rules.scopes.is_empty() {
        let scopes = requirement(&route.rules.scopes, ToString::to_string);
        needs.push(format!("scopes {scopes}"));
    }
    needs.extend(route.rules.claims.iter().map(claim));
    needs
}

/// What a rule requires of a claim.
pub(crate) fn claim(rule: &ClaimRule) -> String {
    let values = requirement(&rule.requirement, ToString::to_string);
    format!("{} {values}", rule.name.as_str())
}

fn requirement<T>(requirement: &Requirement<T>, text: impl Fn(&T) -> String) -> String {
    let list = |values: &[T], word: &str| {
        let values: Vec<_> = values.iter().map(&text).collect();
        match values.as_slice() {
            [] => None,
            [one] if word == "any of" => Some(one.clone()),
            _ => Some(format!("{word} {}", values.join(", "))),
        }
    };
    let lists = [
        list(&requirement.any_of, "any of"),
        list(&requirement.all_of, "all of"),
        list(&requirement.none_of, "none of"),
    ];
    lists.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A place where a token may be.
pub(crate) fn token_place(place: &TokenPlace) -> String {
    match place {
        TokenPlace::Header {
            name,
            scheme: Some(scheme),
        } => format!("header `{name}` after `{scheme}`"),
        TokenPlace::Header { name, scheme: None } => format!("header `{name}`"),
        TokenPlace::Cookie(name) => format!("cookie `{name}`"),
        TokenPlace::Query(name) => format!("query parameter `{name}`"),
    }
}
