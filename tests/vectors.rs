//! Published test vectors: every signature algorithm, with both implementations.
//!
//! Each vector is checked by the module itself and by a host that verifies natively.
//! Another implementation stands in for the host. It gets the input of a real host, so
//! that it also checks the encoding of keys and signatures. Vectors that are not run are
//! counted with their reason.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test reports the error at its origin"
)]

#[path = "vectors/host.rs"]
mod host;
#[path = "vectors/keys.rs"]
mod keys;
#[path = "vectors/properties.rs"]
mod properties;
#[path = "vectors/rfc.rs"]
mod rfc;
#[path = "vectors/tally.rs"]
mod tally;
#[path = "vectors/wycheproof.rs"]
mod wycheproof_sets;
