//! The adapter, compiled natively, against a fake of the ABI: its statuses and encodings,
//! its callbacks, and how configurations arrive. The core applies decisions, and has
//! tests for that (`src/host/tests`). Each failure of the ABI is repeated here with its
//! exact status.
//!
//! `abi` defines the host's functions as symbols, so that the SDK's own entry points run
//! the whole lifetime. `world` implements them, and `proxy` is a proxy's view of the
//! filter: they know what reached the upstream and what the client got. Tests check these
//! results, never the calls in between.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends at the first unexpected result"
)]

mod abi;
mod connection;
mod fault;
mod faults;
mod fetching;
mod fields;
#[path = "../../../../src/host/tests/issuer.rs"]
mod issuer;
mod life;
mod memory;
mod proxy;
mod reporting;
mod requests;
mod surges;
mod verifier;
mod world;
