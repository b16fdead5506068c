//! The adapter, compiled natively, against an ABI that these tests fake: its
//! statuses and forms, its callbacks, and configurations on their way in. What is
//! done with decisions is the core's, and tested there (`src/host/tests`); each
//! failure of the ABI is played here once more, down to the status.
//!
//! `abi` defines the host's functions as symbols, so that the SDK's own entry
//! points drive the whole life cycle. `world` is what is behind them and
//! `proxy` what a proxy does with the filter: they know what reached the
//! upstream and what the client got, and tests ask for that, never for the
//! calls in between.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets a surprise ends"
)]

mod abi;
mod connection;
mod fault;
mod faults;
mod fetching;
mod fields;
mod issuer;
mod life;
mod memory;
mod proxy;
mod requests;
mod surges;
mod telling;
mod verifier;
mod world;
