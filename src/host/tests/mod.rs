//! The driver against a host that fails in every possible call: once for all hosts.
//!
//! `world` is the host, with its possible faults. `proxy` is a proxy's view of the
//! filter: it knows what reached the upstream and what the client got. Tests check these
//! results, never the calls in between.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends at the first unexpected result"
)]

mod bound;
mod exchange;
mod faults;
mod issuer;
mod life;
mod narrowed;
mod proxy;
mod report_mode;
mod reporting;
mod responses;
mod surges;
mod threads;
mod world;
