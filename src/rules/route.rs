//! The rules of one route, and the proof that a token meets them.

use std::time::Duration;

use super::{
    Authentication, ClaimName, ClaimRule, Claims, RequestParts, Requirement, ScopeImplications,
    Scopes, meets,
};
use crate::time::UnixTime;

/// What a route that needs a token requires besides its validity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteRules {
    /// The authentication of the user.
    pub authentication: Option<Box<Authentication>>,
    /// Scopes, compared with letter case.
    pub scopes: Requirement<Box<str>>,
    /// Claims. All of these rules must be met.
    pub claims: Vec<ClaimRule>,
}

/// What a route's rules are checked against.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The claims of the token.
    pub claims: &'a dyn Claims,
    /// The claims that hold scopes.
    pub scope_claims: &'a [ClaimName],
    /// The scopes that the token has because of others.
    pub implied: &'a ScopeImplications,
    /// The parts of the request that claims are compared with.
    pub request: &'a dyn RequestParts,
    /// The time of the decision.
    pub now: UnixTime,
    /// The accepted difference between the clocks of issuer and proxy.
    pub clock_skew: Duration,
}

/// The proof that a token's authentication, scopes and claims meet a route's rules.
///
/// Only [`RouteRules::grant`] makes one:
///
/// ```compile_fail,E0423
/// let permit = edge_authz::rules::Permit(());
/// ```
///
/// ```compile_fail,E0277
/// fn make<T: Default>() -> T { T::default() }
/// let permit: edge_authz::rules::Permit = make();
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit(());

/// What a token does not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The user has not authenticated at an accepted level.
    AuthenticationLevel,
    /// The user has authenticated too long ago.
    AuthenticationAge,
    /// Required scopes are missing: a token with
    /// [`challenge_scopes`](RouteRules::challenge_scopes) would be accepted.
    Scopes,
    /// The token has a scope that `none_of` names, or scopes that cannot be
    /// read. More scopes would not help.
    NoForbiddenScope,
    /// A claim does not meet a rule.
    Claims,
}

impl RouteRules {
    /// Checks a token's claims. The authentication is checked first, since with another
    /// one the client gets another token (RFC 9470). Then scopes: if both are missing,
    /// the client learns of the scopes, which it can request.
    ///
    /// # Errors
    ///
    /// The first requirement that is not met.
    pub fn grant(&self, grounds: &Grounds<'_>) -> Result<Permit, Missing> {
        let Grounds {
            claims,
            scope_claims,
            implied,
            request,
            now,
            clock_skew,
        } = *grounds;
        if let Some(authentication) = &self.authentication {
            authentication.check(claims, now, clock_skew)?;
        }
        if !self.scopes.is_empty() {
            self.judge_scopes(&claims.scopes(scope_claims), implied)?;
        }
        if self.claims.iter().all(|rule| meets(rule, claims, request)) {
            Ok(Permit(()))
        } else {
            Err(Missing::Claims)
        }
    }

    /// A scope that another one implies counts like every other, for `none_of` too.
    fn judge_scopes(
        &self,
        scopes: &Scopes<'_>,
        implied: &ScopeImplications,
    ) -> Result<(), Missing> {
        let wanted = &self.scopes;
        let has = |scope: &str| {
            scopes.contains(scope) || (!implied.is_empty() && implied.among(scopes.names(), scope))
        };
        if !wanted.has_required_values(|scope| has(scope)) {
            return Err(Missing::Scopes);
        }
        let forbidden = wanted.has_forbidden_value(|scope| has(scope));
        if forbidden || (wanted.forbids() && scopes.unreadable) {
            return Err(Missing::NoForbiddenScope);
        }
        Ok(())
    }

    /// The scopes to name in a challenge (RFC 6750 section 3): those of
    /// `any_of` and `all_of`, each once, as configured.
    ///
    /// Scopes that a client need not ask for are left out: a scope of `all_of` that
    /// another one implies, a scope of `any_of` that implies a narrower one of them, and
    /// all of `any_of` if a scope of `all_of` implies one of them.
    #[must_use]
    pub fn challenge_scopes(&self, implied: &ScopeImplications) -> Vec<&str> {
        let Requirement { any_of, all_of, .. } = &self.scopes;
        let is_plain = implied.is_empty();
        let is_broader = |broad: &str, narrow: &str| implied.implies(broad, narrow);
        let mut implying = any_of
            .iter()
            .flat_map(|scope| all_of.iter().map(move |broad| (broad, scope)));
        let is_met = !is_plain && implying.any(|(broad, scope)| is_broader(broad, scope));
        let is_narrowest = |scope: &str| !any_of.iter().any(|narrow| is_broader(scope, narrow));
        let is_broadest = |scope: &str| !all_of.iter().any(|broad| is_broader(broad, scope));
        let any_of = any_of
            .iter()
            .filter(|scope| is_plain || (!is_met && is_narrowest(scope)));
        let all_of = all_of.iter().filter(|scope| is_plain || is_broadest(scope));
        let mut named: Vec<&str> = Vec::new();
        for scope in any_of.chain(all_of) {
            if !named.contains(&&**scope) {
                named.push(scope);
            }
        }
        named
    }
}
