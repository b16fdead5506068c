//! JSON Web Signatures in compact form (RFC 7515 section 7.1): splits bytes into
//! header, payload and signature, and verifies the signature with one key.
//!
//! The layer above interprets the payload: `jwt` reads claims and requires an
//! issuer and an expiry, which other signed texts do not have.
//!
//! This is stricter than the RFC where two readers could disagree: duplicate
//! members, non-canonical base64url, any `crit`, a `b64` that is not `true`, and
//! an `enc` in three parts are refused. Keys in the header (`jwk`, `jku`, `x5c`,
//! …), `zip` and `cty` are ignored.

mod compact;
mod error;
mod header;
mod known_headers;

pub use compact::Jws;
pub use error::JwsError;
pub use header::{Header, TokenType};
pub use known_headers::KnownHeaders;

/// The maximum length of a text, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// The maximum nesting of objects and arrays in a header.
pub const MAX_HEADER_DEPTH: usize = 32;
