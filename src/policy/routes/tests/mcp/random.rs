//! Random conditions, against the rules of precedence as documented.

use std::cmp::Reverse;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::policy::routes::tests::random::Random;

const WORDS: &[&str] = &["", "a", "ab", "abc", "b", "ba", "abd", "é", "abé"];

/// The rank of a condition for a request; smaller is better.
fn rank(
    condition: &McpCondition,
    method: &str,
    name: Option<&str>,
) -> Option<(u8, Reverse<usize>)> {
    if !condition.methods.iter().any(|known| **known == *method) {
        return None;
    }
    if condition.names.is_empty() {
        return Some((2, Reverse(0)));
    }
    let rank = |known: &McpName| match known {
        McpName::Exact(text) => (**text == *name?).then_some((0, Reverse(0))),
        McpName::Prefix(text) => name?
            .starts_with(&**text)
            .then_some((1, Reverse(text.len()))),
    };
    condition.names.iter().filter_map(rank).min()
}

/// A condition as text, for [`condition`].
fn random_condition(random: &mut Random) -> String {
    if random.below(6) == 0 {
        return "-".to_owned();
    }
    let method = random.pick(&["m", "n"]);
    if random.below(4) == 0 {
        return method.to_owned();
    }
    let mut names: Vec<String> = (0..=random.below(3))
        .map(|_| {
            let star = random.pick(&["", "*"]);
            format!("{}{star}", random.pick(&WORDS[1..]))
        })
        .collect();
    names.sort();
    names.dedup();
    format!("{method}:{}", names.join(","))
}

/// What a request finds, by the rules as documented.
fn expected(conditions: &[Option<McpCondition>], method: &str, name: Option<&str>) -> Answer {
    let of_method = |one: &&McpCondition| one.methods.iter().any(|known| **known == *method);
    let mut of_method = conditions.iter().flatten().filter(of_method);
    if conditions.iter().all(Option::is_none) {
        return Answer::Route(0);
    }
    if name == Some("") {
        return Answer::Bad(McpHeader::Name, McpFault::Malformed);
    }
    if name.is_none() && of_method.any(|one| !one.names.is_empty()) {
        return Answer::Bad(McpHeader::Name, McpFault::Absent);
    }
    let ranked = conditions.iter().enumerate();
    let ranked = ranked.filter_map(|(at, one)| match one {
        Some(one) => Some((rank(one, method, name)?, at)),
        None => Some(((3, Reverse(0)), at)),
    });
    let best = ranked.min().map(|(_, at)| at);
    best.map_or(Answer::Nothing, Answer::Route)
}

#[test]
fn the_table_follows_the_rules_of_precedence_for_random_conditions() {
    let (mut routes_found, mut refused) = (0, 0);
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let conditions: Vec<String> = (0..=random.below(8))
            .map(|_| random_condition(&mut random))
            .collect();
        let routes: Vec<_> = conditions
            .iter()
            .map(|text| ("", "POST /m", &**text))
            .collect();
        let Ok(table) = build(&routes, &[], &|_, _| true) else {
            continue;
        };
        let parsed: Vec<_> = conditions.iter().map(|text| condition(text)).collect();
        for _ in 0..40 {
            let method = random.pick(&["m", "n", "o"]);
            let name = Some(random.pick(WORDS)).filter(|_| random.below(5) > 0);
            let encoded = name.map(|name| format!("=?base64?{}?=", STANDARD.encode(name)));
            let found = post(&table, "/m", method, encoded.as_deref());
            routes_found += u32::from(matches!(found, Answer::Route(_)));
            refused += u32::from(matches!(found, Answer::Bad(..)));
            let expected = expected(&parsed, method, name);
            assert_eq!(found, expected, "{conditions:?} {method} {name:?}");
        }
    }
    assert!(
        routes_found > 1000 && refused > 200,
        "{routes_found} {refused}"
    );
}
