//! The hash functions of RFC 7518.

use sha2::{Digest, Sha256, Sha384, Sha512};

/// A member of the SHA-2 family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Hash {
    /// The digest's length in bytes.
    #[must_use]
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of the concatenated parts.
    pub(super) fn digest(self, parts: &[&[u8]]) -> Box<[u8]> {
        match self {
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha384 => digest::<Sha384>(parts),
            Self::Sha512 => digest::<Sha512>(parts),
        }
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Box<[u8]> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().as_slice().into()
}
