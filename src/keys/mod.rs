//! The life of fetched keys: when they are fetched, how long they serve, and
//! what a fetched answer is worth.
//!
//! Everything here is a value: [`Record`] is what all workers of a proxy know
//! of one source, [`RefreshPolicy`] says what may happen to it at a given time,
//! [`answer`] and [`Metadata`] judge what came from the network. No I/O, no
//! clock, no randomness. It does not know the requests that wait for keys.

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
pub use refresh_policy::{Kind, Outcome, RefreshPolicy, Wants};
