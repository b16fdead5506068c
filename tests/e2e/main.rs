//! The module in a real Envoy. `make test` builds the module and installs Envoy and the
//! issuers first.
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
    reason = "a test ends at the first unexpected result"
)]

mod basics;
mod capabilities;
mod cognito;
mod deployments;
mod examples;
mod hardening;
mod harness;
mod hostile;
mod keys;
mod memory;
mod observability;
mod operator;
mod reload;
mod routes;
mod soak;
mod startup;
#[path = "../support/mod.rs"]
mod support;
mod surges;
mod traps;
mod waiting;
mod world;
