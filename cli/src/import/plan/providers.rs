//! Providers and token places from authorizers.

use std::collections::BTreeMap;

use super::Provider;
use crate::import::model::{Authorizer, Issuer, Place};

/// The longest name that is made. A number may follow it.
const MAX_NAME: usize = 56;

/// The name of the provider for an issuer of an authorizer. Equal ones share a provider.
pub(super) fn provider(
    providers: &mut Vec<Provider>,
    authorizer: (&str, &Authorizer),
    issuer: &Issuer,
) -> String {
    if let Some(known) = providers.iter().find(|known| known.issuer == *issuer) {
        return known.name.clone();
    }
    let name = unique(providers, &sanitized(authorizer.0));
    providers.push(Provider {
        name: name.clone(),
        authorizer: authorizer.0.to_owned(),
        at: authorizer.1.at.clone(),
        issuer: issuer.clone(),
    });
    name
}

fn unique(providers: &[Provider], name: &str) -> String {
    let taken = |name: &str| providers.iter().any(|known| known.name == name);
    if !taken(name) {
        return name.to_owned();
    }
    // One of these is free: there are more numbers than providers.
    let numbers = 2..=providers.len().saturating_add(2);
    let names = numbers.map(|number| format!("{name}-{number}"));
    names
        .into_iter()
        .find(|name| !taken(name))
        .unwrap_or_default()
}

/// A valid provider name.
fn sanitized(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars().take(MAX_NAME) {
        let lower = character.to_ascii_lowercase();
        let valid = lower.is_ascii_lowercase() || lower.is_ascii_digit() || lower == '_';
        out.push(if valid { lower } else { '-' });
    }
    let trimmed = out.trim_matches('-');
    if trimmed.is_empty() {
        "issuer".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// The places of all authorizers that are used. Nothing, if that is the default.
pub(super) fn places(authorizers: &BTreeMap<String, Authorizer>, used: &[Provider]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (name, authorizer) in authorizers {
        if used.iter().any(|provider| provider.authorizer == *name) {
            for place in &authorizer.places {
                if !places.contains(place) {
                    places.push(place.clone());
                }
            }
        }
    }
    // A cookie is read only if no other place has a token.
    places.sort_by_key(|place| matches!(place, Place::Cookie(_)));
    // The header without a scheme includes the one with `Bearer`.
    if places.contains(&Place::Header("authorization".to_owned())) {
        places.retain(|place| *place != Place::Bearer);
    }
    if places == [Place::Bearer] {
        places.clear();
    }
    places
}
