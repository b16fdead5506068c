//! Scopes, and what they imply.

use super::*;

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
fn a_refusal_for_a_forbidden_scope_names_no_scopes() {
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
fn missing_scopes_are_reported_before_missing_claims() {
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
fn the_challenge_names_required_scopes_once_and_no_forbidden_ones() {
    let rules = route(&["a", "b"], &["c", "a"], &["d"]);
    assert_eq!(
        rules.challenge_scopes(&ScopeImplications::default()),
        ["a", "b", "c"]
    );
}

fn implications(written: &[(&str, &[&str])]) -> Result<ScopeImplications, BadImplications> {
    let written = written
        .iter()
        .map(|(broad, narrow)| (*broad, narrow.to_vec()));
    ScopeImplications::new(&written.collect())
}

#[test]
fn an_implied_scope_implies_further_ones() {
    let implied = implications(&[
        ("owner", &["admin", "billing"]),
        ("admin", &["read", "delete"]),
        ("delete", &["read"]),
    ])
    .unwrap();
    let of = |broad| implied.implied_by(broad).collect::<Vec<_>>();
    assert_eq!(of("owner"), ["admin", "billing", "delete", "read"]);
    assert_eq!(of("admin"), ["delete", "read"]);
    assert_eq!(of("delete"), ["read"]);
    for nothing in ["read", "billing", "unknown", "Owner", ""] {
        assert!(of(nothing).is_empty(), "{nothing}");
    }
    assert!(!implied.is_empty());
    assert!(ScopeImplications::default().is_empty());
}

#[test]
fn implied_scopes_count_in_every_list() {
    let implied = implications(&[("admin", &["read", "delete"])]).unwrap();
    let grant = |rules: &RouteRules, names: &[&'static str]| {
        let world = World {
            scopes: scopes(names, false),
            ..World::default()
        };
        granted(rules, &world, &implied).map(drop)
    };
    let any = route(&["read", "other"], &[], &[]);
    assert_eq!(grant(&any, &["admin"]), Ok(()));
    assert_eq!(grant(&any, &["delete"]), Err(Missing::Scopes));
    let all = route(&[], &["read", "delete"], &[]);
    assert_eq!(grant(&all, &["admin"]), Ok(()));
    assert_eq!(grant(&all, &["read"]), Err(Missing::Scopes));
    assert_eq!(
        grant(&route(&["admin"], &[], &[]), &["read", "delete"]),
        Err(Missing::Scopes)
    );
    let none = route(&[], &[], &["delete"]);
    assert_eq!(grant(&none, &["admin"]), Err(Missing::NoForbiddenScope));
    assert_eq!(grant(&none, &["read"]), Ok(()));
}

#[test]
fn the_challenge_names_no_scope_that_need_not_be_asked_for() {
    let implied = implications(&[("admin", &["write"]), ("write", &["read"])]).unwrap();
    for (any, all, named) in [
        (&["read", "admin", "x"][..], &[][..], &["read", "x"][..]),
        (&[], &["read", "admin", "x"], &["admin", "x"]),
        (&["read", "x"], &["write"], &["write"]),
        (&["admin"], &["read"], &["admin", "read"]),
        (&["x"], &["y"], &["x", "y"]),
    ] {
        let rules = route(any, all, &[]);
        assert_eq!(rules.challenge_scopes(&implied), named, "{any:?} {all:?}");
    }
}

#[test]
fn a_circle_of_implications_is_found_and_named() {
    let circle = |written: &[(&str, &[&str])]| match implications(written) {
        Err(BadImplications::Circle(scopes)) => scopes.join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!(circle(&[("a", &["a"])]), "a");
    assert_eq!(circle(&[("a", &["b"]), ("b", &["a"])]), "a b");
    let into = [
        ("a", &["b"][..]),
        ("b", &["x", "c"]),
        ("c", &["d"]),
        ("d", &["b"]),
    ];
    assert_eq!(circle(&into), "b c d");
}

#[test]
fn the_longest_implications_are_judged_and_longer_ones_refused() {
    let names: Vec<String> = (0..=MAX_IMPLYING_SCOPES)
        .map(|at| format!("{at:04}"))
        .collect();
    let chain = |count: usize| {
        let pairs = names[..count].windows(2);
        pairs.map(|pair| (&*pair[0], vec![&*pair[1]])).collect()
    };
    let longest = ScopeImplications::new(&chain(MAX_IMPLYING_SCOPES)).unwrap();
    assert!(longest.implies("0000", "0999"));
    assert!(!longest.implies("0999", "0000"));
    assert_eq!(longest.implied_by("0500").count(), 499);
    let longer = ScopeImplications::new(&chain(MAX_IMPLYING_SCOPES + 1));
    assert_eq!(longer, Err(BadImplications::TooMany));
}
