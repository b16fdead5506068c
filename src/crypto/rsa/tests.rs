//! Comparison with another implementation, and forged signatures.
//!
//! A party that knows the factors of a modulus can sign with it. The moduli here are
//! primes, with one factor. So tests can sign anything, including what no honest signer
//! would, with moduli of every length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a failed test reports the error at its origin"
)]

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, NonZero, Resize};

use crate::crypto::{Algorithm, Hash, NoHostSignatures, VerifyingKey};

mod pkcs1;
mod pss;

const MESSAGE: &[u8] = b"header.payload";
const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

/// Primes, as the number of bits and the distance from the power of two below or above.
/// With 2049 bits, the encoded message of PSS is one byte shorter than the modulus. With
/// 2055 and 2056 bits, its first byte has six and seven bits.
const PRIMES: [(u32, i16); 6] = [
    (2048, -2543),
    (2049, 3211),
    (2055, 4165),
    (2056, -3527),
    (3072, 7755),
    (4096, -2549),
];

/// The last exponent is the product of three, five, 17, 257 and 65537.
const EXPONENTS: [u32; 4] = [3, 17, 65_537, 0xFFFF_FFFF];

/// A signer of arbitrary encodings.
struct Forger {
    modulus: BoxedMontyParams,
    private: BoxedUint,
    n: Vec<u8>,
    bits: usize,
    exponent: u32,
    key: VerifyingKey,
}

impl Forger {
    fn new((bits, distance): (u32, i16), exponent: u32) -> Self {
        let one = BoxedUint::one_with_precision(bits);
        let limit = u64::from(distance.unsigned_abs());
        let modulus = if distance < 0 {
            let largest = one
                .shl(bits - 1)
                .wrapping_sub(&one)
                .shl(1)
                .wrapping_add(&one);
            largest.wrapping_sub(BoxedUint::from(limit - 1).resize(bits))
        } else {
            one.shl(bits - 1)
                .wrapping_add(BoxedUint::from(limit).resize(bits))
        };
        let n = modulus.to_be_bytes_trimmed_vartime().to_vec();
        // The inverse of the exponent, modulo the order of the group.
        let order = NonZero::new(modulus.wrapping_sub(&one)).unwrap();
        let private = BoxedUint::from(u64::from(exponent)).resize(order.bits_precision());
        Self {
            private: private.invert_mod(&order).unwrap(),
            modulus: BoxedMontyParams::new_vartime(modulus.to_odd().unwrap()),
            key: VerifyingKey::rsa(&n, &exponent.to_be_bytes()).unwrap(),
            n,
            bits: usize::try_from(bits).unwrap(),
            exponent,
        }
    }

    fn each() -> impl Iterator<Item = Self> {
        let pairs = PRIMES
            .into_iter()
            .flat_map(|prime| EXPONENTS.map(|e| (prime, e)));
        pairs.map(|(prime, exponent)| Self::new(prime, exponent))
    }

    /// The size of the modulus, in bytes.
    fn octets(&self) -> usize {
        self.n.len()
    }

    /// The signature whose power is `encoded`.
    fn sign(&self, encoded: &[u8]) -> Vec<u8> {
        assert_eq!(encoded.len(), self.octets());
        let precision = self.modulus.bits_precision();
        let encoded = BoxedUint::from_be_slice(encoded, precision).unwrap();
        let signature = BoxedMontyForm::new(encoded, &self.modulus).pow(&self.private);
        let octets = signature.retrieve().to_be_bytes();
        octets[octets.len() - self.octets()..].to_vec()
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.key
            .verify(algorithm, message, signature, &NoHostSignatures)
    }

    /// The result of the other implementation.
    fn other_verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let (n, e) = (&self.n[..], self.exponent.to_be_bytes());
        let e = &e[e.iter().position(|octet| *octet != 0).unwrap()..];
        let key = RsaPublicKeyComponents { n, e };
        key.verify(parameters(algorithm), message, signature)
            .is_ok()
    }

    /// Checks that both implementations give the expected result.
    #[track_caller]
    fn judge(&self, algorithm: Algorithm, message: &[u8], signature: &[u8], expected: bool) {
        let name = format!("{algorithm} {} bits, exponent {}", self.bits, self.exponent);
        assert_eq!(
            self.verify(algorithm, message, signature),
            expected,
            "{name}"
        );
        let other = self.other_verifies(algorithm, message, signature);
        assert_eq!(other, expected, "{name}, by the other");
    }
}

fn parameters(algorithm: Algorithm) -> &'static RsaParameters {
    match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        other => panic!("{other} is not RSA"),
    }
}

/// The signature with each of its bits flipped in turn.
fn flipped(signature: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..8 * signature.len()).map(|bit| {
        let mut flipped = signature.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}
