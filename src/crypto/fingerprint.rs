//! The identity of key material, independent of key IDs.

use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of a key's kind and material. Two documents that encode the same key
/// differently, or give it different IDs, result in the same fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a kind of key and its parts. Lengths are hashed too, so that
    /// different lists of parts have different digests.
    pub(super) fn of(kind: &str, parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in [kind.as_bytes()].iter().chain(parts) {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            digest.update(length.to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    /// `Debug` shows nothing, because a reader of the digest of a weak secret could guess
    /// the secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Fingerprint")
    }
}
