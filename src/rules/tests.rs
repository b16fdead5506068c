use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;

#[derive(Default)]
struct World {
    claims: BTreeMap<&'static str, ClaimValue<'static>>,
    scopes: Scopes<'static>,
    variables: BTreeMap<&'static str, &'static [u8]>,
}

impl Claims for World {
    fn claim(&self, name: &ClaimName) -> ClaimValue<'_> {
        let value = self.claims.get(name.as_str()).cloned();
        value.unwrap_or(ClaimValue::Absent)
    }

    fn scopes(&self, _: &[ClaimName]) -> Scopes<'_> {
        self.scopes.clone()
    }
}

impl Variables for World {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        self.variables.get(name).copied()
    }
}

fn one(value: &'static str) -> ClaimValue<'static> {
    ClaimValue::One(Cow::Borrowed(value))
}

fn many(values: &[&'static str], unreadable: bool) -> ClaimValue<'static> {
    ClaimValue::Many {
        members: values.iter().map(|value| Cow::Borrowed(*value)).collect(),
        unreadable,
    }
}

fn texts(values: &[&str]) -> Vec<Expected> {
    let text = |value: &&str| Expected::Text((*value).into());
    values.iter().map(text).collect()
}

fn require(any: &[&str], all: &[&str], none: &[&str]) -> Requirement<Expected> {
    Requirement {
        any_of: texts(any),
        all_of: texts(all),
        none_of: texts(none),
    }
}

fn met(value: ClaimValue<'static>, requirement: Requirement<Expected>) -> bool {
    let world = World {
        claims: BTreeMap::from([("c", value)]),
        ..World::default()
    };
    let rule = ClaimRule {
        name: ClaimName::new("c"),
        requirement,
    };
    meets(&rule, &world, &world)
}

#[test]
fn each_kind_of_claim_meets_each_list_as_the_rule_says() {
    // Columns: any_of [a, b]; all_of [a, b]; none_of [a, b].
    let table = [
        (ClaimValue::Absent, [false, false, true]),
        (ClaimValue::Other, [false, false, false]),
        (one("a"), [true, false, false]),
        (one("A"), [false, false, true]),
        (one("a b"), [false, false, true]),
        (one("c"), [false, false, true]),
        (one(""), [false, false, true]),
        (many(&[], false), [false, false, true]),
        (many(&["a"], false), [true, false, false]),
        (many(&["b", "c", "a"], false), [true, true, false]),
        (many(&["c"], false), [false, false, true]),
        (many(&["c"], true), [false, false, false]),
        (many(&["a"], true), [true, false, false]),
    ];
    for (value, expected) in table {
        let results = [
            met(value.clone(), require(&["a", "b"], &[], &[])),
            met(value.clone(), require(&[], &["a", "b"], &[])),
            met(value.clone(), require(&[], &[], &["a", "b"])),
        ];
        assert_eq!(results, expected, "{value:?}");
    }
}

#[test]
fn all_three_lists_must_be_met_together() {
    let rule = || require(&["a", "b"], &["c"], &["d"]);
    assert!(met(many(&["a", "c"], false), rule()));
    assert!(!met(many(&["a"], false), rule()));
    assert!(!met(many(&["c"], false), rule()));
    assert!(!met(many(&["a", "c", "d"], false), rule()));
    assert!(!met(ClaimValue::Absent, rule()));
}

fn variable_rule(requirement: fn(Vec<Expected>) -> Requirement<Expected>) -> ClaimRule {
    ClaimRule {
        name: ClaimName::new("sub"),
        requirement: requirement(vec![Expected::Variable("id".into())]),
    }
}

#[test]
fn a_path_variable_compares_as_decoded_bytes() {
    let rule = variable_rule(Requirement::any_of);
    let mut world = World {
        claims: BTreeMap::from([("sub", one("jürgen"))]),
        variables: BTreeMap::from([("id", "jürgen".as_bytes())]),
        ..World::default()
    };
    assert!(meets(&rule, &world, &world));
    world.variables.insert("id", b"J\xC3\xBCrgen");
    assert!(!meets(&rule, &world, &world));
    world.variables.insert("id", b"");
    assert!(!meets(&rule, &world, &world));
    world.claims.insert("sub", one("{id}"));
    assert!(!meets(&rule, &world, &world));
}

#[test]
fn a_variable_that_is_not_there_fails_every_list() {
    let none_of = |values| Requirement {
        none_of: values,
        ..Requirement::default()
    };
    for claim in [one("x"), ClaimValue::Absent] {
        let world = World {
            claims: BTreeMap::from([("sub", claim)]),
            ..World::default()
        };
        let any_rule = variable_rule(Requirement::any_of);
        assert!(!meets(&any_rule, &world, &world));
        assert!(!meets(&any_rule, &world, &NoVariables));
        assert!(!meets(&variable_rule(none_of), &world, &world));
    }
}

fn route(any: &[&str], all: &[&str], none: &[&str]) -> RouteRules {
    let list = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    RouteRules {
        scopes: Requirement {
            any_of: list(any),
            all_of: list(all),
            none_of: list(none),
        },
        claims: Vec::new(),
    }
}

fn grant(rules: &RouteRules, names: &[&'static str], unreadable: bool) -> Result<Permit, Missing> {
    let world = World {
        scopes: Scopes {
            names: names.iter().map(|name| Cow::Borrowed(*name)).collect(),
            unreadable,
        },
        ..World::default()
    };
    rules.grant(&world, &[ClaimName::new("scope")], &world)
}

#[test]
fn scopes_are_compared_whole_and_with_their_letter_case() {
    let rules = route(&["read"], &[], &[]);
    assert!(grant(&rules, &["write", "read"], false).is_ok());
    for near in [
        "READ",
        "readwrite",
        "xread",
        "read,write",
        "read:all",
        "read\0",
        "*",
        "",
    ] {
        assert_eq!(
            grant(&rules, &[near], false),
            Err(Missing::Scopes),
            "{near}"
        );
    }
    assert_eq!(grant(&rules, &[], false), Err(Missing::Scopes));
}

#[test]
fn a_forbidden_scope_is_not_answered_with_scopes_to_ask_for() {
    let rules = route(&[], &["pets:write"], &["suspended"]);
    assert!(grant(&rules, &["pets:write"], false).is_ok());
    assert_eq!(
        grant(&rules, &["pets:write", "suspended"], false),
        Err(Missing::NoForbiddenScope)
    );
    assert_eq!(grant(&rules, &["suspended"], false), Err(Missing::Scopes));
}

#[test]
fn scopes_that_cannot_be_read_never_meet_none_of() {
    let rules = route(&[], &[], &["suspended"]);
    assert!(grant(&rules, &[], false).is_ok());
    assert_eq!(grant(&rules, &[], true), Err(Missing::NoForbiddenScope));
    let rules = route(&["read"], &[], &[]);
    assert!(grant(&rules, &["read"], true).is_ok());
}

#[test]
fn missing_scopes_are_told_before_missing_claims() {
    let mut rules = route(&["read"], &[], &[]);
    rules.claims.push(ClaimRule {
        name: ClaimName::new("c"),
        requirement: require(&["a"], &[], &[]),
    });
    assert_eq!(grant(&rules, &[], false), Err(Missing::Scopes));
    assert_eq!(grant(&rules, &["read"], false), Err(Missing::Claims));
}

#[test]
fn a_route_without_rules_grants_every_token() {
    assert!(grant(&RouteRules::default(), &[], true).is_ok());
}

#[test]
fn the_challenge_names_wanted_scopes_once_and_no_forbidden_ones() {
    let rules = route(&["a", "b"], &["c", "a"], &["d"]);
    assert_eq!(rules.challenge_scopes(), ["a", "b", "c"]);
}
