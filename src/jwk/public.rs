//! A key that a client presents by itself, in the header of a proof of possession.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Jwk, KeyOrigin, SkipReason};
use crate::json::{Object, Value};

/// The SHA-256 of a key's required members (RFC 7638), the identity of a key in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thumbprint([u8; 32]);

/// The members that only private and shared keys have (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Thumbprint {
    /// Reads a thumbprint in base64url. `None` if it is not one of SHA-256.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        digest(text).map(Self)
    }

    /// Computes the thumbprint of a key (RFC 7638 section 3). The key itself is not
    /// checked. `None` if it is no public key, or a required member is missing.
    #[must_use]
    pub fn of(key: &Object<'_>) -> Option<Self> {
        let kind = key.get("kty")?.string()?;
        let members: &[&str] = match &*kind {
            "RSA" => &["e", "kty", "n"],
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            _ => return None,
        };
        let mut hash = Sha256::new();
        for (name, before) in members.iter().zip(["{\"", ",\"", ",\"", ",\""]) {
            let value = key.get(name)?.string()?;
            // Other characters would have to be escaped. No key has them in these members.
            if !value.bytes().all(is_plain) {
                return None;
            }
            for part in [before, name, "\":\"", &value, "\""] {
                hash.update(part);
            }
        }
        hash.update("}");
        Some(Self(hash.finalize().into()))
    }

    /// The bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Reads a SHA-256 digest in base64url, as tokens contain it (RFC 7638, RFC 8705 section
/// 3.1).
#[must_use]
pub fn digest(text: &str) -> Option<[u8; 32]> {
    // The length is checked first, because a token chooses the text.
    if text.len() != 43 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

impl Jwk {
    /// Reads a key that a client presents. The strength of its material is checked as in
    /// key sets.
    ///
    /// # Errors
    ///
    /// The key is not usable, is symmetric, or contains its private part.
    pub fn public(key: Value<'_>) -> Result<Self, NotPublic> {
        let members = key.members().ok_or(NotPublic::Unusable)?;
        if PRIVATE.iter().any(|name| members.get(name).is_some()) {
            return Err(NotPublic::Private);
        }
        Self::read(key, KeyOrigin::Fetched).map_err(NotPublic::from)
    }
}

/// Why a key that a client presents is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPublic {
    /// It contains its private part, or is a shared secret.
    Private,
    /// It could not be used in a key set either.
    Unusable,
}

impl From<SkipReason> for NotPublic {
    fn from(_: SkipReason) -> Self {
        Self::Unusable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn thumbprint(key: &str) -> Option<Thumbprint> {
        Thumbprint::of(&json::object(key.as_bytes(), 4).unwrap())
    }

    /// RFC 7638 section 3.1.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        let expected = Thumbprint::parse("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(expected.is_some());
        assert_eq!(thumbprint(RSA), expected);
        // RFC 8037 appendix A.3.
        let okp =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let expected = Thumbprint::parse("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(thumbprint(okp), expected);
    }

    #[test]
    fn a_key_without_a_required_member_has_no_thumbprint() {
        for key in [
            "{}",
            r#"{"kty":"oct","k":"AAAA"}"#,
            r#"{"kty":"RSA","n":"AQAB"}"#,
            r#"{"kty":"RSA","n":"AQAB","e":1}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA"}"#,
            r#"{"kty":"OKP","crv":"Ed\"25519","x":"AA"}"#,
            r#"{"kty":["RSA"],"n":"AQAB","e":"AQAB"}"#,
        ] {
            assert_eq!(thumbprint(key), None, "{key}");
        }
    }

    #[test]
    fn only_a_public_key_is_taken_from_a_client() {
        let read = |key: &str| Jwk::public(json::parse(key.as_bytes(), 4).unwrap()).map(|_| ());
        assert_eq!(read(RSA), Ok(()));
        for member in PRIVATE {
            let key = RSA.replacen('{', &format!("{{\"{member}\":null,"), 1);
            assert_eq!(read(&key), Err(NotPublic::Private), "{member}");
        }
        for key in [
            "[]",
            "{}",
            r#"{"kty":"oct"}"#,
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
        ] {
            assert_eq!(read(key), Err(NotPublic::Unusable), "{key}");
        }
        let encrypting = RSA.replacen('{', r#"{"use":"enc","#, 1);
        assert_eq!(read(&encrypting), Err(NotPublic::Unusable));
    }

    #[test]
    fn a_digest_is_43_characters_of_canonical_base64url() {
        let good = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert!(digest(good).is_some());
        for bad in [
            "",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs=",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt",
            "NzbLsXh8uDCcd+6MNwXF4W/7noWXFZAfHkxZsRGC9Xs",
        ] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
