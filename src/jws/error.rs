//! Why a signed text is refused. No error repeats a part of the text.

use std::fmt;

use crate::json::Fault;

/// Why the form of a signed text is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// Longer than [`MAX_BYTES`](super::MAX_BYTES).
    TooLong,
    /// Not three non-empty parts separated by two dots.
    NotThreeParts,
    /// A part that is not base64url (RFC 7515 section 2): it has another
    /// character, padding, or trailing bits that are not zero.
    NotBase64Url,
    /// The header is not an accepted JSON object.
    Header(Fault),
    /// An `enc` in the header: the text claims to be encrypted.
    Encrypted,
    /// `alg` is missing, `none`, or not supported.
    Algorithm,
    /// Any `crit`: no extension is understood (RFC 7515 section 4.1.11).
    CriticalExtension,
    /// A `b64` that is not `true` (RFC 7797 section 7).
    UnencodedPayload,
    /// `kid` is present and not a string.
    KeyId,
    /// `typ` is present and not a string.
    TokenType,
}

impl JwsError {
    /// A fixed sentence for the client. It uses only characters that RFC 6750
    /// section 3 allows in `error_description`: ASCII without quotes and
    /// backslash.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::TooLong => "The token is too long",
            Self::NotThreeParts => "The token does not have three parts",
            Self::NotBase64Url => "The token is not base64url encoded",
            Self::Header(Fault::DuplicateMember) => "The token header has a member twice",
            Self::Header(Fault::TooDeep) => "The token header is nested too deep",
            Self::Header(
                Fault::NotUtf8 | Fault::ByteOrderMark | Fault::Syntax | Fault::NotAnObject,
            ) => "The token header is not a JSON object",
            Self::Encrypted => "Encrypted tokens are not supported",
            Self::Algorithm => "The token signature algorithm is not supported",
            Self::CriticalExtension => "The token needs an extension that is not supported",
            Self::UnencodedPayload => "Tokens with unencoded claims are not supported",
            Self::KeyId => "The token key ID is malformed",
            Self::TokenType => "The token type is malformed",
        }
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.description())
    }
}

impl std::error::Error for JwsError {}
