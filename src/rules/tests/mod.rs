mod authentication;
mod scopes;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::time::UnixTime;
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_nanos(1_000_000_000_000);
const SKEW: Duration = Duration::from_secs(10);

#[derive(Default)]
struct World {
    claims: BTreeMap<&'static str, ClaimValue<'static>>,
    scopes: Scopes<'static>,
    acr: Option<&'static str>,
    authenticated_at: Option<UnixTime>,
    /// Parts of the request, by their text in a rule.
    parts: BTreeMap<&'static str, &'static [u8]>,
}

impl Claims for World {
    fn claim(&self, name: &ClaimName) -> ClaimValue<'_> {
        let value = self.claims.get(name.as_str()).cloned();
        value.unwrap_or(ClaimValue::Absent)
    }

    fn acr(&self) -> Option<Cow<'_, str>> {
        self.acr.map(Cow::Borrowed)
    }

    fn authenticated_at(&self) -> Option<UnixTime> {
        self.authenticated_at
    }

    fn scopes(&self, _: &[ClaimName]) -> Scopes<'_> {
        self.scopes.clone()
    }
}

impl RequestParts for World {
    fn part(&self, part: &RequestPart) -> Option<Cow<'_, [u8]>> {
        let value = self.parts.get(&*part.to_string());
        value.copied().map(Cow::Borrowed)
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

fn prefixes(any: &[&str], none: &[&str]) -> Requirement<Expected> {
    let list = |values: &[&str]| {
        let prefix = |value: &&str| Expected::Prefix((*value).into());
        values.iter().map(prefix).collect()
    };
    Requirement {
        any_of: list(any),
        all_of: Vec::new(),
        none_of: list(none),
    }
}

#[test]
fn a_prefix_matches_texts_that_begin_with_exactly_it() {
    // Columns: any_of "repo:org/" or "team:", none_of the same.
    let table = [
        (ClaimValue::Absent, [false, true]),
        (ClaimValue::Other, [false, false]),
        (one("repo:org/a"), [true, false]),
        (one("repo:org/"), [true, false]),
        (one("repo:org"), [false, true]),
        (one("repo:org2/a"), [false, true]),
        (one("Repo:org/a"), [false, true]),
        (one("x repo:org/a"), [false, true]),
        (one(" repo:org/a"), [false, true]),
        (one(""), [false, true]),
        (many(&["x", "team:a"], false), [true, false]),
        (many(&["x"], false), [false, true]),
        (many(&["x"], true), [false, false]),
        (many(&[], false), [false, true]),
    ];
    for (value, expected) in table {
        let both = ["repo:org/", "team:"];
        let results = [
            met(value.clone(), prefixes(&both, &[])),
            met(value.clone(), prefixes(&[], &both)),
        ];
        assert_eq!(results, expected, "{value:?}");
    }
}

fn part(text: &str) -> Expected {
    let name = |start| text.strip_prefix(start)?.strip_suffix('}');
    Expected::Part(match (name("{header."), name("{query."), name("{")) {
        (Some(name), _, _) => RequestPart::Header(name.into()),
        (_, Some(name), _) => RequestPart::Query(name.into()),
        (_, _, name) => RequestPart::Variable(name.unwrap().into()),
    })
}

/// For each list, a requirement with these values in it and the others empty.
fn each_list(values: &[Expected]) -> [Requirement<Expected>; 3] {
    [0, 1, 2].map(|list| {
        let at = |number| {
            if list == number {
                values.to_vec()
            } else {
                Vec::new()
            }
        };
        Requirement {
            any_of: at(0),
            all_of: at(1),
            none_of: at(2),
        }
    })
}

fn rule(requirement: Requirement<Expected>) -> ClaimRule {
    ClaimRule {
        name: ClaimName::new("sub"),
        requirement,
    }
}

#[test]
fn a_part_of_the_request_compares_as_bytes() {
    for text in ["{id}", "{header.x-id}", "{query.id}"] {
        let [any_of, _, none_of] = each_list(&[part(text)]).map(rule);
        let mut world = World {
            claims: BTreeMap::from([("sub", one("jürgen"))]),
            parts: BTreeMap::from([(text, "jürgen".as_bytes())]),
            ..World::default()
        };
        assert!(meets(&any_of, &world, &world));
        assert!(!meets(&none_of, &world, &world));
        for other in [&b"J\xC3\xBCrgen"[..], b"", b"j\xFCrgen", b"{id}"] {
            world.parts.insert(text, other);
            assert!(!meets(&any_of, &world, &world), "{text}: {other:?}");
            assert!(meets(&none_of, &world, &world), "{text}: {other:?}");
        }
        world.claims.insert("sub", many(&["a", "b"], false));
        world.parts.insert(text, b"b");
        assert!(meets(&any_of, &world, &world));
        assert!(!meets(&none_of, &world, &world));
    }
}

#[test]
fn an_absent_part_fails_the_rule_in_every_list() {
    for text in ["{id}", "{header.x-id}", "{query.id}"] {
        for claim in [one("x"), ClaimValue::Absent, many(&["x"], false)] {
            let world = World {
                claims: BTreeMap::from([("sub", claim)]),
                ..World::default()
            };
            // Another value beside it makes no difference, met or not.
            let lists = [vec![part(text)], [texts(&["x"]), vec![part(text)]].concat()];
            for requirement in lists.iter().flat_map(|values| each_list(values)) {
                let rule = rule(requirement);
                assert!(!meets(&rule, &world, &world), "{rule:?}");
                assert!(!meets(&rule, &world, &NoRequest), "{rule:?}");
            }
        }
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
        ..RouteRules::default()
    }
}

fn scopes(names: &[&'static str], unreadable: bool) -> Scopes<'static> {
    let mut scopes = Scopes::default();
    scopes.unreadable = unreadable;
    for name in names {
        scopes.add(Cow::Borrowed(name));
    }
    scopes
}

fn grant(rules: &RouteRules, names: &[&'static str], unreadable: bool) -> Result<Permit, Missing> {
    let world = World {
        scopes: scopes(names, unreadable),
        ..World::default()
    };
    granted(rules, &world, &ScopeImplications::default())
}

fn granted(
    rules: &RouteRules,
    world: &World,
    implied: &ScopeImplications,
) -> Result<Permit, Missing> {
    rules.grant(&Grounds {
        claims: world,
        scope_claims: &[ClaimName::new("scope")],
        implied,
        request: world,
        now: NOW,
        clock_skew: SKEW,
    })
}
