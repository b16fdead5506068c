//! A token that nobody has checked yet.

use std::fmt;
use std::sync::Arc;

use super::claims::ClaimSet;
use super::content::Content;
use super::{KnownHeaders, TokenError, TokenType, VerifiedJwt};
use crate::crypto::{Algorithm, HostSignatures};
use crate::jwk::Jwk;
use crate::jws::Jws;

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
    jws: Jws<'t>,
    content: Arc<Content>,
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
        let (jws, payload) = Jws::parse(token, known)?;
        let content = Content {
            header: Arc::clone(jws.header()),
            claims: ClaimSet::read(payload)?,
        };
        Ok(Self {
            jws,
            content: Arc::new(content),
        })
    }

    /// The algorithm that the token says it is signed with; never `none`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.content.header.algorithm()
    }

    /// The ID of the key that the token says it is signed with. An empty one
    /// is one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.content.header.kid()
    }

    /// The token's `typ`.
    #[must_use]
    pub fn token_type(&self) -> Option<&TokenType> {
        self.content.header.token_type()
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
    pub fn verify(&self, key: &Jwk, host_signatures: &dyn HostSignatures) -> Option<VerifiedJwt> {
        let signer = self.jws.verify(key, host_signatures)?;
        Some(VerifiedJwt::verified(Arc::clone(&self.content), signer))
    }
}

impl fmt::Debug for UnverifiedJwt<'_> {
    /// Nothing of the token but its algorithm: the rest is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "UnverifiedJwt({})", self.algorithm().name())
    }
}
