//! The active policies for a request.

use std::sync::Arc;

use crate::policy::Policy;
use crate::telemetry::FilterState;

/// The policy of a listener, and the policy that narrows it, if there is one.
#[derive(Debug)]
pub(super) struct ActivePolicies {
    listener: Arc<Policy>,
    narrower: Option<Arc<Policy>>,
}

impl ActivePolicies {
    pub(super) const fn new(listener: Arc<Policy>, narrower: Option<Arc<Policy>>) -> Self {
        Self { listener, narrower }
    }

    /// The listener's policy. It determines the format of refusals that no judge has
    /// decided.
    pub(super) fn listener(&self) -> &Policy {
        &self.listener
    }

    /// The entries of the filter state. Each occurs once, because proxies refuse to write
    /// an entry twice.
    pub(super) fn filter_state(&self) -> impl Iterator<Item = FilterState> {
        let listener = &self.listener.filter_state;
        let narrower = self.narrower.iter().flat_map(|policy| &policy.filter_state);
        let further = narrower.filter(|entry| !listener.contains(entry));
        listener.iter().chain(further).copied()
    }

    /// Whether a client's trailer of this name must be removed before the upstream.
    pub(super) fn removes_trailer(&self, name: &[u8]) -> bool {
        let mut policies = std::iter::once(&self.listener).chain(&self.narrower);
        policies.any(|policy| policy.upstream.removes_trailer(name))
    }
}
