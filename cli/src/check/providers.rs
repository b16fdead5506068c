//! Valid but risky settings of providers.

use super::collector::Warnings;
use crate::codes::Code;
use crate::subject::Step;
use edge_authz::crypto::Algorithm;
use edge_authz::jwt::{Audiences, Binding};
use edge_authz::policy::{DocumentLocation, Policy, Provider, ProviderKeys, TokenPlace};

/// The risks of all providers.
pub(super) fn of(policy: &Policy, warnings: &mut Warnings<'_>) {
    for (id, provider) in policy.providers.iter() {
        let at = [Step::Member("providers"), Step::Element(id.index())];
        of_provider(provider, policy, at, warnings);
        issuer(&provider.expectations.issuer, at, warnings);
    }
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
            Code::EveryAudience,
            &[list, element, Step::Member("audiences")],
            "accepts tokens that the issuer made for other services; list your audiences",
        );
    }
    if provider.algorithms.iter().any(Algorithm::is_symmetric) {
        warnings.add(Code::SharedKey,
            &[list, element, Step::Member("algorithms")],
            "anybody who can read this configuration can make tokens with a shared key; use a key pair, such as one for ES256",
        );
    }
    binding(provider, policy, [list, element], warnings);
    revoked(provider, policy, at, warnings);
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
        warnings.add(Code::KeysWithoutTls,
            &steps,
            "anybody on the network path can replace keys that are fetched over http; write `https://` and give the cluster TLS",
        );
    }
}

/// The risks of a revocation list.
fn revoked(provider: &Provider, policy: &Policy, at: [Step<'_>; 2], warnings: &mut Warnings<'_>) {
    let Some(source) = provider.revoked else {
        return;
    };
    let [list, element] = at;
    let revoked = Step::Member("revoked");
    let location = policy.source(source).map(|source| &source.location);
    if let Some(DocumentLocation::Uri(uri)) = location
        && uri.scheme() == "http"
    {
        warnings.add(Code::KeysWithoutTls,
            &[list, element, revoked, Step::Member("uri")],
            "anybody on the network path can replace a revocation list that is fetched over http; write `https://` and give the cluster TLS",
        );
    }
    let issuer = &provider.expectations.issuer;
    let mut others = policy.providers.of_issuer(issuer);
    let other = others.find(|(_, other)| other.revoked != provider.revoked);
    if let Some((_, other)) = other {
        let sentence = format!(
            "provider `{}` has the same issuer and does not use this list, so it may accept a token that the list names; write the same `revoked` in both",
            other.name
        );
        warnings.add(Code::UnevenRevocation, &[list, element, revoked], &sentence);
    }
}

/// Bound tokens that anybody can use, and proofs that nobody can present.
fn binding(provider: &Provider, policy: &Policy, at: [Step<'_>; 2], warnings: &mut Warnings<'_>) {
    let [list, element] = at;
    let ignores = provider.expectations.binding == Binding::Ignore;
    if ignores {
        warnings.add(Code::Binding,
            &[list, element, Step::Member("binding")],
            "anybody who steals a token that is bound to its holder (`cnf`) can use it; remove `binding` to accept such tokens only from their holders",
        );
    }
    if provider.dpop.is_none() {
        return;
    }
    let at = [list, element, Step::Member("dpop")];
    let takes_proofs = |place: &TokenPlace| match place {
        TokenPlace::Header { name, scheme } => {
            let is_bearer = |scheme: &str| scheme.eq_ignore_ascii_case("bearer");
            **name == *"authorization" && scheme.as_deref().is_some_and(is_bearer)
        }
        TokenPlace::Cookie(_) | TokenPlace::Query(_) => false,
    };
    if ignores {
        warnings.add(
            Code::Binding,
            &at,
            "has no effect with `binding: ignore`; remove one of the two",
        );
    } else if !policy.token_places.iter().any(takes_proofs) {
        warnings.add(Code::Binding,
            &at,
            "has no effect, because tokens with proofs are read only from `Authorization`; add `{header: authorization, scheme: Bearer}` to `token_from`",
        );
    }
}

const METADATA: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

/// Issuers that no token has.
fn issuer(issuer: &str, [list, element]: [Step<'_>; 2], warnings: &mut Warnings<'_>) {
    let at = [list, element, Step::Member("issuer")];
    let metadata = METADATA.iter().find_map(|end| issuer.strip_suffix(end));
    if let Some(instead) = metadata {
        let sentence = format!(
            "is the address of the issuer's metadata, which no token has as `iss`; write `{instead}`"
        );
        warnings.add(Code::IssuerOfNoToken, &at, &sentence);
        return;
    }
    let Some((region, pool)) = user_pool(issuer) else {
        return;
    };
    if let Some(instead) = issuer.strip_suffix('/') {
        let sentence = format!(
            "ends in `/`, unlike the `iss` in tokens of a user pool, so every token is answered 401; write `{instead}`"
        );
        warnings.add(Code::IssuerOfNoToken, &at, &sentence);
    }
    if let Some((of_pool, _)) = pool
        .split_once('_')
        .filter(|(of_pool, _)| *of_pool != region)
    {
        let sentence = format!(
            "names the region `{region}`, but the pool is in `{of_pool}`; write `cognito-idp.{of_pool}`"
        );
        warnings.add(Code::IssuerOfNoToken, &at, &sentence);
    }
}

/// The region and the pool in the issuer of a Cognito user pool.
fn user_pool(issuer: &str) -> Option<(&str, &str)> {
    let (host, path) = issuer.strip_prefix("https://")?.split_once('/')?;
    let rest = host.strip_prefix("cognito-idp.")?;
    let region = rest
        .strip_suffix(".amazonaws.com")
        .or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
    Some((region, path.trim_end_matches('/')))
}
