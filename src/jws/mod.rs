//! JSON Web Signatures in compact form (RFC 7515 section 7.1): bytes to header,
//! payload and signature, and the check of that signature with one key.
//!
//! What a payload means is for the layer above: `jwt` reads claims of it, and
//! needs an issuer and an expiry, which other signed texts have not.
//!
//! Stricter than the RFC where two readers could disagree: members that are
//! there twice, base64url that is not canonical, any `crit`, a `b64` that is
//! not `true`, and an `enc` in three parts are refused. Keys in the header
//! (`jwk`, `jku`, `x5c`, …), `zip` and `cty` mean nothing here.

mod compact;
mod error;
mod header;
mod known_headers;

pub use compact::Jws;
pub use error::JwsError;
pub use header::{Header, TokenType};
pub use known_headers::KnownHeaders;

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// How deep objects and arrays may nest in a header.
pub const MAX_HEADER_DEPTH: usize = 32;
