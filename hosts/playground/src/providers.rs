//! What the page has to know of the providers to sign tokens for them.

use edge_authz::crypto::Algorithm;
use edge_authz::jwt::{Audiences, TokenType, TokenUse};
use edge_authz::policy::{Policy, Provider, ProviderKeys};
use serde_json::{Value, json};

/// The providers, in the configured order.
pub(crate) fn of(policy: &Policy) -> Value {
    let providers = policy.providers.iter();
    providers
        .map(|(_, provider)| provider_json(provider))
        .collect()
}

fn provider_json(provider: &Provider) -> Value {
    let expected = &provider.expectations;
    let audience = match &expected.audiences {
        Audiences::Any => None,
        Audiences::AnyOf(audiences) => audiences.first(),
    };
    let algorithms = provider.algorithms.iter();
    json!({
        "name": &*provider.name,
        "issuer": &*expected.issuer,
        "audience": audience.map(|audience| &**audience),
        "algorithms": algorithms.map(Algorithm::name).collect::<Vec<_>>(),
        // `JWT` if it is accepted; null: tokens without `typ`.
        "type": token_type(&expected.token_types),
        "token_use": expected.token_use.map(TokenUse::as_str),
        // The page can publish a key only where keys are fetched.
        "fetched": matches!(provider.keys, ProviderKeys::Fetched(_)),
        "revocable": provider.revoked.is_some(),
    })
}

fn token_type(accepted: &[Option<TokenType>]) -> Option<&str> {
    let usual = TokenType::new("JWT");
    let named = || accepted.iter().flatten();
    let found = named()
        .find(|one| **one == usual)
        .or_else(|| named().next());
    found.map(TokenType::as_str)
}
