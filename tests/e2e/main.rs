//! The filter in a real Envoy. `make test` first builds the modules and installs Envoy
//! and the issuers. `tests/end-to-end` runs these tests with one of the two hosts.
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

mod against;
mod basics;
mod bound;
mod cognito;
mod dashboards;
mod deployments;
mod dynamic_module;
mod examples;
mod hardening;
mod harness;
mod hostile;
mod keys;
mod observability;
mod operator;
mod reload;
mod server;
mod soak;
mod startup;
#[path = "../support/mod.rs"]
mod support;
mod surges;
mod waiting;
mod wasm;
mod world;
