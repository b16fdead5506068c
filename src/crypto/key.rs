//! Validated key material.

use std::fmt;
use std::sync::Arc;

use super::algorithm::Family;
use super::ecdsa::{EcKey, Ecdsa, NistCurve, P256, P384, P521};
use super::eddsa::{Ed25519, Ed25519Key};
use super::hmac::{Hmac, HmacKey};
use super::host_signatures::{Exportable, HostFirst};
use super::rsa::{Rsa, RsaKey};
use super::tables::Tables;
use super::{Algorithm, Curve, Fingerprint, Hash, HostSignatures, seam};
use crate::memory::Budget;

/// A key for verifying signatures. Copies share the material.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Prepared>);

/// The cost of [`VerifyingKey::prepare`]. The higher the cost, the fewer keys should be
/// prepared. The first key of a kind costs the same again, for the table that all keys of
/// the kind share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// Ed25519: 128 KiB, and as much time as twenty verifications.
    Small,
    /// P-521: 420 KiB, and as much time as a hundred verifications.
    Large,
}

struct Prepared {
    material: Material,
    fingerprint: Fingerprint,
}

/// The key material. Everything that depends only on the key is computed when it is
/// loaded.
enum Material {
    Rsa(RsaKey),
    P256(EcKey<P256>),
    P384(EcKey<P384>),
    P521(EcKey<P521>),
    Ed25519(Ed25519Key),
    Hmac(Box<HmacKey>),
}

impl VerifyingKey {
    /// Makes an RSA key for RS* and PS* from an unsigned big-endian modulus and exponent.
    ///
    /// # Errors
    ///
    /// The modulus has fewer than 2048 or more than 8192 bits, or is even. The exponent
    /// is even, 1, or longer than 32 bits.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let key = RsaKey::new(n, e)?;
        let parts = [key.modulus(), &key.exponent().to_be_bytes()];
        let fingerprint = Fingerprint::of("RSA", &parts);
        Ok(Self::prepared(Material::Rsa(key), fingerprint))
    }

    /// Makes a key for the ES* of this curve from big-endian coordinates.
    ///
    /// # Errors
    ///
    /// A coordinate has a wrong length, or the point is not on the curve.
    pub fn ec(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        match curve {
            Curve::P256 => Self::on_curve("P-256", x, y, Material::P256),
            Curve::P384 => Self::on_curve("P-384", x, y, Material::P384),
            Curve::P521 => Self::on_curve("P-521", x, y, Material::P521),
        }
    }

    fn on_curve<C: NistCurve>(
        kind: &str,
        x: &[u8],
        y: &[u8],
        material: fn(EcKey<C>) -> Material,
    ) -> Result<Self, KeyError> {
        let key = EcKey::new(x, y)?;
        let fingerprint = Fingerprint::of(kind, &[key.sec1()]);
        Ok(Self::prepared(material(key), fingerprint))
    }

    /// Makes an Ed25519 key for `EdDSA` from the 32 bytes of RFC 8032.
    ///
    /// # Errors
    ///
    /// The length is not 32 bytes, or the bytes are not a point, are a point of small
    /// order, or are not its canonical encoding.
    pub fn ed25519(x: &[u8]) -> Result<Self, KeyError> {
        let key = Ed25519Key::new(x)?;
        let fingerprint = Fingerprint::of("Ed25519", &[key.octets()]);
        Ok(Self::prepared(Material::Ed25519(key), fingerprint))
    }

    /// Makes a key from a shared secret, for each HS* whose hash is not longer than the
    /// secret.
    ///
    /// # Errors
    ///
    /// The secret has fewer than 32 bytes.
    pub fn hmac(k: &[u8]) -> Result<Self, KeyError> {
        let key = HmacKey::new(k)?;
        let fingerprint = Fingerprint::of("HMAC", &[k]);
        Ok(Self::prepared(Material::Hmac(Box::new(key)), fingerprint))
    }

    /// Builds tables that speed up verification with this key and its copies, at the
    /// [cost](Preparation) of time and memory. They exist as long as the returned value.
    /// Returns `None` if there are no tables for this kind of key, or if the tables of
    /// other keys have used up the budget.
    #[must_use]
    pub fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        self.0.material.tabled()?.prepare(budget)
    }

    /// Whether the key has tables now.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        let tabled = self.0.material.tabled();
        tabled.is_some_and(Tabled::is_prepared)
    }

    /// The cost of tables for this key. `None` if there are no tables for its kind.
    #[must_use]
    pub fn preparation(&self) -> Option<Preparation> {
        self.0.material.tabled().map(Tabled::preparation)
    }

    fn prepared(material: Material, fingerprint: Fingerprint) -> Self {
        Self(Arc::new(Prepared {
            material,
            fingerprint,
        }))
    }

    /// Whether the key can verify signatures of `algorithm`.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.0.material.matched(algorithm).is_some()
    }

    /// The identity of the material.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.0.fingerprint
    }

    /// Whether `signature` is a valid signature of this key over `message` with
    /// `algorithm`. False if the key does not [fit](Self::fits) the algorithm.
    #[must_use]
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        host_signatures: &dyn HostSignatures,
    ) -> bool {
        let Some(matched) = self.0.material.matched(algorithm) else {
            return false;
        };
        match matched {
            Matched::Rsa(key, rsa) => by_host_first(rsa, key, message, signature, host_signatures),
            Matched::P256(key) => {
                by_host_first(Ecdsa::new(), key, message, signature, host_signatures)
            }
            Matched::P384(key) => {
                by_host_first(Ecdsa::new(), key, message, signature, host_signatures)
            }
            Matched::P521(key) => {
                by_host_first(Ecdsa::new(), key, message, signature, host_signatures)
            }
            Matched::Ed25519(key) => {
                by_host_first(Ed25519, key, message, signature, host_signatures)
            }
            Matched::Hmac(key, hash) => seam::verify(&Hmac(hash), key, message, signature),
        }
    }
}

