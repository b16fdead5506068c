//! Refusals that are only reported.

use std::sync::Arc;

use super::{Decision, NeededDocument, Verdict};
use crate::policy::{Access, Mode, Policy, Route};
use crate::telemetry::Reason;

/// A refusal that is reported and not enforced. Only a decision under [`Mode::Report`]
/// makes one, so its owner knows that the request may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unenforced {
    reason: Reason,
    route: Option<Arc<str>>,
    provider: Option<Arc<str>>,
}

impl Unenforced {
    /// The refusal in this decision, if it must not be enforced. `route` is the route of the
    /// request, if one was found.
    ///
    /// Denied routes refuse in any mode. A request that would wait for keys or a revocation
    /// list counts as one for which they are unavailable.
    pub(super) fn of(policy: &Policy, route: Option<&Route>, decision: &Decision) -> Option<Self> {
        let (mode, access) = route.map_or((policy.mode, Access::Required), |route| {
            (route.mode, route.access)
        });
        match (mode, access) {
            (Mode::Enforce, _) | (Mode::Report, Access::Denied) => return None,
            (Mode::Report, Access::Public | Access::Optional | Access::Required) => {}
        }
        let reason = match &decision.verdict {
            // The host has failed, or there is no memory. This is not a rule of the policy.
            Verdict::Reply(Reason::InternalError, _) => return None,
            Verdict::Reply(reason, reply) if reply.status >= 400 => *reason,
            Verdict::Forward(_) | Verdict::Reply(..) => return None,
            Verdict::Wait(needed) => NeededDocument::unavailable(needed, policy),
        };
        Some(Self {
            reason,
            route: route.map(|route| Arc::clone(&route.name)),
            provider: decision.facts.provider.clone(),
        })
    }

    /// The reason for which the request would have been refused.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The route that would have refused it, as configured.
    #[must_use]
    pub const fn route(&self) -> Option<&Arc<str>> {
        self.route.as_ref()
    }

    /// The provider of its token, as configured. The token may be forged.
    #[must_use]
    pub const fn provider(&self) -> Option<&Arc<str>> {
        self.provider.as_ref()
    }
}
