//! Tests the module against a fake of Envoy's interface: its results, its hooks, and the
//! arrival of configurations. The core applies decisions, and `src/host/tests` tests
//! that. These tests repeat each failure of the interface.
//!
//! `callbacks` contains the functions that Envoy offers, `world` implements them, and
//! `proxy` calls the hooks as Envoy does. They record what the upstream and the client
//! receive. Tests check these results, never the calls between them.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test that meets a surprise ends"
)]

mod callbacks;
mod connection;
mod crowd;
mod fault;
mod faults;
#[path = "../../../../src/host/tests/issuer.rs"]
mod issuer;
mod narrowed;
mod panics;
mod passed;
mod proxy;
mod refusals;
mod requests;
mod threads;
mod world;
