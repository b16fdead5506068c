//! Key material that was found good.

use std::fmt;
use std::sync::Arc;

use super::algorithm::Family;
use super::ecdsa::{EcKey, Ecdsa, NistCurve, P256, P384, P521};
use super::eddsa::{Ed25519, Ed25519Key};
use super::hmac::{Hmac, HmacKey};
use super::host_signatures::{Exportable, HostFirst};
use super::rsa::{Pkcs1, Pss, RsaKey};
use super::tables::Tables;
use super::{Algorithm, Curve, Fingerprint, Hash, HostSignatures, seam};
use crate::memory::Budget;

/// A key that signatures can be checked with. Copies share the material.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Prepared>);

/// What [`VerifyingKey::prepare`] takes: the more, the fewer keys should have
/// it. The first key of a kind takes as much again, for what all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preparation {
    /// 128 KiB, and as long as twenty checks: Ed25519.
    Small,
    /// 420 KiB, and as long as a hundred checks: P-521.
    Large,
}

struct Prepared {
    material: Material,
    fingerprint: Fingerprint,
}

/// Everything that depends on the key alone is worked out when it is loaded.
enum Material {
    Rsa(RsaKey),
    P256(EcKey<P256>),
    P384(EcKey<P384>),
    P521(EcKey<P521>),
    Ed25519(Ed25519Key),
    Hmac(Box<HmacKey>),
}

impl VerifyingKey {
    /// An RSA key, for RS* and PS*: unsigned big-endian modulus and exponent.
    ///
    /// # Errors
    ///
    /// The modulus has fewer than 2048 or more than 8192 bits or is even; the
    /// exponent is even, 1, or has more than 32 bits.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let key = RsaKey::new(n, e)?;
        let parts = [key.modulus(), &key.exponent().to_be_bytes()];
        let fingerprint = Fingerprint::of("RSA", &parts);
        Ok(Self::prepared(Material::Rsa(key), fingerprint))
    }

    /// A point on a curve, for that curve's ES*: big-endian coordinates.
    ///
    /// # Errors
    ///
    /// A coordinate is shorter or longer than the curve's, or the point is not
    /// on it.
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

    /// An Ed25519 key, for `EdDSA`: the 32 octets of RFC 8032.
    ///
    /// # Errors
    ///
    /// There are more or fewer octets, they are no point, or they are one of
    /// small order or not in its canonical encoding.
    pub fn ed25519(x: &[u8]) -> Result<Self, KeyError> {
        let key = Ed25519Key::new(x)?;
        let fingerprint = Fingerprint::of("Ed25519", &[key.octets()]);
        Ok(Self::prepared(Material::Ed25519(key), fingerprint))
    }

    /// A shared secret, for those HS* whose hash is not longer than it.
    ///
    /// # Errors
    ///
    /// It has fewer than 32 octets.
    pub fn hmac(k: &[u8]) -> Result<Self, KeyError> {
        let key = HmacKey::new(k)?;
        let fingerprint = Fingerprint::of("HMAC", &[k]);
        Ok(Self::prepared(Material::Hmac(Box::new(key)), fingerprint))
    }

    /// Makes checks with this key and its copies fast while the tables are kept,
    /// at the cost of [time and memory](Preparation). `None` where there is no
    /// such way, and where the tables of other keys have used up the budget.
    #[must_use]
    pub fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        self.0.material.tabled()?.prepare(budget)
    }

    /// Whether checks with this key are fast now.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        let tabled = self.0.material.tabled();
        tabled.is_some_and(Tabled::is_prepared)
    }

    /// What making checks with this key fast takes, where there is a way to.
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

    /// Whether signatures of `algorithm` can be checked with this key.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.0.material.matched(algorithm).is_some()
    }

    /// What identifies the material.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.0.fingerprint
    }

    /// Whether `signature` is this key's over `message` under `algorithm`.
    /// False where the key does not [fit](Self::fits).
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
            Matched::Pkcs1(key, hash) => {
                by_host_first(Pkcs1(hash), key, message, signature, host_signatures)
            }
            Matched::Pss(key, hash) => seam::verify(&Pss(hash), key, message, signature),
            Matched::P256(key) => {
                by_host_first(Ecdsa::new(), key, message, signature, host_signatures)
            }
            Matched::P384(key) => {
                by_host_first(Ecdsa::new(), key, message, signature, host_signatures)
            }
            Matched::P521(key) => {
                by_host_first(Ecdsa::new(), key, message, signature, host_signatures)
            }
            Matched::Ed25519(key) => seam::verify(&Ed25519, key, message, signature),
            Matched::Hmac(key, hash) => seam::verify(&Hmac(hash), key, message, signature),
        }
    }
}

/// A key, and an algorithm of its kind.
enum Matched<'k> {
    Pkcs1(&'k RsaKey, Hash),
    Pss(&'k RsaKey, Hash),
    P256(&'k EcKey<P256>),
    P384(&'k EcKey<P384>),
    P521(&'k EcKey<P521>),
    Ed25519(&'k Ed25519Key),
    Hmac(&'k HmacKey, Hash),
}

impl Material {
    /// The one place that says which key is for which algorithm.
    fn matched(&self, algorithm: Algorithm) -> Option<Matched<'_>> {
        Some(match (self, algorithm.family()) {
            (Self::Rsa(key), Family::Pkcs1(hash)) => Matched::Pkcs1(key, hash),
            (Self::Rsa(key), Family::Pss(hash)) => Matched::Pss(key, hash),
            (Self::P256(key), Family::Ecdsa(Curve::P256)) => Matched::P256(key),
            (Self::P384(key), Family::Ecdsa(Curve::P384)) => Matched::P384(key),
            (Self::P521(key), Family::Ecdsa(Curve::P521)) => Matched::P521(key),
            (Self::Ed25519(key), Family::EdDsa) => Matched::Ed25519(key),
            (Self::Hmac(key), Family::Hmac(hash)) if key.serves(hash) => Matched::Hmac(key, hash),
            _ => return None,
        })
    }

    /// The key as one that tables make faster, if it is of such a kind.
    fn tabled(&self) -> Option<&dyn Tabled> {
        match self {
            Self::Ed25519(key) => Some(key),
            Self::P521(key) => Some(key),
            Self::Rsa(_) | Self::P256(_) | Self::P384(_) | Self::Hmac(_) => None,
        }
    }
}

/// A key whose checks precomputed tables make faster.
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

/// Checks with the host's signatures where they are faster.
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
    /// The kind only.
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
    /// An RSA modulus below 2048 or above 8192 bits.
    RsaModulusSize {
        /// How many bits it has, leading zeros not counted.
        bits: usize,
    },
    /// An even RSA modulus: not the product of two large primes.
    RsaModulusEven,
    /// An RSA exponent that is even, 1, or longer than 32 bits.
    RsaExponent,
    /// A coordinate with too few or too many octets.
    CoordinateLength,
    /// No point of the curve.
    OffCurve,
    /// An Ed25519 point of small order or in a second spelling.
    WeakPoint,
    /// A shared secret of fewer than 32 octets.
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
