//! The lifecycle of fetched keys: when they are fetched, how long they may be used, and
//! which answers are acceptable.
//!
//! Everything here is a value. [`Record`] is what all workers of a proxy know about one
//! source. [`RefreshPolicy`] defines the permitted transitions at a given time.
//! [`answer`] and [`Metadata`] validate data from the network. This module does no I/O
//! and has no clock and no randomness. It does not know the requests that wait for keys.

mod absent;
pub mod answer;
mod metadata;
mod record;
mod refresh_policy;
#[cfg(test)]
mod tests;

pub use absent::AbsentKids;
pub use metadata::{Issuer, Metadata};
pub use record::{Content, Discovered, Failure, Jitter, Lease, Record};
pub use refresh_policy::{Kind, Needs, Outcome, RefreshPolicy};
