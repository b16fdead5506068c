//! Proofs of possession for requests (`DPoP`, RFC 9449): the client signs each request with
//! the key to which its token is bound.
//!
//! [`ProofRules::check`] makes all checks of RFC 9449 sections 4.3 and 7.1 that need only
//! the proof, the request, the token and, where nonces are required, the [`NonceKeys`]. The caller must make two more: that there is
//! exactly one proof, and that it was not used before. For the second check a [`Proof`]
//! says under which ID it must be remembered, and until when.
//!
//! The cheap checks come first. In particular the key is compared with that of the token
//! before it is used, so only the holder of a bound token can cause a signature check.
//!
//! This module does not know where tokens come from, and keeps nothing.

mod check;
mod error;
mod nonce;
#[cfg(test)]
mod tests;
mod uri;

pub use check::{Proof, ProofId, ProofRules, Shown};
pub use error::ProofError;
pub use nonce::{NONCE_HEADER, NonceKeys, NonceSecret, Nonces};
pub use uri::{BadOrigin, Origin};

/// The maximum length of a proof, in bytes.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;
