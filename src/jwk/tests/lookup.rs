use super::*;
use crate::crypto::Algorithm;

fn kids(lookup: Lookup<'_>) -> Option<(Vec<Option<&str>>, bool)> {
    match lookup {
        Lookup::Candidates { keys, kid_known } => {
            Some((keys.into_iter().map(Jwk::kid).collect(), kid_known))
        }
        Lookup::UnknownKid | Lookup::NoFittingKey => None,
    }
}

#[test]
fn a_kid_chooses_among_the_keys_that_have_it() {
    let a = with(EC, r#""kid":"a""#);
    let also_a = with(RSA, r#""kid":"a""#);
    let empty = with(OKP, r#""kid":"""#);
    let set = set(&[&a, &also_a, &empty]);
    let found = |kid, algorithm| kids(set.lookup(Some(kid), algorithm));
    assert_eq!(found("a", Algorithm::Es256), Some((vec![Some("a")], true)));
    assert_eq!(found("a", Algorithm::Rs256), Some((vec![Some("a")], true)));
    assert_eq!(found("", Algorithm::EdDsa), Some((vec![Some("")], true)));
    for (kid, algorithm) in [
        ("a", Algorithm::EdDsa),
        ("", Algorithm::Es256),
        ("a", Algorithm::Es384),
    ] {
        let lookup = set.lookup(Some(kid), algorithm);
        assert!(matches!(lookup, Lookup::NoFittingKey), "{kid}");
    }
    for kid in ["A", "a ", " a", "а", "a\0", "b"] {
        let lookup = set.lookup(Some(kid), Algorithm::Es256);
        assert!(matches!(lookup, Lookup::UnknownKid), "{kid}");
    }
}

#[test]
fn keys_without_kid_are_candidates_if_no_key_has_the_kid_of_the_token() {
    let named = with(EC, r#""kid":"a""#);
    let set = set(&[&named, RSA, RSA, EC]);
    let found = |kid, algorithm| kids(set.lookup(Some(kid), algorithm));
    assert_eq!(found("b", Algorithm::Es256), Some((vec![None], false)));
    assert_eq!(
        found("b", Algorithm::Rs256),
        Some((vec![None, None], false))
    );
    assert_eq!(found("a", Algorithm::Es256), Some((vec![Some("a")], true)));
    assert!(matches!(
        set.lookup(Some("b"), Algorithm::EdDsa),
        Lookup::UnknownKid
    ));
    assert!(matches!(
        set.lookup(Some("a"), Algorithm::Rs256),
        Lookup::NoFittingKey
    ));
}

#[test]
fn without_kid_there_has_to_be_exactly_one_fitting_key() {
    let set = set(&[
        &with(EC, r#""kid":"a""#),
        RSA,
        &with(RSA, r#""kid":"b","alg":"PS256""#),
    ]);
    let found = |algorithm| kids(set.lookup(None, algorithm));
    assert_eq!(found(Algorithm::Es256), Some((vec![Some("a")], true)));
    assert_eq!(found(Algorithm::Rs256), Some((vec![None], true)));
    for algorithm in [Algorithm::Ps256, Algorithm::EdDsa] {
        assert!(matches!(set.lookup(None, algorithm), Lookup::NoFittingKey));
    }
}

#[test]
fn no_token_is_tried_with_more_than_four_keys() {
    let same_kid = |count| set(&vec![&*with(EC, r#""kid":"a""#); count]);
    let four = same_kid(4);
    let found = kids(four.lookup(Some("a"), Algorithm::Es256)).unwrap();
    assert_eq!(found.0.len(), 4);
    let five = same_kid(5);
    assert!(matches!(
        five.lookup(Some("a"), Algorithm::Es256),
        Lookup::NoFittingKey
    ));
    let nameless = set(&[EC; 5]);
    assert!(matches!(
        nameless.lookup(Some("a"), Algorithm::Es256),
        Lookup::UnknownKid
    ));
}

#[test]
fn a_key_that_left_or_lost_its_kid_is_no_longer_offered() {
    let old = set(&[&with(EC, r#""kid":"a""#), &with(OKP, r#""kid":"b""#)]);
    let ec = old.iter().next().unwrap().key().fingerprint();
    assert!(old.contains(ec));
    assert!(old.still_offers(Some("a"), Algorithm::Es256, ec));
    assert!(old.still_offers(None, Algorithm::Es256, ec));
    assert!(!old.still_offers(Some("b"), Algorithm::Es256, ec));
    let renamed = set(&[&with(EC, r#""kid":"c""#), &with(OKP, r#""kid":"a""#)]);
    assert!(renamed.contains(ec));
    assert!(!renamed.still_offers(Some("a"), Algorithm::Es256, ec));
    let gone = set(&[&with(OKP, r#""kid":"b""#)]);
    assert!(!gone.contains(ec));
    assert!(!gone.still_offers(Some("a"), Algorithm::Es256, ec));
}

/// The maximum number of keys of one kind, each with a `kid`.
fn largest() -> KeySet {
    let keys: Vec<_> = (0..MAX_KEYS)
        .map(|number| with(EC, &format!(r#""kid":"key-{number:04}""#)))
        .collect();
    set(&keys.iter().map(|key| &**key).collect::<Vec<_>>())
}

#[test]
fn in_the_largest_set_a_token_is_tried_with_one_key_and_without_kid_with_none() {
    let set = largest();
    for number in [0, 100, MAX_KEYS - 1] {
        let kid = format!("key-{number:04}");
        let found = kids(set.lookup(Some(&kid), Algorithm::Es256));
        assert_eq!(found, Some((vec![Some(&*kid)], true)));
    }
    let lookup = set.lookup(None, Algorithm::Es256);
    assert!(matches!(lookup, Lookup::NoFittingKey));
    let lookup = set.lookup(Some("key-9999"), Algorithm::Es256);
    assert!(matches!(lookup, Lookup::UnknownKid));
}

#[test]
fn a_kid_is_absent_if_every_key_names_another() {
    let digest = |kid| *AskedKid::new(kid).digest();
    let named = set(&[
        &with(EC, r#""kid":"a""#),
        &with(RSA, r#""kid":"b""#),
        &with(OKP, r#""kid":"""#),
    ]);
    for kid in ["a", "b", ""] {
        assert!(!named.has_no_key_for(&digest(kid)), "{kid:?}");
    }
    assert!(named.has_no_key_for(&digest("c")));
    // A key without a `kid` may be any token's.
    let with_nameless = set(&[&with(EC, r#""kid":"a""#), RSA]);
    assert!(!with_nameless.has_no_key_for(&digest("c")));
}
