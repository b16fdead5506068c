//! RSA public keys: RFC 7518 section 6.3.1.

use super::power::PublicPower;
use super::{RsaSignature, der};
use crate::crypto::KeyError;

/// RFC 7518 section 3.3 asks for the lower bound. The upper one bounds what a
/// signature costs: twice the size is four times the work.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key that was found good, ready for use.
pub(in crate::crypto) struct RsaKey {
    power: PublicPower,
    /// Big endian, without leading zeros.
    modulus: Box<[u8]>,
    bits: usize,
    exponent: u32,
    spki: Box<[u8]>,
}

impl RsaKey {
    /// Takes unsigned big-endian numbers. Leading zeros are let pass: RFC 7518
    /// section 6.3.1.1 forbids them, many key sets have one.
    pub(in crate::crypto) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let modulus = der::trim(modulus);
        let bits = bit_length(modulus);
        if !MODULUS_BITS.contains(&bits) {
            return Err(KeyError::RsaModulusSize { bits });
        }
        if modulus.last().is_none_or(|octet| octet % 2 == 0) {
            return Err(KeyError::RsaModulusEven);
        }
        let exponent = exponent_value(exponent).ok_or(KeyError::RsaExponent)?;
        Ok(Self {
            power: PublicPower::new(modulus, exponent).ok_or(KeyError::RsaModulusEven)?,
            modulus: modulus.into(),
            bits,
            exponent,
            spki: der::rsa_public_key(modulus, &exponent.to_be_bytes()),
        })
    }

    /// The modulus, without leading zeros.
    pub(in crate::crypto) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// How many bits the modulus has.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// The public exponent.
    pub(in crate::crypto) fn exponent(&self) -> u32 {
        self.exponent
    }

    /// The key as a DER `SubjectPublicKeyInfo`.
    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// RFC 8017 section 8.2.2 step 1 and section 5.2.2 step 1: as long as the
    /// modulus, and less. At equal length, octets compare as numbers do.
    pub(super) fn admits(&self, signature: &RsaSignature) -> bool {
        signature.0.len() == self.modulus.len() && signature.0 < self.modulus
    }

    /// What was signed, as long as the modulus, if the signature is admitted.
    pub(super) fn open(&self, signature: &RsaSignature) -> Option<Box<[u8]>> {
        if !self.admits(signature) {
            return None;
        }
        self.power.raise(&signature.0)
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
