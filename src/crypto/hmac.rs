//! HMAC (RFC 7518 section 3.2).

use std::borrow::Cow;

use hmac::{Hmac as Mac, KeyInit};
use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::{Sha256, Sha384, Sha512};

use super::seam::Never;
use super::{Hash, KeyError};

/// A shared secret, as the initial states of the hash functions for which it is long
/// enough. "A key of the same size as the hash output or larger MUST be used", so a
/// secret of 32 to 47 bytes has only one state.
pub(super) struct HmacKey {
    sha256: Mac<Sha256>,
    sha384: Option<Mac<Sha384>>,
    sha512: Option<Mac<Sha512>>,
}

impl HmacKey {
    pub(super) fn new(secret: &[u8]) -> Result<Self, KeyError> {
        let sha256 = state(secret, Hash::Sha256).ok_or(KeyError::SecretTooShort)?;
        Ok(Self {
            sha256,
            sha384: state(secret, Hash::Sha384),
            sha512: state(secret, Hash::Sha512),
        })
    }

    /// Whether the secret is long enough for `hash`.
    pub(super) fn serves(&self, hash: Hash) -> bool {
        match hash {
            Hash::Sha256 => true,
            Hash::Sha384 => self.sha384.is_some(),
            Hash::Sha512 => self.sha512.is_some(),
        }
    }
}

fn state<M: KeyInit>(secret: &[u8], hash: Hash) -> Option<M> {
    if secret.len() < hash.length() {
        return None;
    }
    M::new_from_slice(secret).ok()
}

/// A complete tag. Truncated tags are never compared.
pub(super) struct Tag(Box<[u8]>);

impl AlgorithmSignature for Tag {
    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(octets.into()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// HMAC with one hash.
pub(super) struct Hmac(pub(super) Hash);

impl Algorithm for Hmac {
    type SigningKey = Never;
    type VerifyingKey = HmacKey;
    type Signature = Tag;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            Hash::Sha256 => "HS256",
            Hash::Sha384 => "HS384",
            Hash::Sha512 => "HS512",
        })
    }

    fn sign(&self, key: &Never, _: &[u8]) -> Tag {
        match *key {}
    }

    fn verify_signature(&self, tag: &Tag, key: &HmacKey, message: &[u8]) -> bool {
        match self.0 {
            Hash::Sha256 => check(Some(&key.sha256), tag, message),
            Hash::Sha384 => check(key.sha384.as_ref(), tag, message),
            Hash::Sha512 => check(key.sha512.as_ref(), tag, message),
        }
    }
}

fn check<M: hmac::Mac + Clone>(state: Option<&M>, tag: &Tag, message: &[u8]) -> bool {
    // `verify_slice` refuses any other length, and compares in constant time.
    state.is_some_and(|state| {
        let mut mac = state.clone();
        mac.update(message);
        mac.verify_slice(&tag.0).is_ok()
    })
}
