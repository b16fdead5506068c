//! The server behind real proxies: Debian's nginx and `HAProxy`, and Caddy, with the files of
//! `examples/forward-auth`. `make setup-proxies` installs them.
//!
//! `PROXY=nginx` runs one of them; `CASES=text` plays only the cases whose names contain it.
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

mod authorizers;
mod cases;
mod differences;
mod files;
mod heard;
mod hostile;
#[path = "../cases/load.rs"]
mod load;
mod nonces;
mod program;
mod proxies;
mod scenarios;
#[path = "../cases/scripted.rs"]
mod scripted;
#[path = "../cases/sent.rs"]
mod sent;
#[path = "../support/mod.rs"]
mod support;
