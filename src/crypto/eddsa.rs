//! `EdDSA` with Ed25519: RFC 8037 section 3.1, RFC 8032 section 5.1.
//!
//! RFC 8032 leaves open which of several encodings and small points to take;
//! all are refused here. A key of small order has signatures that hold for
//! every text.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use ed25519_dalek::{SIGNATURE_LENGTH, Signature, VerifyingKey};
use jwt_compact::{Algorithm, AlgorithmSignature};

use super::KeyError;
use super::seam::{Malformed, Never};

/// A point of large order, ready for use.
pub(super) struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    /// Takes the 32 octets of RFC 8032 section 5.1.5.
    pub(super) fn new(octets: &[u8]) -> Result<Self, KeyError> {
        let octets = octets.try_into().map_err(|_| KeyError::CoordinateLength)?;
        let key = VerifyingKey::from_bytes(octets).map_err(|_| KeyError::OffCurve)?;
        // A second spelling of one point would be a second key.
        let canonical = key.to_edwards().compress().to_bytes() == *octets;
        if key.is_weak() || !canonical {
            return Err(KeyError::WeakPoint);
        }
        Ok(Self(key))
    }

    /// The point as RFC 8032 writes it.
    pub(super) fn octets(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// 64 octets; the rest is judged with the key.
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
        key.0.verify_strict(message, &signature.0).is_ok()
    }
}
