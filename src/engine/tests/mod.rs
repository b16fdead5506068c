//! The engine in a simulated world.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows has failed"
)]

mod certificates;
mod crowds;
mod dice;
mod discovery;
mod faults;
mod interleaved;
mod issuer;
mod many_sources;
mod memory;
mod model;
mod nonces;
mod pair;
mod parts;
mod proofs;
mod random;
mod random_lists;
mod renewal;
mod report_mode;
mod reporting;
mod revocation;
mod rotation;
mod settings;
mod shared;
mod sharing;
mod signer;
mod threads;
mod time;
mod waiting;
mod world;