/// A key with an algorithm of its kind.
enum Matched<'k> {
    Rsa(&'k RsaKey, Rsa),
    P256(&'k EcKey<P256>),
    P384(&'k EcKey<P384>),
    P521(&'k EcKey<P521>),
    Ed25519(&'k Ed25519Key),
    Hmac(&'k HmacKey, Hash),
}

impl Material {
    /// Maps kinds of keys to algorithms; no other code does.
    fn matched(&self, algorithm: Algorithm) -> Option<Matched<'_>> {
        Some(match (self, algorithm.family()) {
            (Self::Rsa(key), Family::Rsa(padding, hash)) => {
                Matched::Rsa(key, Rsa { padding, hash })
            }
            (Self::P256(key), Family::Ecdsa(Curve::P256)) => Matched::P256(key),
            (Self::P384(key), Family::Ecdsa(Curve::P384)) => Matched::P384(key),
            (Self::P521(key), Family::Ecdsa(Curve::P521)) => Matched::P521(key),
            (Self::Ed25519(key), Family::EdDsa) => Matched::Ed25519(key),
            (Self::Hmac(key), Family::Hmac(hash)) if key.serves(hash) => Matched::Hmac(key, hash),
            _ => return None,
        })
    }

    /// The key, if tables exist for its kind.
    fn tabled(&self) -> Option<&dyn Tabled> {
        match self {
            Self::Ed25519(key) => Some(key),
            Self::P521(key) => Some(key),
            Self::Rsa(_) | Self::P256(_) | Self::P384(_) | Self::Hmac(_) => None,
        }
    }
}

/// A key for which precomputed tables speed up verification.
trait Tabled {
    fn prepare(&self, budget: &'static Budget) -> Option<Tables>;
    fn is_prepared(&self) -> bool;
    fn preparation(&self) -> Preparation;
}

impl Tabled for Ed25519Key {
    fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        self.prepare(budget)
    }

    fn is_prepared(&self) -> bool {
        self.is_prepared()
    }

    fn preparation(&self) -> Preparation {
        Preparation::Small
    }
}

impl Tabled for EcKey<P521> {
    fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        self.prepare(budget)
    }

    fn is_prepared(&self) -> bool {
        self.is_prepared()
    }

    fn preparation(&self) -> Preparation {
        Preparation::Large
    }
}

/// Verifies with the host where it is faster.
fn by_host_first<A: Exportable>(
    algorithm: A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
    host_signatures: &dyn HostSignatures,
) -> bool {
    seam::verify(
        &HostFirst {
            algorithm,
            host_signatures,
        },
        key,
        message,
        signature,
    )
}

impl fmt::Debug for VerifyingKey {
    /// `Debug` shows only the kind.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0.material {
            Material::Rsa(_) => "VerifyingKey(RSA)",
            Material::P256(_) => "VerifyingKey(P-256)",
            Material::P384(_) => "VerifyingKey(P-384)",
            Material::P521(_) => "VerifyingKey(P-521)",
            Material::Ed25519(_) => "VerifyingKey(Ed25519)",
            Material::Hmac(_) => "VerifyingKey(HMAC)",
        })
    }
}

/// Why key material is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// The RSA modulus has fewer than 2048 or more than 8192 bits.
    RsaModulusSize {
        /// The number of bits, without leading zeros.
        bits: usize,
    },
    /// The RSA modulus is even, so it is not the product of two large primes.
    RsaModulusEven,
    /// The RSA exponent is even, 1, or longer than 32 bits.
    RsaExponent,
    /// A coordinate has a wrong length.
    CoordinateLength,
    /// The point is not on the curve.
    OffCurve,
    /// The Ed25519 point has small order or a non-canonical encoding.
    WeakPoint,
    /// The shared secret has fewer than 32 bytes.
    SecretTooShort,
}

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaModulusSize { bits } => {
                write!(out, "RSA modulus of {bits} bits, not 2048 to 8192")
            }
            Self::RsaModulusEven => out.write_str("even RSA modulus"),
            Self::RsaExponent => {
                out.write_str("RSA exponent is not an odd number of 3 to 2^32 - 1")
            }
            Self::CoordinateLength => out.write_str("coordinate of a wrong length for the curve"),
            Self::OffCurve => out.write_str("not a point of the curve"),
            Self::WeakPoint => out.write_str("weak or ambiguous Ed25519 point"),
            Self::SecretTooShort => out.write_str("secret shorter than 32 octets"),
        }
    }
}

impl std::error::Error for KeyError {}
