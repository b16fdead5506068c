//! Whether a token has been revoked.

use super::signature::Obstacle;
use super::token::TokenJudge;
use super::{NeededDocument, RevocationOutcome, Step, TokenFault, Trace};
use crate::jwt::CheckedClaims;
use crate::policy::Provider;

impl<T: Trace> TokenJudge<'_, T> {
    /// Checks that the provider's revocation list does not name the token. Without a
    /// current list nobody knows, so the token waits for one.
    pub(super) fn check_revocation(
        &mut self,
        claims: CheckedClaims<'_>,
        provider: &Provider,
    ) -> Result<(), Obstacle> {
        let Some(source) = provider.revoked else {
            return Ok(());
        };
        let (outcome, result) = match self.context.keys.revocation_list(source) {
            None => {
                let needed = NeededDocument {
                    source,
                    lacks_kid: false,
                };
                (RevocationOutcome::NoList, Err(Obstacle::Needs(needed)))
            }
            Some(list) if claims.is_revoked_by(list) => {
                let fault = Obstacle::Fault(TokenFault::Revoked);
                (RevocationOutcome::Revoked, Err(fault))
            }
            Some(list) => (RevocationOutcome::NotNamed(list.len()), Ok(())),
        };
        self.trace.step(Step::Revocation(provider, outcome));
        result
    }
}
