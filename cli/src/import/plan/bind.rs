//! Decides the access of each route.

use edge_authz::http::{PathRules, RoutePattern};

use super::providers::provider;
use super::{Access, Bound, Provider, Shape, Token};
use crate::import::model::{Api, Authorizer, Route, Rule, Scopes, Trust};
use crate::import::problems::Problems;

/// The routes with their access, and the providers that they need.
pub(super) fn routes(api: &Api, problems: &Problems<'_>) -> (Vec<Provider>, Vec<Bound>) {
    let mut providers = Vec::new();
    let mut routes = Vec::new();
    for route in &api.routes {
        let parsed = match RoutePattern::parse(&route.pattern, &PathRules::default()) {
            Ok(parsed) => parsed,
            Err(error) => {
                let sentence = format!("{:?} cannot be a route: {error}", route.pattern);
                problems.report(&route.at, &sentence);
                continue;
            }
        };
        let (access, reason) = match (&api.restricted, access(api, route, &mut providers)) {
            (_, (Access::Denied, reason)) => (Access::Denied, reason),
            (Some(note), _) => (Access::Denied, Some(note.text.clone())),
            (None, decided) => decided,
        };
        routes.push(Bound {
            pattern: route.pattern.clone(),
            hosts: route.hosts.clone(),
            shape: Shape::of(&parsed),
            at: route.at.clone(),
            access,
            reason,
            added: false,
        });
    }
    if api.restricted.is_some() {
        providers.clear();
    }
    (providers, routes)
}

fn access(api: &Api, route: &Route, providers: &mut Vec<Provider>) -> (Access, Option<String>) {
    let denied = |reason: String| (Access::Denied, Some(reason));
    match &route.rule {
        Rule::Public => (Access::Public, None),
        Rule::Denied(reason) => denied(reason.clone()),
        Rule::Optional(names) => match trusted(api, names, providers) {
            Ok((providers, false)) => (Access::Optional(providers), None),
            Ok((_, true)) => {
                denied("an optional token of a user pool has no equivalent".to_owned())
            }
            Err(reason) => denied(reason),
        },
        Rule::Token(names, scopes) => match trusted(api, names, providers) {
            Ok((providers, pools)) => {
                let usage = pools.then(|| if scopes.is_empty() { "id" } else { "access" });
                let scopes = match scopes {
                    Scopes::AnyOf(list) => Scopes::AnyOf(distinct(list)),
                    Scopes::AllOf(list) => Scopes::AllOf(distinct(list)),
                };
                let token = Token {
                    providers,
                    usage,
                    scopes,
                    claims: route.claims.clone(),
                };
                (Access::Token(token), None)
            }
            Err(reason) => denied(reason),
        },
    }
}

/// The providers of authorizers, and whether they are user pools.
fn trusted(
    api: &Api,
    names: &[String],
    providers: &mut Vec<Provider>,
) -> Result<(Vec<String>, bool), String> {
    let mut found: Vec<(&str, &Authorizer)> = Vec::new();
    for name in names {
        let authorizer = api.authorizers.get(name);
        let authorizer =
            authorizer.ok_or_else(|| format!("its authorizer `{name}` is not in the file"))?;
        if let Trust::Unknown(reason) = &authorizer.trust {
            return Err(reason.clone());
        }
        found.push((name, authorizer));
    }
    let pools = |one: &(&str, &Authorizer)| matches!(one.1.trust, Trust::Pools(_));
    let all_pools = found.iter().all(pools);
    if !all_pools && found.iter().any(pools) {
        return Err(
            "it accepts user pools and other issuers, which have different rules".to_owned(),
        );
    }
    let mut accepted: Vec<String> = Vec::new();
    for (name, authorizer) in found {
        let (Trust::Issuers(issuers) | Trust::Pools(issuers)) = &authorizer.trust else {
            continue;
        };
        for issuer in issuers {
            let provider = provider(providers, (name, authorizer), issuer);
            if !accepted.contains(&provider) {
                accepted.push(provider);
            }
        }
    }
    if accepted.is_empty() {
        return Err("its authorizer has no issuer".to_owned());
    }
    Ok((accepted, all_pools))
}

fn distinct(list: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for one in list {
        if !out.contains(one) {
            out.push(one.clone());
        }
    }
    out
}

/// Routes that match the same requests become one. If their access differs, nobody knows
/// which one was meant: it is denied.
pub(super) fn merged(routes: Vec<Bound>) -> Vec<Bound> {
    let mut merged: Vec<Bound> = Vec::new();
    let mut known = std::collections::BTreeMap::new();
    for route in routes {
        let key = (route.hosts.clone(), route.shape.clone());
        let first = known.get(&key);
        let Some(first) = first.and_then(|at: &usize| merged.get_mut(*at)) else {
            known.insert(key, merged.len());
            merged.push(route);
            continue;
        };
        if first.access != route.access {
            first.access = Access::Denied;
            let reason = format!(
                "`{}` (matching the same requests) has other rules",
                route.pattern
            );
            first.reason = Some(reason);
        }
    }
    merged
}
