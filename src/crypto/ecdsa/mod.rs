//! ECDSA (RFC 7518 section 3.4).
//!
//! Each curve has its own hash. A signature consists of `r` and `s` in equal halves of
//! full length, each in 1..n. `s` may be in the upper half, because RFC 7518 does not
//! restrict it.

mod precomputed;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::OnceLock;

use jwt_compact::AlgorithmSignature;
use p256::ecdsa::signature::Verifier;

use super::host_signatures::{Exportable, ExportedKey};
use super::seam::{Malformed, Never};
use super::tables::{Slot, Tables};
use super::{Algorithm, Hash, KeyError, der};
use crate::memory::Budget;
use precomputed::{PrecomputedTable, Table};

/// A curve of RFC 7518 section 6.2.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Curve {
    /// NIST P-256, with SHA-256
    P256,
    /// NIST P-384, with SHA-384
    P384,
    /// NIST P-521, with SHA-512
    P521,
}

/// A curve as a type.
pub(in crate::crypto) trait NistCurve {
    const ALGORITHM: Algorithm;
    const HASH: Hash;
    /// The curve's object identifier (RFC 5480 section 2.1.1.1).
    const IDENTIFIER: &'static [u8];
    /// The size of a coordinate, and of each half of a signature, in bytes.
    const COORDINATE: usize;
    /// The size of a signature, in bytes.
    const SIGNATURE: Option<NonZeroUsize>;

    type Point: Verifier<Self::Scalars>;
    type Scalars;
    type PrecomputedTable: Send + Sync + 'static;

    /// Decodes a SEC 1 point. Returns `None` if it is not on the curve.
    fn point(sec1: &[u8]) -> Option<Self::Point>;
    /// Decodes `r` and `s`. Returns `None` if one is zero or not less than the order.
    fn scalars(raw: &[u8]) -> Option<Self::Scalars>;
    /// Builds the table of a point, if verification with it is faster than in a host and
    /// there is room for it.
    fn multiples(point: &Self::Point, budget: &'static Budget) -> Option<Self::PrecomputedTable>;
    /// Verifies a signature with the table of a key.
    fn verify_by(
        multiples: &Self::PrecomputedTable,
        digest: &[u8],
        scalars: &Self::Scalars,
    ) -> bool;
}

macro_rules! multiples {
    ($crate_name:ident without) => {
        type PrecomputedTable = Never;

        fn multiples(_: &Self::Point, _: &'static Budget) -> Option<Never> {
            None
        }

        fn verify_by(multiples: &Never, _: &[u8], _: &Self::Scalars) -> bool {
            match *multiples {}
        }
    };
    ($crate_name:ident of $curve:ident by $window:literal) => {
        type PrecomputedTable = PrecomputedTable<$crate_name::$curve, $window>;

        fn multiples(
            point: &Self::Point,
            budget: &'static Budget,
        ) -> Option<Self::PrecomputedTable> {
            static BASE: OnceLock<Table<$crate_name::$curve, $window>> = OnceLock::new();
            let base = || BASE.get_or_init(|| Table::new($crate_name::ProjectivePoint::GENERATOR));
            PrecomputedTable::new(base, (*point.as_affine()).into(), budget)
        }

        fn verify_by(
            multiples: &Self::PrecomputedTable,
            digest: &[u8],
            scalars: &Self::Scalars,
        ) -> bool {
            let (r, s) = scalars.split_scalars();
            multiples.verify(digest, &r, &s).unwrap_or(false)
        }
    };
}

macro_rules! nist_curve {
    ($type:ident, $crate_name:ident, $algorithm:ident, $hash:ident, $octets:literal, $identifier:expr, $($multiples:tt)+) => {
        pub(in crate::crypto) struct $type;

        impl NistCurve for $type {
            const ALGORITHM: Algorithm = Algorithm::$algorithm;
            const HASH: Hash = Hash::$hash;
            const IDENTIFIER: &'static [u8] = &$identifier;
            const COORDINATE: usize = $octets;
            const SIGNATURE: Option<NonZeroUsize> = NonZeroUsize::new(2 * $octets);

            type Point = $crate_name::ecdsa::VerifyingKey;
            type Scalars = $crate_name::ecdsa::Signature;

            fn point(sec1: &[u8]) -> Option<Self::Point> {
                Self::Point::from_sec1_bytes(sec1).ok()
            }

            fn scalars(raw: &[u8]) -> Option<Self::Scalars> {
                Self::Scalars::from_slice(raw).ok()
            }

            multiples!($crate_name $($multiples)+);
        }
    };
}

nist_curve!(
    P256,
    p256,
    Es256,
    Sha256,
    32,
    [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07],
    without
);
nist_curve!(
    P384,
    p384,
    Es384,
    Sha384,
    48,
    [0x2B, 0x81, 0x04, 0x00, 0x22],
    without
);
nist_curve!(
    P521,
    p521,
    Es512,
    Sha512,
    66,
    [0x2B, 0x81, 0x04, 0x00, 0x23],
    of NistP521 by 6
);

/// A point on the curve, ready for use.
pub(in crate::crypto) struct EcKey<C: NistCurve> {
    point: C::Point,
    multiples: Slot<C::PrecomputedTable>,
    /// The uncompressed SEC 1 encoding.
    sec1: Box<[u8]>,
    exported: ExportedKey,
}

impl<C: NistCurve> EcKey<C> {
    /// Makes a key from coordinates of full length (RFC 7518 section 6.2.1.2).
    pub(in crate::crypto) fn new(x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != C::COORDINATE || y.len() != C::COORDINATE {
            return Err(KeyError::CoordinateLength);
        }
        let sec1 = [&[4], x, y].concat().into_boxed_slice();
        Ok(Self {
            point: C::point(&sec1).ok_or(KeyError::OffCurve)?,
            multiples: Slot::empty(),
            exported: ExportedKey::new(der::ec_public_key(C::IDENTIFIER, &sec1)),
            sec1,
        })
    }

