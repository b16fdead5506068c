//! Revocation lists: documents that name tokens which are no longer accepted, although
//! they have not expired.
//!
//! A list is a JSON object with at least one of these members; others are ignored:
//!
//! ```json
//! {"jti": ["id of a token"], "sid": ["id of a session"], "sub": {"user": 1800000000}}
//! ```
//!
//! `sub` revokes the tokens of a subject that were issued before a time, in seconds since
//! 1970. A token without `iat` counts as issued before every time. All texts are compared
//! exactly, after JSON's escapes are decoded.
//!
//! A list is kept as digests. A look-up costs the same for every list, up to a binary
//! search, and neither a token nor the publisher of the list can make it more expensive.
//!
//! This module fetches nothing and knows no time.

mod compact;
mod error;
mod ids;
mod list;
mod parse;
pub mod shelf;
#[cfg(test)]
mod tests;

pub use error::ListError;
pub use ids::TokenIds;
pub use list::{ListSize, RevocationList};
pub use parse::memory_needed;

/// The maximum size of a document, in bytes. Callers check it before they copy a body.
pub const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;
/// The maximum number of entries in a document, duplicates included.
pub const MAX_ENTRIES: usize = 50_000;
