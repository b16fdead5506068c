//! Why a token is refused.

use super::Refusal;
use crate::dpop::ProofError;
use crate::jwt::{BindingError, ClaimError, JwsError, TokenError};
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
    /// The provider's revocation list names it.
    Revoked,
    /// Its sender is not known to be its holder.
    Holder(HolderFault),
}

/// Why the sender of a token is not taken for its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HolderFault {
    /// The token has no `cnf`, and the provider requires one.
    Unbound,
    /// Its `cnf` names nothing that can be checked.
    Unreadable,
    /// It is bound to a certificate, and the connection has none.
    NoCertificate,
    /// It is bound to another certificate than that of the connection.
    OtherCertificate,
    /// It is bound to a certificate, and the host does not report that of the connection.
    CertificateUnknown,
    /// It is bound to a key, and the provider accepts no proofs.
    ProofsNotAccepted,
    /// It is bound to a key, and was not presented with the scheme `DPoP`.
    NotSigned,
    /// It was presented with the scheme `DPoP`, and is not bound to a key.
    NotBoundToKey,
    /// The proof of possession is refused.
    Proof(ProofError),
    /// The proof is good, and there is no memory in which to remember it.
    NoMemory,
}

impl TokenFault {
    /// Whether a proof with a fresh nonce may be accepted.
    #[must_use]
    pub(super) const fn asks_for_nonce(self) -> bool {
        matches!(self, Self::Holder(HolderFault::Proof(error)) if error.asks_for_nonce())
    }

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
            Self::Revoked => Reason::Revoked,
            Self::Holder(fault) => fault.reason(),
        }
    }
}

impl HolderFault {
    const fn reason(self) -> Reason {
        match self {
            Self::Unbound => Reason::UnboundToken,
            Self::Unreadable | Self::ProofsNotAccepted => Reason::BoundToken,
            Self::NoCertificate => Reason::NoCertificate,
            Self::OtherCertificate => Reason::OtherCertificate,
            Self::NotSigned => Reason::DpopRequired,
            Self::NotBoundToKey => Reason::DpopNotAccepted,
            Self::Proof(ProofError::Missing) => Reason::NoProof,
            Self::Proof(ProofError::Used) => Reason::UsedProof,
            Self::Proof(ProofError::NonceMissing) => Reason::NoNonce,
            Self::Proof(ProofError::NonceUnknown | ProofError::NonceExpired) => Reason::BadNonce,
            Self::Proof(ProofError::NonceUnavailable)
            | Self::CertificateUnknown
            | Self::NoMemory => Reason::InternalError,
            Self::Proof(_) => Reason::BadProof,
        }
    }
}

impl From<HolderFault> for TokenFault {
    fn from(fault: HolderFault) -> Self {
        Self::Holder(fault)
    }
}

impl From<ProofError> for TokenFault {
    fn from(error: ProofError) -> Self {
        Self::Holder(HolderFault::Proof(error))
    }
}

impl From<BindingError> for TokenFault {
    fn from(error: BindingError) -> Self {
        Self::Holder(match error {
            BindingError::Unbound => HolderFault::Unbound,
            BindingError::Unreadable => HolderFault::Unreadable,
        })
    }
}

impl From<TokenFault> for Refusal<'_> {
    fn from(fault: TokenFault) -> Self {
        if let TokenFault::Holder(HolderFault::Proof(error)) = fault {
            Self::described(fault.reason(), error.description())
        } else {
            fault.reason().into()
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
