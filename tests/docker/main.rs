//! The module in the containers of `envoy/docker-compose.yaml`: how requests are
//! answered, and faults that only containers can show.
//!
//! `make docker-test` builds the images and runs it; `cargo test` alone does not. Every
//! test has its own containers and networks, which are removed when it ends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test ends at the first unexpected result"
)]

mod compose;
mod documents;
mod engine;
mod outages;
mod requests;
mod restarts;
mod side_by_side;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
