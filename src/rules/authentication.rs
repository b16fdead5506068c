//! How and when a user must have authenticated (RFC 9470).

use std::time::Duration;

use super::{Claims, Missing};
use crate::time::UnixTime;

/// What a route requires of the authentication of the token's user, at least one of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The accepted values of `acr`, separated by spaces. `None`: any, and none.
    pub acr_values: Option<Box<str>>,
    /// How long ago the user may have authenticated, in whole seconds. `None`: any time.
    pub max_age: Option<Duration>,
}

impl Authentication {
    /// Checks `acr`, then `auth_time`. A claim that is absent or of a wrong type does not
    /// meet the requirement. Neither does an `auth_time` in the future: it would count as
    /// recent for longer than `max_age`.
    pub(super) fn check(
        &self,
        claims: &dyn Claims,
        now: UnixTime,
        clock_skew: Duration,
    ) -> Result<(), Missing> {
        if let Some(accepted) = &self.acr_values {
            let acr = claims.acr().unwrap_or_default();
            if !accepted.split(' ').any(|one| *one == *acr) {
                return Err(Missing::AuthenticationLevel);
            }
        }
        if let Some(max_age) = self.max_age {
            let is_recent = claims.authenticated_at().is_some_and(|at| {
                let latest = at.saturating_add(max_age).saturating_add(clock_skew);
                now <= latest && at <= now.saturating_add(clock_skew)
            });
            if !is_recent {
                return Err(Missing::AuthenticationAge);
            }
        }
        Ok(())
    }
}