    /// Builds the tables of this key, if its curve has tables and there is room for them.
    pub(in crate::crypto) fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        let make = || C::multiples(&self.point, budget);
        self.multiples.get_or_make(make).map(Tables::new)
    }

    /// Whether the key has tables.
    pub(in crate::crypto) fn is_prepared(&self) -> bool {
        self.multiples.get().is_some()
    }

    /// The uncompressed SEC 1 encoding of the point.
    pub(in crate::crypto) fn sec1(&self) -> &[u8] {
        &self.sec1
    }
}

/// A signature with `r` and `s` in range.
pub(in crate::crypto) struct EcSignature<C: NistCurve> {
    scalars: C::Scalars,
    raw: Box<[u8]>,
}

impl<C: NistCurve> AlgorithmSignature for EcSignature<C> {
    const LENGTH: Option<NonZeroUsize> = C::SIGNATURE;

    fn try_from_slice(raw: &[u8]) -> anyhow::Result<Self> {
        Ok(Self {
            scalars: C::scalars(raw).ok_or(Malformed)?,
            raw: raw.into(),
        })
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.raw)
    }
}

/// ECDSA on one curve, with the hash of this curve.
pub(in crate::crypto) struct Ecdsa<C>(PhantomData<C>);

impl<C> Ecdsa<C> {
    pub(in crate::crypto) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<C: NistCurve> jwt_compact::Algorithm for Ecdsa<C> {
    type SigningKey = Never;
    type VerifyingKey = EcKey<C>;
    type Signature = EcSignature<C>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(C::ALGORITHM.name())
    }

    fn sign(&self, key: &Never, _: &[u8]) -> EcSignature<C> {
        match *key {}
    }

    fn verify_signature(&self, signature: &EcSignature<C>, key: &EcKey<C>, message: &[u8]) -> bool {
        match key.multiples.get() {
            Some(multiples) => {
                let digest = C::HASH.digest(&[message]);
                C::verify_by(&multiples, &digest, &signature.scalars)
            }
            None => key.point.verify(message, &signature.scalars).is_ok(),
        }
    }
}

impl<C: NistCurve> Exportable for Ecdsa<C> {
    fn algorithm(&self) -> Algorithm {
        C::ALGORITHM
    }

    fn exported(key: &EcKey<C>) -> &ExportedKey {
        &key.exported
    }

    fn export(signature: &EcSignature<C>) -> Cow<'_, [u8]> {
        Cow::Owned(der::ecdsa_signature(&signature.raw))
    }

    /// With tables, verification is faster than in the host.
    fn is_faster(key: &EcKey<C>) -> bool {
        key.is_prepared()
    }

    /// Length and range were checked when the signature was parsed.
    fn admits(_: &EcKey<C>, _: &EcSignature<C>) -> bool {
        true
    }
}
