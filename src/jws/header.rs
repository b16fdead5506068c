//! The header of a signed text (RFC 7515 section 4).

use std::fmt;

use super::{JwsError, MAX_HEADER_DEPTH};
use crate::crypto::Algorithm;
use crate::json;

/// The members of a header that are used. All others are ignored, above all keys
/// and addresses of keys (`jwk`, `jku`, `x5u`, `x5c`).
pub struct Header {
    text: Box<[u8]>,
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    token_type: Option<TokenType>,
}

/// A `typ` in its normal form: media types ignore letter case, and
/// `application/` may be left out (RFC 7515 section 4.1.9).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenType(Box<str>);

impl TokenType {
    /// The normal form of a `typ` from a token or a configuration.
    #[must_use]
    pub fn new(typ: &str) -> Self {
        let lower = typ.to_ascii_lowercase();
        match lower.strip_prefix("application/") {
            // If the media type has a further slash, the prefix is kept.
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
    /// `Debug` shows only the algorithm.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Header({})", self.algorithm.name())
    }
}

impl Header {
    /// The first part of the text as received, in base64url.
    #[must_use]
    pub const fn text(&self) -> &[u8] {
        &self.text
    }

    /// The algorithm of the signature. It is never `none`.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The ID of the key. It may be empty.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `typ`.
    #[must_use]
    pub const fn token_type(&self) -> Option<&TokenType> {
        self.token_type.as_ref()
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let kid = self.kid().map_or(0, str::len);
        let token_type = self.token_type().map_or(0, |typ| typ.as_str().len());
        size_of::<Self>()
            .saturating_add(self.text.len())
            .saturating_add(kid)
            .saturating_add(token_type)
    }

    /// Reads the first part of a text, which is given as received and decoded.
    pub(super) fn read(text: &[u8], decoded: &[u8]) -> Result<Self, JwsError> {
        let header = json::object(decoded, MAX_HEADER_DEPTH)
            .map_err(|error| JwsError::Header(error.fault))?;
        if header.get("enc").is_some() {
            return Err(JwsError::Encrypted);
        }
        // Refused whether it is understood or not, named in the header or not,
        // empty or not.
        if header.get("crit").is_some() {
            return Err(JwsError::CriticalExtension);
        }
        // `true` is the default. RFC 7797 requires `crit` only with `false`.
        if let Some(b64) = header.get("b64")
            && b64.boolean() != Some(true)
        {
            return Err(JwsError::UnencodedPayload);
        }
        let algorithm = header
            .get("alg")
            .and_then(json::Value::string)
            .and_then(|name| Algorithm::parse(&name))
            .ok_or(JwsError::Algorithm)?;
        let string = |name: &str, error: JwsError| match header.get(name) {
            None => Ok(None),
            Some(value) => value.string().map(Some).ok_or(error),
        };
        let kid = string("kid", JwsError::KeyId)?.map(|kid| kid.into_owned().into_boxed_str());
        let token_type = string("typ", JwsError::TokenType)?.map(|typ| TokenType::new(&typ));
        Ok(Self {
            text: text.into(),
            algorithm,
            kid,
            token_type,
        })
    }
}
