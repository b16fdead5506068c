//! JSON Web Tokens in compact form (RFC 7519), from bytes to claims
//! that may be believed. Each step is a type, and the next one comes only from
//! the one before:
//!
//! 1. [`UnverifiedJwt::parse`]: the form. Nothing is believed; only what is
//!    needed to choose provider and key can be read.
//! 2. [`UnverifiedJwt::verify`]: the signature, with one key.
//!    A [`VerifiedJwt`] may be kept: it never expires by itself and gives no
//!    claim away.
//! 3. [`VerifiedJwt::check`]: times, issuer, audience and the rest that
//!    [`Expectations`] hold, at one point in time. [`ValidClaims`] are what
//!    rules and upstreams see.
//!
//! Stricter than the RFCs where two readers could disagree: members that are
//! there twice, base64url that is not canonical, any `crit`, a `b64` that is
//! not `true`, an `enc` in three parts, and registered claims of a wrong type
//! are refused. Keys in the header (`jwk`, `jku`, `x5c`, …), `zip` and `cty`
//! mean nothing here.
//!
//! It does not choose keys, know routes or headers, or fetch anything.
//! Encrypted tokens (RFC 7516), nested tokens and the JSON serialisations are
//! not supported.

mod binding;
mod check;
mod claims;
mod content;
mod context;
mod error;
mod numeric_date;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod valid;
mod verified;

pub use binding::Binding;
pub use check::{Audiences, Expectations, TokenUse};
pub use error::{ClaimError, RegisteredClaim, TokenError};
pub use text::{ClaimText, Unfit};
pub use token::UnverifiedJwt;
pub use valid::ValidClaims;
pub use verified::VerifiedJwt;

pub use crate::jws::{JwsError, KnownHeaders, MAX_BYTES as MAX_TOKEN_BYTES, TokenType};

/// How deep objects and arrays may nest in a token's claims.
pub const MAX_JSON_DEPTH: usize = 32;
