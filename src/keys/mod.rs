//! The life of fetched keys: when they are fetched, how long they serve, and
//! what a fetched answer is worth.
//!
//! Everything here is a value: [`Record`] is what all workers of a proxy know
//! of one key source, [`Machine`] says what may happen to it at a given time,
//! [`answer`] and [`Metadata`] judge what came from the network. No I/O, no
//! clock, no randomness; whoever waits for keys is not known here.

mod absent;
pub mod answer;
mod machine;
mod metadata;
mod record;
#[cfg(test)]
mod tests;

pub use absent::AbsentKids;
pub use machine::{Kind, Machine, Outcome, Wants};
pub use metadata::{Issuer, Metadata};
pub use record::{Content, Discovered, Failure, Jitter, Lease, Record};
