//! The Helm chart and the Kustomize bases under `deploy`: what Helm's engine and kubectl make
//! of them. `edge-authz render` and the chart are two ways to the same resources, and a test
//! compares them.
//!
//! `make test-kubernetes` installs the tools and runs it; `cargo test` alone does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test ends at the first unexpected result"
)]

mod canary;
#[path = "../../cli/tests/command/definitions.rs"]
mod definitions;
mod gitops;
mod images;
mod kustomize;
mod refused;
mod rendered;
mod schemas;
mod server;
mod tools;
