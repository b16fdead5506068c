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

/// How a digest is padded before the key is applied to it.
#[derive(Clone, Copy)]
pub(in crate::crypto) enum Padding {
    /// RSASSA-PKCS1-v1_5
    Pkcs1,
    /// RSASSA-PSS with the same hash for all purposes, and a salt as long as the hash.
    Pss,
}

/// An RSA algorithm.
pub(in crate::crypto) struct Rsa {
    pub(in crate::crypto) padding: Padding,
    pub(in crate::crypto) hash: Hash,
}

impl jwt_compact::Algorithm for Rsa {
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
        let Self { padding, hash } = *self;
        let digest = hash.digest(&[message]);
        key.open(signature).is_some_and(|encoded| match padding {
            Padding::Pkcs1 => padding::is_pkcs1(&encoded, hash, &digest),
            Padding::Pss => padding::is_pss(&encoded, key.bits(), hash, &digest),
        })
    }
}

impl Exportable for Rsa {
    fn algorithm(&self) -> Algorithm {
        match (self.padding, self.hash) {
            (Padding::Pkcs1, Hash::Sha256) => Algorithm::Rs256,
            (Padding::Pkcs1, Hash::Sha384) => Algorithm::Rs384,
            (Padding::Pkcs1, Hash::Sha512) => Algorithm::Rs512,
            (Padding::Pss, Hash::Sha256) => Algorithm::Ps256,
            (Padding::Pss, Hash::Sha384) => Algorithm::Ps384,
            (Padding::Pss, Hash::Sha512) => Algorithm::Ps512,
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
