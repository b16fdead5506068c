//! The key ID that a token names.

use std::cell::OnceCell;

use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a `kid`. The `kid` itself may be as long as a token. An attacker
/// cannot find another `kid` with the same digest.
pub type KidDigest = [u8; 32];

/// A `kid` that a token names. Its digest is computed once, when the first source needs
/// it, because one token may be looked up in a thousand sources.
#[derive(Debug)]
pub struct AskedKid<'t> {
    text: &'t str,
    digest: OnceCell<KidDigest>,
}

impl<'t> AskedKid<'t> {
    /// Wraps the `kid` of a token.
    #[must_use]
    pub const fn new(text: &'t str) -> Self {
        Self {
            text,
            digest: OnceCell::new(),
        }
    }

    /// The text of the `kid`.
    #[must_use]
    pub const fn text(&self) -> &'t str {
        self.text
    }

    /// The digest of the `kid`.
    #[must_use]
    pub fn digest(&self) -> &KidDigest {
        self.digest.get_or_init(|| Sha256::digest(self.text).into())
    }
}
