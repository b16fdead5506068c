//! What access logs show of a decision.

use std::sync::Arc;

use edge_authz::telemetry::{FilterState, Reason};

/// Why a request was decided as it was.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The reason.
    pub reason: Reason,
    /// The route's name: the first of its patterns, as written.
    pub route: Option<Arc<str>>,
    /// The provider of the token.
    pub provider: Option<Arc<str>>,
    /// The entries that the configuration publishes in `filter_state`.
    pub published: Vec<(FilterState, String)>,
}
