//! Valid but risky settings in a policy.
//!
//! All of it is read from the compiled policy: nothing here decides what a configuration
//! means.

use std::collections::BTreeSet;

use super::collector::Warnings;
use crate::report::Finding;
use crate::subject::{Step, Subject, shown};
use edge_authz::cors::CorsPolicy;
use edge_authz::crypto::Algorithm;
use edge_authz::jwt::{Audiences, Binding};
use edge_authz::policy::{Access, DocumentLocation, Policy, Provider, ProviderKeys, TokenPlace};

/// All risks in a policy.
pub(super) fn of(policy: &Policy, subject: &Subject) -> Vec<Finding> {
    let mut warnings = Warnings::about(subject);
    for (id, provider) in policy.providers.iter() {
        let at = [Step::Member("providers"), Step::Element(id.index())];
        of_provider(provider, policy, at, &mut warnings);
    }
    scopes(policy, &mut warnings);
    origins(policy, &mut warnings);
    cookies(policy, &mut warnings);
    super::coverage::of(policy, subject, &mut warnings);
    warnings.finish()
}

fn of_provider(
    provider: &Provider,
    policy: &Policy,
    at: [Step<'_>; 2],
    warnings: &mut Warnings<'_>,
) {
    let [list, element] = at;
    if provider.expectations.audiences == Audiences::Any {
        warnings.add(
            &[list, element, Step::Member("audiences")],
            "accepts tokens that the issuer made for other services; list your audiences",
        );
    }
    if provider.algorithms.iter().any(Algorithm::is_symmetric) {
        warnings.add(
            &[list, element, Step::Member("algorithms")],
            "anybody who can read this configuration can make tokens with a shared key; use a key pair, such as one for ES256",
        );
    }
    binding(
        provider,
        &[list, element, Step::Member("binding")],
        warnings,
    );
    let ProviderKeys::Fetched(source) = &provider.keys else {
        return;
    };
    let (scheme, steps) = match policy.source(*source).map(|source| &source.location) {
        Some(DocumentLocation::Uri(uri)) => {
            let steps = vec![list, element, Step::Member("jwks"), Step::Member("uri")];
            (uri.scheme(), steps)
        }
        Some(DocumentLocation::Discovery { metadata, .. }) => {
            let [uri, _] = metadata;
            (uri.scheme(), vec![list, element, Step::Member("issuer")])
        }
        None => return,
    };
    if scheme == "http" {
        warnings.add(
            &steps,
            "anybody on the network path can replace keys that are fetched over http; write `https://` and give the cluster TLS",
        );
    }
}

/// The effect of an explicit `binding` on tokens with `cnf`, whose proofs of possession
/// cannot be checked.
fn binding(provider: &Provider, at: &[Step<'_>], warnings: &mut Warnings<'_>) {
    if !warnings.subject().has(at) {
        return;
    }
    let sentence = match provider.expectations.binding {
        Binding::Any => {
            "tokens with `cnf` are answered 401, because no proof of possession can be checked; write `ignore` to accept them from anybody who has them"
        }
        Binding::Required => {
            "no token can pass, because tokens without `cnf` are refused and no proof of possession can be checked for the others; write `ignore`, or leave it out"
        }
        Binding::Ignore => {
            "anybody who steals a token that is bound to its holder (`cnf`) can use it; remove `binding` to refuse such tokens"
        }
    };
    warnings.add(at, sentence);
}

fn scopes(policy: &Policy, warnings: &mut Warnings<'_>) {
    for (index, route) in policy.routes.iter().enumerate() {
        let scopes = &route.rules.scopes;
        let forbidden = |scope: &str| scopes.none_of.iter().any(|none| **none == *scope);
        let all_forbidden = scopes.any_of.iter().all(|scope| forbidden(scope));
        let sentence = if let Some(scope) = scopes.all_of.iter().find(|scope| forbidden(scope)) {
            format!(
                "no token can pass, because `all_of` and `none_of` both list {scope:?}; remove it from one of the two"
            )
        } else if !scopes.any_of.is_empty() && all_forbidden {
            "no token can pass, because `none_of` lists every scope of `any_of`; remove them from one of the two".to_owned()
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
        warnings.add(&at, &sentence);
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
            &steps,
            "`null` is the origin of every sandboxed frame, whoever created it; list your pages",
        );
    }
    if cors.has_wildcard_origins() {
        warnings.add(
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
            warnings.add(
                &[list, Step::Element(index), Step::Member("cookie")],
                "browsers send no cookie to another origin unless `cors` has `allow_credentials: true`; add it, or read the token from a header",
            );
        }
    }
}

const fn is_private(access: Access) -> bool {
    matches!(access, Access::Required | Access::Optional)
}
