//! What one route wants, and the proof that a token has it.

use super::{ClaimName, ClaimRule, Claims, RequestParts, Requirement, Scopes, meets};

/// What a route that needs a token wants of it, beyond its being valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteRules {
    /// Scopes, compared with their letter case.
    pub scopes: Requirement<Box<str>>,
    /// Claims; all of these rules must be met.
    pub claims: Vec<ClaimRule>,
}

/// The proof that a token's scopes and claims are what a route wants.
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

/// What a token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Scopes that the route names: a token with
    /// [`challenge_scopes`](RouteRules::challenge_scopes) would do.
    Scopes,
    /// The absence of a scope: it has one that `none_of` names, or scopes
    /// that cannot be read. More scopes would not help.
    NoForbiddenScope,
    /// A claim is not as a rule wants it.
    Claims,
}

impl RouteRules {
    /// Judges a token's claims. Scopes come first: where both are missing, the
    /// client is told of the scopes, which it can ask for.
    ///
    /// # Errors
    ///
    /// What is missing, the first of it.
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
        if !wanted.has_what_it_wants(|scope| scopes.contains(scope)) {
            return Err(Missing::Scopes);
        }
        let forbidden = wanted.has_what_it_forbids(|scope| scopes.contains(scope));
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
