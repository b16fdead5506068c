//! The adapter, compiled natively, against an ABI that these tests fake.
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
mod faults;
mod fetching;
mod issuer;
mod life;
mod memory;
mod proxy;
mod requests;
mod responses;
mod surges;
mod telling;
mod world;
