//! Published test vectors: every signature algorithm, by both paths.
//!
//! Each vector is checked by the module itself and by a host that verifies
//! natively, for which another implementation stands in. It sees what a host
//! would see, so that the forms in which keys and signatures are handed over
//! are judged by it, too. Whatever is not run is counted with its reason.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails should say so on the spot"
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
