//! JSON Web Tokens in compact form (RFC 7519), from bytes to trusted claims.
//! Each step is a type that only the step before can make:
//!
//! 1. [`UnverifiedJwt::parse`]: the form. Nothing is trusted; only the members
//!    that choose provider and key can be read.
//! 2. [`UnverifiedJwt::verify`]: the signature, with one key.
//!    A [`VerifiedJwt`] may be kept: it does not expire by itself, and its
//!    claims cannot be read.
//! 3. [`VerifiedJwt::check`]: times, issuer, audience and the other
//!    [`Expectations`], at one point in time.
//! 4. [`CheckedClaims::held_by`]: the sender is the token's holder, if the token
//!    is bound to one. Rules and upstreams see only [`ValidClaims`].
//!
//! This is stricter than the RFCs where two readers could disagree: duplicate
//! members, non-canonical base64url, any `crit`, a `b64` that is not `true`, an
//! `enc` in three parts, and registered claims of a wrong type are refused. Keys
//! in the header (`jwk`, `jku`, `x5c`, …), `zip` and `cty` are ignored.
//!
//! This module does not choose keys, know routes or headers, or fetch anything.
//! Encrypted tokens (RFC 7516), nested tokens and the JSON serializations are
//! not supported.

mod binding;
mod check;
mod claims;
mod content;
mod context;
mod error;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod valid;
mod verified;

pub use binding::{Bearer, Binding, BindingError, CheckedClaims, Holder};
pub use check::{Audiences, Expectations, TokenUse};
pub use error::{ClaimError, RegisteredClaim, TokenError};
pub use text::{ClaimText, Unfit};
pub use token::UnverifiedJwt;
pub use valid::{DEFAULT_SCOPE_CLAIMS, ValidClaims};
pub use verified::VerifiedJwt;

pub use crate::jws::{JwsError, KnownHeaders, MAX_BYTES as MAX_TOKEN_BYTES, TokenType};

/// The maximum nesting of objects and arrays in a token's claims.
pub const MAX_JSON_DEPTH: usize = 32;
