//! A scope that is named once and resembles another one: it is probably misspelt, and then
//! its route allows no token.

use std::collections::BTreeMap;

use super::collector::Warnings;
use crate::codes::Code;
use crate::subject::Step;
use edge_authz::policy::Policy;

/// Shorter scopes often differ in one letter.
const MIN_LETTERS: usize = 6;
/// Longer scopes are not compared.
const MAX_LETTERS: usize = 128;

/// Warns about such scopes.
pub(super) fn of(policy: &Policy, warnings: &mut Warnings<'_>) {
    // Each scope with the number of its mentions and the route of the last one.
    let mut mentions: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (index, route) in policy.routes.iter().enumerate() {
        for scope in route.rules.scopes.values() {
            let known = mentions.entry(scope).or_insert((0, index));
            *known = (known.0.saturating_add(1), index);
        }
    }
    // Two texts that differ in one letter have a text in common that lacks one letter.
    let mut shorter: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for scope in mentions.keys().filter(|scope| is_compared(scope)) {
        for text in without_one(scope) {
            shorter.entry(text).or_default().push(scope);
        }
    }
    for (scope, (count, route)) in &mentions {
        if *count != 1 || !is_compared(scope) {
            continue;
        }
        let candidates = without_one(scope)
            .filter_map(|text| shorter.get(&text))
            .flat_map(|others| others.iter().take(8));
        let mut others = candidates.filter(|other| resembles(scope, other));
        let rank = |other: &str| mentions.get(other).map(|known| (known.0, known.1));
        // Of two that are named once, the later one is reported.
        let Some(other) = others
            .find(|other| rank(other).is_some_and(|(times, place)| times > 1 || place < *route))
        else {
            continue;
        };
        let at = [
            Step::Member("routes"),
            Step::Element(*route),
            Step::Member("scopes"),
        ];
        let sentence = format!(
            "{scope:?} is named only here and resembles {other:?}; if it is meant, write {other:?}"
        );
        warnings.add(Code::SimilarScope, &at, &sentence);
    }
}

fn is_compared(scope: &str) -> bool {
    let letters = scope.chars().count();
    (MIN_LETTERS..=MAX_LETTERS).contains(&letters)
}

/// The text itself, and the text without each of its letters.
fn without_one(text: &str) -> impl Iterator<Item = String> {
    let lower = text.to_ascii_lowercase();
    let without: Vec<String> = lower
        .char_indices()
        .map(|(at, letter)| {
            let after = at.saturating_add(letter.len_utf8());
            let parts = [lower.get(..at), lower.get(after..)];
            parts.into_iter().flatten().collect()
        })
        .collect();
    std::iter::once(lower).chain(without)
}

/// Whether two texts differ in letter case, in one letter, or in two that are exchanged. A
/// digit makes a different name.
fn resembles(one: &str, other: &str) -> bool {
    let (left, right) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    if one == other {
        return false;
    }
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let same = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let (left, right) = (
        left.get(same..).unwrap_or_default(),
        right.get(same..).unwrap_or_default(),
    );
    let end = left.iter().rev().zip(right.iter().rev());
    let end = end.take_while(|(a, b)| a == b).count();
    let middle = |text: &[char]| {
        text.get(..text.len().saturating_sub(end))
            .unwrap_or_default()
            .to_vec()
    };
    let (left, right) = (middle(left), middle(right));
    if left.iter().chain(&right).any(char::is_ascii_digit) {
        return false;
    }
    match (&*left, &*right) {
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_a_typing_error_and_a_digit_is_not() {
        for (one, other, alike) in [
            ("pets:read", "pets:raed", true),
            ("pets:read", "pets:reads", true),
            ("pets:read", "pet:read", true),
            ("pets:read", "Pets:read", true),
            ("pets:read", "pets:reed", true),
            ("pets:read", "pets:write", false),
            ("tier-1:use", "tier-2:use", false),
            ("pets:read", "pets:read", false),
        ] {
            assert_eq!(resembles(one, other), alike, "{one} {other}");
        }
    }
}
