//! The header of a token (RFC 7515 section 4).

use std::fmt;

use super::{MAX_JSON_DEPTH, TokenError};
use crate::crypto::Algorithm;
use crate::json;

/// What is taken from a header. Everything else in it is ignored, keys and
/// addresses of keys (`jwk`, `jku`, `x5u`, `x5c`) before all.
pub(super) struct Header {
    /// As it was received, in base64url.
    pub(super) text: Box<[u8]>,
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<Box<str>>,
    pub(super) token_type: Option<TokenType>,
}

/// A `typ` in its normal form: media types have no letter case, and their
/// `application/` may be left out (RFC 7515 section 4.1.9).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenType(Box<str>);

impl TokenType {
    /// The normal form of `typ`, as a token or a configuration has it.
    #[must_use]
    pub fn new(typ: &str) -> Self {
        let lower = typ.to_ascii_lowercase();
        match lower.strip_prefix("application/") {
            // Of a media type with a further slash the prefix is a part.
            Some(rest) if !rest.contains('/') => Self(rest.into()),
            _ => Self(lower.into()),
        }
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Header {
    /// Nothing of the token but its algorithm.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Header({})", self.algorithm.name())
    }
}

impl Header {
    /// Reads the first part of a token: as it was received, and decoded.
    pub(super) fn read(text: &[u8], decoded: &[u8]) -> Result<Self, TokenError> {
        let header = json::object(decoded, MAX_JSON_DEPTH)
            .map_err(|error| TokenError::Header(error.fault))?;
        if header.get("enc").is_some() {
            return Err(TokenError::Encrypted);
        }
        // Understood or not, named in the header or not, empty or not.
        if header.get("crit").is_some() {
            return Err(TokenError::CriticalExtension);
        }
        // `true` is what holds without it; RFC 7797 asks for `crit` only
        // beside `false`.
        if let Some(b64) = header.get("b64")
            && b64.boolean() != Some(true)
        {
            return Err(TokenError::UnencodedPayload);
        }
        let algorithm = header
            .get("alg")
            .and_then(json::Value::string)
            .and_then(|name| Algorithm::parse(&name))
            .ok_or(TokenError::Algorithm)?;
        let string = |name: &str, error: TokenError| match header.get(name) {
            None => Ok(None),
            Some(value) => value.string().map(Some).ok_or(error),
        };
        let kid = string("kid", TokenError::KeyId)?.map(|kid| kid.into_owned().into_boxed_str());
        let token_type = string("typ", TokenError::TokenType)?.map(|typ| TokenType::new(&typ));
        Ok(Self {
            text: text.into(),
            algorithm,
            kid,
            token_type,
        })
    }
}
