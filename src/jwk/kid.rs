//! The name of a key that a token asks for.

use std::cell::OnceCell;

use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of a `kid`. A `kid` may be as long as a token. No attacker can
/// find another `kid` with the same digest.
pub type KidDigest = [u8; 32];

/// A `kid` that a token names. Its digest is made once, when the first source
/// needs it: a token may be looked for in a thousand sources.
#[derive(Debug)]
pub struct AskedKid<'t> {
    text: &'t str,
    digest: OnceCell<KidDigest>,
}

impl<'t> AskedKid<'t> {
    /// The `kid` as the token has it.
    #[must_use]
    pub const fn new(text: &'t str) -> Self {
        Self {
            text,
            digest: OnceCell::new(),
        }
    }

    /// Its text.
    #[must_use]
    pub const fn text(&self) -> &'t str {
        self.text
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> &KidDigest {
        self.digest.get_or_init(|| Sha256::digest(self.text).into())
    }
}
