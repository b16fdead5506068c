//! The case files next to this file, played twice: on the core with a fixed clock, and on
//! the module in a real Envoy. `docs/case-files.md` describes their format.
//!
//! `CASES=tokens cargo test --test cases` plays only the files, cases and rows whose
//! names contain this text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test ends at the first unexpected result"
)]

mod differences;
mod envoy;
mod judge;
mod load;
mod native;
mod report;
mod sent;
mod stage;
#[path = "../support/mod.rs"]
mod support;
