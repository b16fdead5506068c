//! The module in a real Envoy. `make test` builds the module and puts Envoy
//! and the issuers in place first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a test that meets a surprise ends"
)]

mod basics;
mod cognito;
mod examples;
mod harness;
mod hostile;
mod keys;
mod startup;
#[path = "../support/mod.rs"]
mod support;
mod waiting;
mod world;
