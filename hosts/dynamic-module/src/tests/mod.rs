//! The module against a fake of Envoy's interface: its results, its hooks, and how
//! configurations arrive. The core applies decisions, and has tests for that
//! (`src/host/tests`). Each failure of the interface is repeated here.
//!
//! `callbacks` has the functions that Envoy offers, `world` implements them, and `proxy`
//! calls the hooks as Envoy does: they know what reached the upstream and what the client
//! got. Tests check these results, never the calls in between.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test that meets a surprise ends"
)]

mod callbacks;
mod connection;
mod fault;
mod faults;
#[path = "../../../../src/host/tests/issuer.rs"]
mod issuer;
mod panics;
mod proxy;
mod refusals;
mod requests;
mod threads;
mod world;
