//! The compact form (RFC 7515 section 7.1) of a token nobody has checked yet.

use std::fmt;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::ClaimSet;
use super::content::Content;
use super::header::Header;
use super::{KnownHeaders, MAX_TOKEN_BYTES, TokenError, TokenType, VerifiedJwt};
use crate::crypto::{Algorithm, NativeSignatures};
use crate::jwk::Jwk;

/// A token of good form, of which nothing is believed.
///
/// Its claims cannot be read; the issuer is there to choose a provider by:
///
/// ```
/// fn choose(token: &edge_authz::jwt::UnverifiedJwt<'_>) -> bool {
///     token.issuer() == "https://issuer.example"
/// }
/// ```
///
/// ```compile_fail,E0277
/// use edge_authz::jwt::UnverifiedJwt;
/// fn grant(token: &UnverifiedJwt<'_>, rules: &edge_authz::rules::RouteRules) {
///     let _ = rules.grant(token, &[], &edge_authz::rules::NoRequest);
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn read(token: edge_authz::jwt::UnverifiedJwt<'_>) {
///     let _ = token.claims;
/// }
/// ```
pub struct UnverifiedJwt<'t> {
    /// The first two parts and the dot between them, as received: what was
    /// signed. Never a re-encoding.
    signed: &'t [u8],
    signature: Vec<u8>,
    content: Rc<Content>,
}

impl<'t> UnverifiedJwt<'t> {
    /// Reads `token`, which must be all of one token and nothing else.
    ///
    /// Time and memory are linear in its length, which is judged first.
    ///
    /// # Errors
    ///
    /// What of its form is not let in.
    pub fn parse(token: &'t [u8]) -> Result<Self, TokenError> {
        Self::parse_with(token, None)
    }

    /// The same, with headers that need not be read again.
    ///
    /// # Errors
    ///
    /// What of its form is not let in.
    pub fn parse_with(token: &'t [u8], known: Option<&KnownHeaders>) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        let (header, payload, signature) = split(token).ok_or(TokenError::NotThreeParts)?;
        let decode = |part| URL_SAFE_NO_PAD.decode(part);
        let signed_bytes = header.len().saturating_add(1).saturating_add(payload.len());
        let signed = token.get(..signed_bytes).ok_or(TokenError::NotThreeParts)?;
        // Of further dots, one is in this part.
        let payload = decode(payload).map_err(|_| match memchr::memchr(b'.', payload) {
            Some(_) => TokenError::NotThreeParts,
            None => TokenError::NotBase64Url,
        })?;
        let signature = decode(signature).map_err(|_| TokenError::NotBase64Url)?;
        let header = if let Some(known) = known.and_then(|known| known.get(header)) {
            Rc::clone(known)
        } else {
            let decoded = decode(header).map_err(|_| TokenError::NotBase64Url)?;
            Rc::new(Header::read(header, &decoded)?)
        };
        Ok(Self {
            signed,
            signature,
            content: Rc::new(Content {
                header,
                claims: ClaimSet::read(payload)?,
            }),
        })
    }

    /// The algorithm that the token says it is signed with; never `none`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.content.header.algorithm
    }

    /// The ID of the key that the token says it is signed with. An empty one
    /// is one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.content.header.kid.as_deref()
    }

    /// The token's `typ`.
    #[must_use]
    pub fn token_type(&self) -> Option<&TokenType> {
        self.content.header.token_type.as_ref()
    }

    /// Who the token says has issued it: to choose the provider by whose keys
    /// it is verified, and for nothing else.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.content.claims.registered().issuer
    }

    /// Checks the signature with one key. `None` unless the key is one for the
    /// token's algorithm and the signature is right.
    ///
    /// Which algorithms a provider allows is the caller's to ask, before.
    #[must_use]
    pub fn verify(&self, key: &Jwk, native: &dyn NativeSignatures) -> Option<VerifiedJwt> {
        let algorithm = self.content.header.algorithm;
        if !key.serves(algorithm) {
            return None;
        }
        let good = key
            .key()
            .verify(algorithm, self.signed, &self.signature, native);
        good.then(|| VerifiedJwt::verified(Rc::clone(&self.content), *key.key().fingerprint()))
    }
}

impl fmt::Debug for UnverifiedJwt<'_> {
    /// Nothing of the token but its algorithm: the rest is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "UnverifiedJwt({})",
            self.content.header.algorithm.name()
        )
    }
}

/// The three parts: what lies before the first dot, between it and the last, and
/// after that. So the part in the middle, which is the longest, is not looked
/// through; a dot in it is found when it is decoded.
fn split(token: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (header, rest) = split_at(token, memchr::memchr(b'.', token)?)?;
    let (payload, signature) = split_at(rest, memchr::memrchr(b'.', rest)?)?;
    let good = !(header.is_empty() || payload.is_empty() || signature.is_empty());
    good.then_some((header, payload, signature))
}

/// What lies before and after the byte at `dot`.
fn split_at(text: &[u8], dot: usize) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(dot)?;
    Some((before, rest.get(1..)?))
}
