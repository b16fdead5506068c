//! Why a token is refused.

use super::Refusal;
use crate::jwt::{ClaimError, JwsError, TokenError};
use crate::telemetry::Reason;

/// Why one provider does not accept a token, in the order of the checks. Of two faults,
/// the greater one comes from the provider that fits the token better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFault {
    /// The provider does not accept its `alg`.
    Algorithm,
    /// The provider does not accept its `typ`.
    Type,
    /// The provider has no key with its `kid`.
    UnknownKey,
    /// No key fits it, or several keys fit and it has no `kid`.
    NoFittingKey,
    /// The signature does not verify.
    Signature,
    /// Its claims are not valid.
    Claim(ClaimError),
    /// The route requires another `token_use`.
    RouteTokenUse,
    /// It was presented with the scheme `DPoP`, whose proofs cannot be checked.
    Proof,
}

impl TokenFault {
    /// The reason of a refusal for this fault.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Algorithm => Reason::BadAlgorithm,
            Self::Type | Self::Claim(ClaimError::TokenType) => Reason::BadType,
            Self::UnknownKey => Reason::UnknownKey,
            Self::NoFittingKey => Reason::NoFittingKey,
            Self::Signature => Reason::BadSignature,
            Self::Claim(ClaimError::Expired) => Reason::Expired,
            Self::Claim(ClaimError::NotYetValid | ClaimError::IssuedInFuture) => {
                Reason::NotYetValid
            }
            Self::Claim(ClaimError::Issuer) => Reason::UnknownIssuer,
            Self::Claim(ClaimError::Audience) => Reason::BadAudience,
            Self::Claim(ClaimError::TokenUse) | Self::RouteTokenUse => Reason::BadTokenUse,
            Self::Claim(ClaimError::Lifetime) => Reason::LifetimeTooLong,
            Self::Claim(ClaimError::ClaimRule) => Reason::BadClaims,
            Self::Claim(ClaimError::Bound) => Reason::BoundToken,
            Self::Claim(ClaimError::Unbound) => Reason::UnboundToken,
            Self::Proof => Reason::DpopNotAccepted,
        }
    }
}

/// The refusal of a token that is not well-formed.
pub(super) fn malformed(error: TokenError) -> Refusal<'static> {
    Refusal::described(reason_of(error), error.description())
}

const fn reason_of(error: TokenError) -> Reason {
    match error {
        TokenError::Form(JwsError::TooLong) => Reason::TokenTooLong,
        TokenError::Form(JwsError::Algorithm) => Reason::BadAlgorithm,
        TokenError::Form(
            JwsError::Encrypted | JwsError::CriticalExtension | JwsError::UnencodedPayload,
        ) => Reason::UnsupportedHeader,
        TokenError::Form(
            JwsError::NotThreeParts
            | JwsError::NotBase64Url
            | JwsError::Header(_)
            | JwsError::KeyId
            | JwsError::TokenType,
        )
        | TokenError::Claims(_)
        | TokenError::Claim(_) => Reason::MalformedToken,
    }
}
