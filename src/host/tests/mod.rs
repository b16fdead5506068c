//! The driver against a host that fails wherever a host can: once for all hosts.
//!
//! `world` is the host, with what can go wrong; `proxy` is what a proxy does with
//! a filter: it knows what reached the upstream and what the client got, and tests
//! ask for that, never for the calls in between.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets a surprise ends"
)]

mod exchange;
mod faults;
mod issuer;
mod life;
mod proxy;
mod responses;
mod surges;
mod telling;
mod threads;
mod world;
