//! A token whose signature is valid.

use std::fmt;
use std::sync::Arc;

use super::claims::{ClaimSet, Registered};
use super::content::{Content, ScopeList};
use super::{CheckedClaims, ClaimError, Expectations, TokenType, check, text};
use crate::crypto::{Algorithm, Fingerprint};
use crate::jws::Header;
use crate::revocation::TokenIds;
use crate::rules::RequestParts;
use crate::time::UnixTime;

/// A token that one key signed. It owns its data and may be kept.
///
/// [`check`] decides each time whether its claims are valid now. Before that
/// they cannot be read. Only
/// [`UnverifiedJwt::verify`](super::UnverifiedJwt::verify) makes one:
///
/// ```compile_fail,E0624
/// use edge_authz::jwt::VerifiedJwt;
/// let forge = VerifiedJwt::verified;
/// ```
///
/// ```compile_fail,E0277
/// use edge_authz::jwt::VerifiedJwt;
/// fn grant(token: &VerifiedJwt, rules: &edge_authz::rules::RouteRules) {
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
/// [`check`]: VerifiedJwt::check
#[derive(Clone)]
pub struct VerifiedJwt {
    content: Arc<Content>,
    fingerprint: Fingerprint,
}

impl VerifiedJwt {
    /// Must be called only after the signature was verified.
    pub(super) fn verified(content: Arc<Content>, fingerprint: Fingerprint) -> Self {
        Self {
            content,
            fingerprint,
        }
    }

    /// Its header, for [`KnownHeaders`](super::KnownHeaders).
    #[must_use]
    pub fn header(&self) -> &Arc<Header> {
        &self.content.header
    }

    /// The algorithm of its signature.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.content.header.algorithm()
    }

    /// The `kid` of its header.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.content.header.kid()
    }

    /// The `typ` of its header.
    #[must_use]
    pub fn token_type(&self) -> Option<&TokenType> {
        self.content.header.token_type()
    }

    /// The key that signed it.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Its `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.content.claims.registered().issuer
    }

    /// Its `exp`, without any skew.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.content.claims.registered().expires
    }

    /// Whether its `cnf` names a client certificate.
    #[must_use]
    pub fn names_certificate(&self) -> bool {
        self.content.claims.names_certificate()
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(size_of::<Content>())
            .saturating_add(size_of::<TokenIds>())
            .saturating_add(self.content.claims.heap_bytes())
            .saturating_add(self.content.header.memory_bytes())
    }

    /// Checks that the token is valid at `now` and meets `expected`. `request`
    /// has the parts of the request for the rules.
    ///
    /// # Errors
    ///
    /// The first check that failed, in the order of [`ClaimError`]'s variants.
    pub fn check(
        &self,
        expected: &Expectations,
        request: &dyn RequestParts,
        now: UnixTime,
    ) -> Result<CheckedClaims<'_>, ClaimError> {
        check::check(self, expected, request, now)
    }

    /// What revocation lists can name this token by.
    pub(super) fn ids(&self) -> &TokenIds {
        self.content.ids.get_or_init(|| {
            let claims = &self.content.claims;
            let Registered {
                subject, issued_at, ..
            } = claims.registered();
            // A number is compared as it is written, as in claim rules.
            let text = |name| claims.get(name).and_then(text::scalar);
            let (jti, sid) = (text("jti"), text("sid"));
            let texts = [jti.as_deref(), sid.as_deref(), subject.as_deref()];
            Box::new(TokenIds::new(texts, *issued_at))
        })
    }

    /// Where the scopes are that `read` reads. The first call decides for all others, so
    /// all must read the same claims.
    pub(super) fn scope_list(
        &self,
        read: impl FnOnce() -> Option<ScopeList>,
    ) -> Option<&ScopeList> {
        self.content.scopes.get_or_init(read).as_ref()
    }

    pub(super) fn claims(&self) -> &ClaimSet {
        &self.content.claims
    }

    pub(super) fn registered(&self) -> &Registered {
        self.content.claims.registered()
    }
}

impl fmt::Debug for VerifiedJwt {
    /// `Debug` shows only the algorithm, because the rest is personal data.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VerifiedJwt({})", self.algorithm().name())
    }
}
