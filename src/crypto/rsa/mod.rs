//! RSA signatures, RS* and PS* (RFC 7518 sections 3.3 and 3.5, RFC 8017).
//!
//! All values are public, so the operations need not take constant time.

mod key;
mod padding;
mod power;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jwt_compact::AlgorithmSignature;

use super::host_signatures::{Exportable, ExportedKey};
use super::seam::Never;
use super::{Algorithm, Hash, der};

pub(super) use key::RsaKey;

/// The bytes of a signature. Their validity depends on the key.
pub(in crate::crypto) struct RsaSignature(Box<[u8]>);

impl AlgorithmSignature for RsaSignature {
    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(octets.into()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// RSASSA-PKCS1-v1_5.
pub(in crate::crypto) struct Pkcs1(pub(in crate::crypto) Hash);

impl jwt_compact::Algorithm for Pkcs1 {
    type SigningKey = Never;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Exportable::algorithm(self).name())
    }

    fn sign(&self, key: &Never, _: &[u8]) -> RsaSignature {
        match *key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, key: &RsaKey, message: &[u8]) -> bool {
        let digest = self.0.digest(&[message]);
        key.open(signature)
            .is_some_and(|encoded| padding::is_pkcs1(&encoded, self.0, &digest))
    }
}

impl Exportable for Pkcs1 {
    fn algorithm(&self) -> Algorithm {
        match self.0 {
            Hash::Sha256 => Algorithm::Rs256,
            Hash::Sha384 => Algorithm::Rs384,
            Hash::Sha512 => Algorithm::Rs512,
        }
    }

    fn exported(key: &RsaKey) -> &ExportedKey {
        key.exported()
    }

    fn export(signature: &RsaSignature) -> Cow<'_, [u8]> {
        Cow::Borrowed(&signature.0)
    }

    fn is_faster(_: &RsaKey) -> bool {
        false
    }

    fn admits(key: &RsaKey, signature: &RsaSignature) -> bool {
        key.admits(signature)
    }
}

/// RSASSA-PSS with the same hash for all purposes, and a salt as long as the hash.
pub(in crate::crypto) struct Pss(pub(in crate::crypto) Hash);

impl jwt_compact::Algorithm for Pss {
    type SigningKey = Never;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Exportable::algorithm(self).name())
    }

    fn sign(&self, key: &Never, _: &[u8]) -> RsaSignature {
        match *key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, key: &RsaKey, message: &[u8]) -> bool {
        let digest = self.0.digest(&[message]);
        key.open(signature)
            .is_some_and(|encoded| padding::is_pss(&encoded, key.bits(), self.0, &digest))
    }
}

impl Exportable for Pss {
    fn algorithm(&self) -> Algorithm {
        match self.0 {
            Hash::Sha256 => Algorithm::Ps256,
            Hash::Sha384 => Algorithm::Ps384,
            Hash::Sha512 => Algorithm::Ps512,
        }
    }

    fn exported(key: &RsaKey) -> &ExportedKey {
        key.exported()
    }

    fn export(signature: &RsaSignature) -> Cow<'_, [u8]> {
        Cow::Borrowed(&signature.0)
    }

    fn is_faster(_: &RsaKey) -> bool {
        false
    }

    fn admits(key: &RsaKey, signature: &RsaSignature) -> bool {
        key.admits(signature)
    }
}
