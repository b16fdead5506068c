//! RS* and PS*: RFC 7518 sections 3.3 and 3.5, RFC 8017.
//!
//! Only what is public is ever here, so that nothing depends on how long the
//! arithmetic takes.

use std::borrow::Cow;

use jwt_compact::{Algorithm, AlgorithmSignature};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss as PssPadding;
use rsa::traits::SignatureScheme;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::der;
use super::native::Exportable;
use super::seam::Never;
use super::{Hash, KeyError};

/// RFC 7518 section 3.3 asks for the lower bound. The upper one bounds what a
/// signature costs: twice the size is four times the work.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key that was found good, ready for use.
pub(super) struct RsaKey {
    public: RsaPublicKey,
    /// Big endian, without leading zeros.
    modulus: Box<[u8]>,
    exponent: u32,
    spki: Box<[u8]>,
}

impl RsaKey {
    /// Takes unsigned big-endian numbers. Leading zeros are let pass: RFC 7518
    /// section 6.3.1.1 forbids them, many key sets have one.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let modulus = der::trim(modulus);
        let bits = bit_length(modulus);
        if !MODULUS_BITS.contains(&bits) {
            return Err(KeyError::RsaModulusSize { bits });
        }
        if modulus.last().is_none_or(|octet| octet % 2 == 0) {
            return Err(KeyError::RsaModulusEven);
        }
        let exponent = exponent_value(exponent).ok_or(KeyError::RsaExponent)?;
        let number = BoxedUint::from_be_slice(modulus, u32::try_from(bits).unwrap_or(u32::MAX))
            .map_err(|_| KeyError::RsaModulusSize { bits })?;
        let public = RsaPublicKey::new_with_size_limits(
            number,
            BoxedUint::from(u64::from(exponent)),
            MODULUS_BITS,
        )
        .map_err(|_| KeyError::RsaRefused)?;
        Ok(Self {
            public,
            modulus: modulus.into(),
            exponent,
            spki: der::rsa_public_key(modulus, &exponent.to_be_bytes()),
        })
    }

    /// The modulus, without leading zeros.
    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent.
    pub(super) fn exponent(&self) -> u32 {
        self.exponent
    }

    /// RFC 8017 section 8.2.2 step 1 and section 5.2.2 step 1: as long as the
    /// modulus, and less. At equal length, octets compare as numbers do.
    fn admits(&self, signature: &RsaSignature) -> bool {
        signature.0.len() == self.modulus.len() && signature.0 < self.modulus
    }
}

fn bit_length(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |octet| octet.leading_zeros());
    number
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(unused).unwrap_or(0))
}

/// An odd number of 3 to 2^32 - 1. With 1 every text would be its own
/// signature; a long one costs as much as signing does.
fn exponent_value(exponent: &[u8]) -> Option<u32> {
    let exponent = der::trim(exponent);
    let mut octets = [0; 4];
    let start = octets.len().checked_sub(exponent.len())?;
    octets.get_mut(start..)?.copy_from_slice(exponent);
    let exponent = u32::from_be_bytes(octets);
    (exponent >= 3 && exponent % 2 == 1).then_some(exponent)
}

/// The signature's octets; what they must be depends on the key.
pub(super) struct RsaSignature(Box<[u8]>);

impl AlgorithmSignature for RsaSignature {
    fn try_from_slice(octets: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(octets.into()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// RSASSA-PKCS1-v1_5.
pub(super) struct Pkcs1(pub(super) Hash);

impl Algorithm for Pkcs1 {
    type SigningKey = Never;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            Hash::Sha256 => "RS256",
            Hash::Sha384 => "RS384",
            Hash::Sha512 => "RS512",
        })
    }

    fn sign(&self, key: &Never, _: &[u8]) -> RsaSignature {
        match *key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, key: &RsaKey, message: &[u8]) -> bool {
        match self.0 {
            Hash::Sha256 => check::<Sha256>(Pkcs1v15Sign::new::<Sha256>(), key, message, signature),
            Hash::Sha384 => check::<Sha384>(Pkcs1v15Sign::new::<Sha384>(), key, message, signature),
            Hash::Sha512 => check::<Sha512>(Pkcs1v15Sign::new::<Sha512>(), key, message, signature),
        }
    }
}

impl Exportable for Pkcs1 {
    fn hash(&self) -> Hash {
        self.0
    }

    fn spki(key: &RsaKey) -> &[u8] {
        &key.spki
    }

    fn export(signature: &RsaSignature) -> Cow<'_, [u8]> {
        Cow::Borrowed(&signature.0)
    }

    fn admits(key: &RsaKey, signature: &RsaSignature) -> bool {
        key.admits(signature)
    }
}

/// RSASSA-PSS with one hash throughout and a salt as long as it.
pub(super) struct Pss(pub(super) Hash);

impl Algorithm for Pss {
    type SigningKey = Never;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            Hash::Sha256 => "PS256",
            Hash::Sha384 => "PS384",
            Hash::Sha512 => "PS512",
        })
    }

    fn sign(&self, key: &Never, _: &[u8]) -> RsaSignature {
        match *key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, key: &RsaKey, message: &[u8]) -> bool {
        match self.0 {
            Hash::Sha256 => check::<Sha256>(PssPadding::<Sha256>::new(), key, message, signature),
            Hash::Sha384 => check::<Sha384>(PssPadding::<Sha384>::new(), key, message, signature),
            Hash::Sha512 => check::<Sha512>(PssPadding::<Sha512>::new(), key, message, signature),
        }
    }
}

fn check<D: Digest>(
    scheme: impl SignatureScheme,
    key: &RsaKey,
    message: &[u8],
    signature: &RsaSignature,
) -> bool {
    key.admits(signature)
        && key
            .public
            .verify(scheme, &D::digest(message), &signature.0)
            .is_ok()
}
