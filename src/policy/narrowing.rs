//! The restrictions that a route of the proxy adds to its listener's rules.

use super::Policy;

/// How a route of the proxy narrows the policy of its listener.
///
/// A request passes only if the listener's policy and the narrowing allow it. So a
/// narrowing never allows what the listener refuses. If the proxy chooses another route
/// than expected, only the narrowing is lost.
#[derive(Debug)]
pub enum Narrowing {
    /// There is no restriction.
    Enforce,
    /// No request passes.
    Denied,
    /// The route has its own policy.
    By(Box<Policy>),
}
