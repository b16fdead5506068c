//! RSA public keys (RFC 7518 section 6.3.1).

use super::power::PublicPower;
use super::{RsaSignature, der};
use crate::crypto::KeyError;
use crate::crypto::host_signatures::ExportedKey;

/// The permitted sizes of a modulus, in bits. RFC 7518 section 3.3 requires the lower
/// limit. The upper limit bounds the cost of a verification: twice the size takes four
/// times the time.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A validated public key, ready for use.
pub(in crate::crypto) struct RsaKey {
    power: PublicPower,
    /// The modulus, big-endian without leading zeros.
    modulus: Box<[u8]>,
    bits: usize,
    exponent: u32,
    exported: ExportedKey,
}

impl RsaKey {
    /// Makes a key from unsigned big-endian numbers. Leading zeros are accepted: RFC 7518
    /// section 6.3.1.1 forbids them, but many key sets have one.
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
            exported: ExportedKey::new(der::rsa_public_key(modulus, &exponent.to_be_bytes())),
        })
    }

    /// The modulus, without leading zeros.
    pub(in crate::crypto) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The number of bits of the modulus.
    pub(super) fn bits(&self) -> usize {
        self.bits
    }

    /// The public exponent.
    pub(in crate::crypto) fn exponent(&self) -> u32 {
        self.exponent
    }

    /// The key in the form that hosts expect.
    pub(super) fn exported(&self) -> &ExportedKey {
        &self.exported
    }

    /// Whether the signature is as long as the modulus and less than it (RFC 8017 section
    /// 8.2.2 step 1 and section 5.2.2 step 1). At equal length, bytes compare like
    /// numbers.
    pub(super) fn admits(&self, signature: &RsaSignature) -> bool {
        signature.0.len() == self.modulus.len() && signature.0 < self.modulus
    }

    /// The encoded message, as long as the modulus. `None` if the signature is not
    /// admitted.
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

/// Decodes an exponent, which must be odd and between 3 and 2^32 - 1. With 1, every text
/// would be its own signature. A long exponent makes verification as expensive as
/// signing.
fn exponent_value(exponent: &[u8]) -> Option<u32> {
    let exponent = der::trim(exponent);
    let mut octets = [0; 4];
    let start = octets.len().checked_sub(exponent.len())?;
    octets.get_mut(start..)?.copy_from_slice(exponent);
    let exponent = u32::from_be_bytes(octets);
    (exponent >= 3 && exponent % 2 == 1).then_some(exponent)
}
