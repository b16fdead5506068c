//! The kinds of documents that are fetched.

/// The kind of a document that is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// A JWK Set (RFC 7517).
    KeySet,
    /// A revocation list.
    RevocationList,
}
