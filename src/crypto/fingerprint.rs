//! What a key is, as opposed to what it is called.

use std::fmt;

use sha2::{Digest, Sha256};

/// SHA-256 over a key's kind and material. Two documents that write one key
/// differently, or give it different ids, give it one fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The digest's octets.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Of a kind of key and its parts. Lengths are hashed too, so that no two
    /// lists of parts run together.
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
    /// Nothing of it: a reader of the digest of a weak secret can guess the
    /// secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Fingerprint")
    }
}
