//! A token whose signature has not been checked yet.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::claims::ClaimSet;
use super::content::Content;
use super::{KnownHeaders, TokenError, TokenType, VerifiedJwt};
use crate::crypto::{Algorithm, HostSignatures};
use crate::jwk::Jwk;
use crate::jws::Jws;

/// A well-formed token that is not trusted.
///
/// Its claims cannot be read, except the issuer, by which a provider is chosen:
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
///     let _ = rules.grant(&edge_authz::rules::Grounds {
///         claims: token,
///         scope_claims: &[],
///         implied: &edge_authz::rules::ScopeImplications::default(),
///         request: &edge_authz::rules::NoRequest,
///         now: edge_authz::time::UnixTime::EPOCH,
///         clock_skew: std::time::Duration::ZERO,
///     });
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
    /// Reads `token`, which must be exactly one token.
    ///
    /// Time and memory are linear in its length, which is checked first.
    ///
    /// # Errors
    ///
    /// Why its form is not accepted.
    pub fn parse(token: &'t [u8]) -> Result<Self, TokenError> {
        Self::parse_with(token, None)
    }

    /// Like [`parse`](Self::parse), with a cache of parsed headers.
    ///
    /// # Errors
    ///
    /// Why its form is not accepted.
    pub fn parse_with(token: &'t [u8], known: Option<&KnownHeaders>) -> Result<Self, TokenError> {
        let (jws, payload) = Jws::parse(token, known)?;
        let content = Content {
            header: Arc::clone(jws.header()),
            claims: ClaimSet::read(payload)?,
            ids: OnceLock::new(),
            scopes: OnceLock::new(),
        };
        Ok(Self {
            jws,
            content: Arc::new(content),
        })
    }

    /// The algorithm that the token names. It is never `none`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.content.header.algorithm()
    }

    /// The ID of the key that the token names. It may be empty.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.content.header.kid()
    }

    /// The token's `typ`.
    #[must_use]
    pub fn token_type(&self) -> Option<&TokenType> {
        self.content.header.token_type()
    }

    /// The issuer that the token names. Use it only to choose the provider whose
    /// keys verify the token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.content.claims.registered().issuer
    }

    /// Whether its `cnf` names a client certificate.
    #[must_use]
    pub fn names_certificate(&self) -> bool {
        self.content.claims.names_certificate()
    }

    /// Verifies the signature with one key. `None` unless the key is for the
    /// token's algorithm and the signature is valid.
    ///
    /// The caller must have checked that the provider allows the algorithm.
    #[must_use]
    pub fn verify(&self, key: &Jwk, host_signatures: &dyn HostSignatures) -> Option<VerifiedJwt> {
        let signer = self.jws.verify(key, host_signatures)?;
        Some(VerifiedJwt::verified(Arc::clone(&self.content), signer))
    }
}

impl fmt::Debug for UnverifiedJwt<'_> {
    /// `Debug` shows only the algorithm, because the rest is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "UnverifiedJwt({})", self.algorithm().name())
    }
}
