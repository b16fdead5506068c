//! The tokens of the requests.

use crate::engine::tests::signer::KeyId;

/// A token, and the key that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine::tests) enum Token {
    /// A token that this key has signed.
    Good(KeyId),
    /// A token with this `kid` that no key has signed.
    Forged(String),
}

impl Token {
    pub(in crate::engine::tests) fn kid(&self) -> String {
        match self {
            Self::Good(key) => key.kid(),
            Self::Forged(kid) => kid.clone(),
        }
    }
}
