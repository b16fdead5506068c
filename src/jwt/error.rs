//! Why a token is refused. Nothing here repeats anything of the token.
//!
//! Descriptions are the `error_description` of RFC 6750 section 3, so they
//! keep to its characters: no quotes, no backslash, ASCII.

use std::fmt;

use crate::json::Fault;
use crate::jws::JwsError;

/// A token whose form is not one that is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The signed text (RFC 7515).
    Form(JwsError),
    /// The claims are no JSON object that is let in.
    Claims(Fault),
    /// A registered claim has a wrong type, or is needed and missing.
    Claim(RegisteredClaim),
}

/// The claims of RFC 7519 section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisteredClaim {
    /// `iss`, needed.
    Issuer,
    /// `sub`
    Subject,
    /// `aud`
    Audience,
    /// `exp`, needed.
    Expiry,
    /// `nbf`
    NotBefore,
    /// `iat`
    IssuedAt,
    /// `jti`
    Id,
}

/// A verified token whose claims do not hold now, or not for this provider.
///
/// Ordered by how far the checks got: of two errors, the greater one comes
/// from a provider that the token fits better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimError {
    /// `typ` is not among the accepted ones.
    TokenType,
    /// `exp` has passed.
    Expired,
    /// `nbf` lies ahead.
    NotYetValid,
    /// `iat` lies ahead.
    IssuedInFuture,
    /// `iss` is another issuer.
    Issuer,
    /// Neither `aud` nor, in its absence, `client_id` names an audience.
    Audience,
    /// `token_use` is not what is wanted.
    TokenUse,
    /// `exp` lies too far ahead.
    Lifetime,
    /// A claim is not as the provider's rules want it.
    ClaimRule,
    /// `cnf` binds the token to its holder, and nobody has proved to be that.
    Bound,
    /// There is no `cnf`, and the provider's tokens must have one.
    Unbound,
}

impl TokenError {
    /// A fixed sentence for the client.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Form(error) => error.description(),
            Self::Claims(Fault::DuplicateMember) => "The token has a claim twice",
            Self::Claims(Fault::TooDeep) => "The token claims are nested too deep",
            Self::Claims(
                Fault::NotUtf8 | Fault::ByteOrderMark | Fault::Syntax | Fault::NotAnObject,
            ) => "The token claims are not a JSON object",
            Self::Claim(claim) => claim.description(),
        }
    }
}

impl RegisteredClaim {
    fn description(self) -> &'static str {
        match self {
            Self::Issuer => "The token iss claim is missing or malformed",
            Self::Subject => "The token sub claim is malformed",
            Self::Audience => "The token aud claim is malformed",
            Self::Expiry => "The token exp claim is missing or malformed",
            Self::NotBefore => "The token nbf claim is malformed",
            Self::IssuedAt => "The token iat claim is malformed",
            Self::Id => "The token jti claim is malformed",
        }
    }
}

impl ClaimError {
    /// A fixed sentence for the client.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::TokenType => "The token type is not accepted",
            Self::Expired => "The token has expired",
            Self::NotYetValid => "The token is not valid yet",
            Self::IssuedInFuture => "The token was issued in the future",
            Self::Issuer => "The token issuer is not trusted",
            Self::Audience => "The token does not have a valid audience",
            Self::TokenUse => "The token is not for this use",
            Self::Lifetime => "The token is valid for too long",
            Self::ClaimRule => "The token claims are not accepted",
            Self::Bound => "The token is bound to its holder and no proof of that can be checked",
            Self::Unbound => "The token is not bound to its holder",
        }
    }
}

impl From<JwsError> for TokenError {
    fn from(error: JwsError) -> Self {
        Self::Form(error)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.description())
    }
}

impl fmt::Display for ClaimError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.description())
    }
}

impl std::error::Error for TokenError {}

impl std::error::Error for ClaimError {}
