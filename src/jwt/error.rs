//! Why a token is refused. No error repeats a part of the token.
//!
//! Descriptions are used as the `error_description` of RFC 6750 section 3, so
//! they use only its characters: ASCII without quotes and backslash.

use std::fmt;

use crate::json::Fault;
use crate::jws::JwsError;

/// Why the form of a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// The signed text (RFC 7515).
    Form(JwsError),
    /// The claims are not an accepted JSON object.
    Claims(Fault),
    /// A registered claim has a wrong type, or is required and missing.
    Claim(RegisteredClaim),
}

/// The claims of RFC 7519 section 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisteredClaim {
    /// `iss`, required.
    Issuer,
    /// `sub`
    Subject,
    /// `aud`
    Audience,
    /// `exp`, required.
    Expiry,
    /// `nbf`
    NotBefore,
    /// `iat`
    IssuedAt,
    /// `jti`
    Id,
}

/// Why the claims of a verified token are not valid now, or not for this
/// provider.
///
/// The order is that of the checks: of two errors, the greater one comes from a
/// provider that the token fits better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimError {
    /// `typ` is not among the accepted ones.
    TokenType,
    /// `exp` has passed.
    Expired,
    /// `nbf` is in the future.
    NotYetValid,
    /// `iat` is in the future.
    IssuedInFuture,
    /// `iss` is another issuer.
    Issuer,
    /// `aud` names none of the audiences, or there is no `aud` and `client_id`
    /// names none.
    Audience,
    /// `token_use` is not the required one.
    TokenUse,
    /// `exp` is too far in the future.
    Lifetime,
    /// A claim does not meet the provider's rules.
    ClaimRule,
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
