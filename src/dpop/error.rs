//! Why a proof is refused. No error repeats a part of the proof.

use std::fmt;

use crate::jws::JwsError;

/// Why a proof is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProofError {
    /// There is no `DPoP` header.
    Missing,
    /// There is more than one `DPoP` header.
    Several,
    /// It is longer than [`MAX_PROOF_BYTES`](super::MAX_PROOF_BYTES).
    TooLong,
    /// It is not a signed text in compact form, or its header or claims are not accepted
    /// JSON objects.
    Malformed,
    /// `typ` is not `dpop+jwt`.
    Type,
    /// `alg` is not among the accepted algorithms.
    Algorithm,
    /// The header has no public key that can be used with `alg`.
    Key,
    /// The token is bound to another key.
    OtherKey,
    /// A required claim is missing or has a wrong type.
    Claims,
    /// `htm` is another method.
    Method,
    /// `htu` is another URI.
    Uri,
    /// `iat` is too long ago, or `exp` has passed.
    Expired,
    /// `iat` or `nbf` is too far in the future.
    NotYetValid,
    /// `ath` is not the hash of the token.
    TokenHash,
    /// It has no nonce of this server, and one is required.
    NonceMissing,
    /// Its nonce was not made by this server, or by one that no longer knows it.
    NonceUnknown,
    /// Its nonce is too old.
    NonceExpired,
    /// A nonce is required, and there are no keys to check one.
    NonceUnavailable,
    /// The signature does not verify.
    Signature,
    /// It was used before.
    Used,
}

impl ProofError {
    /// Whether a proof with a fresh nonce may be accepted.
    #[must_use]
    pub const fn asks_for_nonce(self) -> bool {
        matches!(
            self,
            Self::NonceMissing | Self::NonceUnknown | Self::NonceExpired
        )
    }

    /// A fixed sentence for the client, in the characters that RFC 6750 section 3 allows.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "The request has no DPoP header",
            Self::Several => "The request has more than one DPoP header",
            Self::TooLong => "The proof is too long",
            Self::Malformed => "The proof is malformed",
            Self::Type => "The proof does not have the type dpop+jwt",
            Self::Algorithm => "The proof signature algorithm is not accepted",
            Self::Key => "The proof does not have a usable public key for its algorithm",
            Self::OtherKey => "The token is bound to another key than that of the proof",
            Self::Claims => "The proof lacks one of jti, htm, htu, iat and ath, or it is malformed",
            Self::Method => "The proof is for another method",
            Self::Uri => "The proof is for another URI",
            Self::Expired => "The proof is too old",
            Self::NotYetValid => "The proof is from the future",
            Self::TokenHash => "The proof is for another token",
            Self::NonceMissing => "The proof needs a nonce of this server",
            Self::NonceUnknown => "The nonce of the proof is not one of this server",
            Self::NonceExpired => "The nonce of the proof is too old",
            Self::NonceUnavailable => "The nonce of the proof cannot be checked",
            Self::Signature => "The proof signature does not verify",
            Self::Used => "The proof was used before",
        }
    }
}

impl From<JwsError> for ProofError {
    fn from(error: JwsError) -> Self {
        match error {
            JwsError::TooLong => Self::TooLong,
            JwsError::Algorithm => Self::Algorithm,
            JwsError::NotThreeParts
            | JwsError::NotBase64Url
            | JwsError::Header(_)
            | JwsError::Encrypted
            | JwsError::CriticalExtension
            | JwsError::UnencodedPayload
            | JwsError::KeyId
            | JwsError::TokenType => Self::Malformed,
        }
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.description())
    }
}

impl std::error::Error for ProofError {}
