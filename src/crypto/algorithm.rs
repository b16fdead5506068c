//! Signature algorithms.

use std::fmt;

use super::rsa::Padding;
use super::{Curve, Hash};

/// A signature algorithm of RFC 7518 section 3 or RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    Rs512,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, 32 bytes of salt
    Ps256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, 48 bytes of salt
    Ps384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512, 64 bytes of salt
    Ps512,
    /// ECDSA on P-256 with SHA-256
    Es256,
    /// ECDSA on P-384 with SHA-384
    Es384,
    /// ECDSA on P-521 with SHA-512
    Es512,
    /// Ed25519; of the `EdDSA` curves the only one supported
    EdDsa,
    /// HMAC with SHA-256
    Hs256,
    /// HMAC with SHA-384
    Hs384,
    /// HMAC with SHA-512
    Hs512,
}

/// How an algorithm verifies signatures, with its parameters.
#[derive(Clone, Copy)]
pub(super) enum Family {
    Rsa(Padding, Hash),
    Ecdsa(Curve),
    EdDsa,
    Hmac(Hash),
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The algorithm with exactly this name. A fully specified name (RFC 9864) means the
    /// same algorithm: `Ed25519` is `EdDSA`, `ESP256` is `ES256`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" | "ESP256" => Self::Es256,
            "ES384" | "ESP384" => Self::Es384,
            "ES512" | "ESP512" => Self::Es512,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            _ => return None,
        })
    }

    /// The name in RFC 7518 or RFC 8037.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether the verification key can also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    pub(super) const fn family(self) -> Family {
        match self {
            Self::Rs256 => Family::Rsa(Padding::Pkcs1, Hash::Sha256),
            Self::Rs384 => Family::Rsa(Padding::Pkcs1, Hash::Sha384),
            Self::Rs512 => Family::Rsa(Padding::Pkcs1, Hash::Sha512),
            Self::Ps256 => Family::Rsa(Padding::Pss, Hash::Sha256),
            Self::Ps384 => Family::Rsa(Padding::Pss, Hash::Sha384),
            Self::Ps512 => Family::Rsa(Padding::Pss, Hash::Sha512),
            Self::Es256 => Family::Ecdsa(Curve::P256),
            Self::Es384 => Family::Ecdsa(Curve::P384),
            Self::Es512 => Family::Ecdsa(Curve::P521),
            Self::EdDsa => Family::EdDsa,
            Self::Hs256 => Family::Hmac(Hash::Sha256),
            Self::Hs384 => Family::Hmac(Hash::Sha384),
            Self::Hs512 => Family::Hmac(Hash::Sha512),
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::Rs256 => 1,
            Self::Rs384 => 1 << 1,
            Self::Rs512 => 1 << 2,
            Self::Ps256 => 1 << 3,
            Self::Ps384 => 1 << 4,
            Self::Ps512 => 1 << 5,
            Self::Es256 => 1 << 6,
            Self::Es384 => 1 << 7,
            Self::Es512 => 1 << 8,
            Self::EdDsa => 1 << 9,
            Self::Hs256 => 1 << 10,
            Self::Hs384 => 1 << 11,
            Self::Hs512 => 1 << 12,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// The algorithms whose verification keys cannot sign.
    #[must_use]
    pub fn asymmetric() -> Self {
        Algorithm::ALL
            .into_iter()
            .filter(|algorithm| !algorithm.is_symmetric())
            .collect()
    }

    /// Adds an algorithm. Returns false if the set already contains it.
    pub const fn insert(&mut self, algorithm: Algorithm) -> bool {
        let added = !self.contains(algorithm);
        self.0 |= algorithm.bit();
        added
    }

    /// Whether the set contains `algorithm`.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        let mut set = Self::EMPTY;
        for algorithm in algorithms {
            set.insert(algorithm);
        }
        set
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
    }

    #[test]
    fn fully_specified_names_are_the_same_algorithms() {
        assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
        assert_eq!(Algorithm::parse("ESP256"), Some(Algorithm::Es256));
        assert_eq!(Algorithm::parse("ESP384"), Some(Algorithm::Es384));
        assert_eq!(Algorithm::parse("ESP512"), Some(Algorithm::Es512));
    }

    #[test]
    fn other_names_and_spellings_are_refused() {
        for name in [
            "",
            "none",
            "None",
            "NONE",
            "es256",
            "Es256",
            "ES256 ",
            " ES256",
            "ES256\n",
            "ES256\0",
            "ES257",
            "ES521",
            "HS1",
            "HS2",
            "RS1",
            "ES256K",
            "Ed448",
            "eddsa",
            "EDDSA",
            "ED25519",
            "A256GCM",
            "dir",
            "RSA-OAEP",
            "RS256,ES256",
        ] {
            assert_eq!(Algorithm::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_set_contains_exactly_its_members() {
        for one in Algorithm::ALL {
            let set: AlgorithmSet = [one].into_iter().collect();
            for other in Algorithm::ALL {
                assert_eq!(set.contains(other), one == other);
            }
        }
        let mut set = AlgorithmSet::EMPTY;
        assert!(set.is_empty());
        assert!(set.insert(Algorithm::Es512));
        assert!(!set.insert(Algorithm::Es512));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Algorithm::Es512]);
        assert_eq!(format!("{set:?}"), "{Es512}");
    }

    #[test]
    fn only_hmac_is_symmetric() {
        let asymmetric = AlgorithmSet::asymmetric();
        assert_eq!(asymmetric.iter().count(), 10);
        assert!(!asymmetric.contains(Algorithm::Hs256));
        assert!(asymmetric.contains(Algorithm::Rs256));
    }
}
