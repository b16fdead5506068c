//! What the proxy's route adds to the rules of its listener.

use super::Policy;

/// How a route of the proxy narrows the policy of its listener.
///
/// A request passes only if the listener's policy lets it pass, and this does too. So
/// nothing here opens what the listener closes, and a proxy that chooses another route
/// than expected loses at most the narrowing.
#[derive(Debug)]
pub enum Narrowing {
    /// Not at all.
    Enforce,
    /// No request passes.
    Denied,
    /// By a policy of its own.
    By(Box<Policy>),
}
