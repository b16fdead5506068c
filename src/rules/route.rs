//! The rules of one route, and the proof that a token meets them.

use super::{ClaimName, ClaimRule, Claims, RequestParts, Requirement, Scopes, meets};

/// What a route that needs a token requires besides its validity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteRules {
    /// Scopes, compared with letter case.
    pub scopes: Requirement<Box<str>>,
    /// Claims. All of these rules must be met.
    pub claims: Vec<ClaimRule>,
}

/// The proof that a token's scopes and claims meet a route's rules.
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
    /// Checks a token's claims. Scopes are checked first: if both are missing,
    /// the client learns of the scopes, which it can request.
    ///
    /// # Errors
    ///
    /// The first requirement that is not met.
    pub fn grant(
        &self,
        claims: &dyn Claims,
        scope_claims: &[ClaimName],
        request: &dyn RequestParts,
    ) -> Result<Permit, Missing> {
        if !self.scopes.is_empty() {
            self.judge_scopes(&claims.scopes(scope_claims))?;
        }
        if self.claims.iter().all(|rule| meets(rule, claims, request)) {
            Ok(Permit(()))
        } else {
            Err(Missing::Claims)
        }
    }

    fn judge_scopes(&self, scopes: &Scopes<'_>) -> Result<(), Missing> {
        let wanted = &self.scopes;
        if !wanted.has_required_values(|scope| scopes.contains(scope)) {
            return Err(Missing::Scopes);
        }
        let forbidden = wanted.has_forbidden_value(|scope| scopes.contains(scope));
        if forbidden || (wanted.forbids() && scopes.unreadable) {
            return Err(Missing::NoForbiddenScope);
        }
        Ok(())
    }

    /// The scopes to name in a challenge (RFC 6750 section 3): those of
    /// `any_of` and `all_of`, each once, as configured.
    #[must_use]
    pub fn challenge_scopes(&self) -> Vec<&str> {
        let mut named: Vec<&str> = Vec::new();
        for scope in self.scopes.any_of.iter().chain(&self.scopes.all_of) {
            if !named.contains(&&**scope) {
                named.push(scope);
            }
        }
        named
    }
}
