//! Key sets: RFC 7517 documents, their usable keys, and why the other keys are not used.
//!
//! A document is first checked as a whole (size, form, number of keys). If this fails,
//! nothing of it is used. Then each key is checked separately. A key that is not usable,
//! or not for signatures, is skipped with a reason and does not invalidate the set,
//! because issuers also publish keys for other purposes and of unknown types (RFC 7517
//! section 5).
//!
//! The members of a key (`kty`, `crv`, `use`, `key_ops`, `alg`) decide which algorithms
//! it can be used with. The header of a token only chooses among those.
//!
//! This module fetches nothing and stores no times.

mod error;
mod key;
mod kid;
mod public;
mod set;
pub mod shelf;
mod size;
#[cfg(test)]
mod tests;

pub use error::{KeySetError, SkipReason, SkippedKey, SkippedKeys};
pub use key::Jwk;
pub use kid::{AskedKid, KidDigest};
pub use public::{NotPublic, Thumbprint, digest};
pub use set::{FewKeys, KeySet, Lookup, ParsedKeySet};
pub use size::memory_needed;

/// The maximum size of a document, in bytes. Callers check it before they copy a body.
pub const MAX_KEY_SET_BYTES: usize = 512 * 1024;
/// The maximum number of keys in a document, including unusable ones.
pub const MAX_KEYS: usize = 256;
/// The maximum number of keys that one token is tried with, because verifying signatures
/// is expensive.
pub const MAX_CANDIDATES: usize = 4;

/// The origin of a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The set was fetched from the issuer. Everyone can fetch it, so it contains no
    /// secrets: symmetric keys (`oct`) are skipped.
    Fetched,
    /// The set is in the configuration.
    Inline,
}
