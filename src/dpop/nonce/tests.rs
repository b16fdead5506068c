#![allow(
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a panic fails the test"
)]

use super::*;

const START: i64 = 1_800_000_000;
const MAX_AGE: Duration = Duration::from_mins(5);

fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

fn keys() -> NonceKeys {
    NonceKeys::starting(at(0), [[1; 32], [2; 32]])
}

fn check(keys: &NonceKeys, nonce: &str, now: i64) -> Result<bool, ProofError> {
    keys.check(nonce, at(now), MAX_AGE)
}

#[test]
fn a_nonce_is_good_until_its_age_and_is_renewed_after_half_of_it() {
    let keys = keys();
    let nonce = keys.issue(at(10)).unwrap();
    assert_eq!(nonce.len(), 32);
    for (now, expected) in [
        (10, Ok(false)),
        (160, Ok(false)),
        (161, Ok(true)),
        (310, Ok(true)),
        (311, Err(ProofError::NonceExpired)),
        (100_000, Err(ProofError::NonceExpired)),
        // Another thread has read the clock a moment earlier.
        (9, Ok(false)),
        (8, Err(ProofError::NonceUnknown)),
        (-100, Err(ProofError::NonceUnknown)),
    ] {
        assert_eq!(check(&keys, &nonce, now), expected, "{now}");
    }
}

#[test]
fn each_changed_bit_makes_a_nonce_unknown() {
    let keys = keys();
    let nonce = keys.issue(at(10)).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&nonce).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let changed = URL_SAFE_NO_PAD.encode(changed);
        let found = check(&keys, &changed, 10);
        assert_eq!(found, Err(ProofError::NonceUnknown), "{bit}");
    }
    let longer = format!("{nonce}AAAA");
    let padded = format!("{nonce}=");
    for bad in [
        "",
        "a",
        &nonce[..28],
        &longer,
        &padded,
        &nonce.to_lowercase(),
        "ä",
    ] {
        assert_eq!(
            check(&keys, bad, 10),
            Err(ProofError::NonceUnknown),
            "{bad}"
        );
    }
}

#[test]
fn a_nonce_is_unknown_to_other_keys_and_to_a_key_of_another_period() {
    let keys = keys();
    let nonce = keys.issue(at(10)).unwrap();
    let others = NonceKeys::starting(at(0), [[3; 32], [4; 32]]);
    assert_eq!(check(&others, &nonce, 10), Err(ProofError::NonceUnknown));
    // The secret is the same, and its period began later.
    let later = NonceKeys::starting(at(11), [[1; 32], [2; 32]]);
    assert_eq!(check(&later, &nonce, 11), Err(ProofError::NonceUnknown));
    // Nonces of the next key are not good for the current period.
    let next = NonceKeys::starting(at(0), [[2; 32], [1; 32]]);
    let forged = next.issue(at(10)).unwrap();
    assert_eq!(check(&keys, &forged, 10), Err(ProofError::NonceUnknown));
}

#[test]
fn every_nonce_outlives_the_changes_of_keys_for_its_whole_age() {
    let mut keys = keys();
    let mut known: Vec<(i64, String)> = Vec::new();
    for now in (0..30_000).step_by(97) {
        if keys.lacks_next(at(now)) {
            keys = keys.continued(at(now), [u8::try_from(now % 251).unwrap(); 32]);
        }
        assert!(keys.are_current(at(now)));
        assert!(keys.keys.len() <= MAX_KEYS);
        known.push((now, keys.issue(at(now)).unwrap()));
        known.retain(|(made, _)| now - made <= 3_600);
        for (made, nonce) in &known {
            let found = keys.check(nonce, at(now), NonceKeys::MAX_AGE);
            assert!(found.is_ok(), "{made} {now} {found:?}");
        }
    }
}

#[test]
fn others_know_a_key_for_a_period_before_it_is_used() {
    let mut keys = keys();
    for now in (0..30_000).step_by(500) {
        let former = keys.clone();
        if keys.lacks_next(at(now)) {
            keys = keys.continued(at(now), [u8::try_from(now % 251).unwrap(); 32]);
        }
        // Who has read the keys before the change accepts all nonces of the next hour.
        for later in (now..now + 3_000).step_by(300) {
            let nonce = keys.issue(at(later)).unwrap();
            assert_eq!(check(&former, &nonce, later), Ok(false), "{now} {later}");
        }
    }
}

#[test]
fn keys_of_the_future_are_not_current() {
    let keys = keys();
    assert!(keys.are_current(at(0)));
    assert!(!keys.are_current(at(-10)));
    let later = keys.continued(at(3_600), [3; 32]);
    assert!(later.are_current(at(3_600)));
    assert!(!later.are_current(at(3_000)));
    assert_eq!(keys.issue(at(-10)), None);
}

#[test]
fn encoded_keys_are_decoded_and_nothing_else_is() {
    let keys = keys().continued(at(3_600), [3; 32]);
    let bytes = keys.encode();
    assert_eq!(NonceKeys::decode(&bytes), Some(keys.clone()));
    for length in 0..bytes.len() {
        let whole = length > 1 && (length - 1) % 40 == 0;
        let decoded = NonceKeys::decode(&bytes[..length]);
        assert_eq!(decoded.is_some(), whole, "{length}");
    }
    let mut other = bytes.clone();
    other[0] = 2;
    assert_eq!(NonceKeys::decode(&other), None);
    // Four keys, and keys in another order, and one twice.
    let [_, one, two, three] = [0, 1, 2, 3].map(|index: usize| {
        let start = (index * 40).saturating_sub(39);
        bytes[start..(start + 40).min(bytes.len())].to_vec()
    });
    for bad in [
        [&one[..], &two, &three, &one].concat(),
        [&two[..], &one].concat(),
        [&one[..], &one].concat(),
    ] {
        assert_eq!(NonceKeys::decode(&[&[FORMAT][..], &bad].concat()), None);
    }
    assert_eq!(format!("{keys:?}"), "NonceKeys(3)");
}
