//! Key sets: RFC 7517 documents to usable keys, and why the others are not.
//!
//! A document is judged as a whole first (size, form, count); when it fails,
//! nothing of it is used. Then each key is judged by itself: one that cannot
//! be used, or is not meant for signatures, is left out with a reason and never
//! fails the set, as issuers publish keys for other purposes and of types
//! unknown here (RFC 7517 section 5).
//!
//! A key's own statements (`kty`, `crv`, `use`, `key_ops`, `alg`) decide what
//! it serves; a token's header only chooses among that.
//!
//! The module fetches nothing and keeps no time.

mod error;
mod key;
mod kid;
mod set;
pub mod shelf;
mod size;
#[cfg(test)]
mod tests;

pub use error::{KeySetError, SkipReason, SkippedKey, SkippedKeys};
pub use key::Jwk;
pub use kid::{AskedKid, KidDigest};
pub use set::{KeySet, Lookup, ParsedKeySet};
pub use size::memory_needed;

/// Largest document that is read, in bytes. To be asked before a body is
/// copied.
pub const MAX_KEY_SET_BYTES: usize = 512 * 1024;
/// Most keys in a document, unusable ones included.
pub const MAX_KEYS: usize = 256;
/// Most keys that one token is tried with: signatures cost too much to try
/// them all.
pub const MAX_CANDIDATES: usize = 4;

/// Where a key set is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOrigin {
    /// From the issuer. What everybody can fetch is no secret: shared keys
    /// (`oct`) are left out.
    Fetched,
    /// Written in the configuration.
    Inline,
}
