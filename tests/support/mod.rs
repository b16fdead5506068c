//! Shared parts of the tests: a real Envoy, an upstream that echoes, an issuer with
//! scripted faults, a Cognito-compatible one, tokens, and HTTP clients that can send any
//! byte.
//!
//! A test target includes it with `#[cfg(test)] #[path = "../support/mod.rs"] mod
//! support;`. Everything here blocks; every server listens on a free loopback port and is
//! ended when its value is dropped, or when the process that owns it dies.
#![allow(
    dead_code,
    reason = "each test target uses its own part of the harness"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "the harness ends the test at the first unexpected result, and uses the real clock"
)]

pub(crate) mod answers;
pub(crate) mod authorizer;
pub(crate) mod bootstrap;
pub(crate) mod client;
pub(crate) mod cognito;
pub(crate) mod dns;
pub(crate) mod echo;
pub(crate) mod envoy;
pub(crate) mod example;
pub(crate) mod http;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod issuer;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod proofs;
pub(crate) mod server;
pub(crate) mod shapes;
pub(crate) mod template;
pub(crate) mod tokens;
pub(crate) mod tools;
pub(crate) mod trapdoor;
pub(crate) mod walk;
pub(crate) mod wasm;
