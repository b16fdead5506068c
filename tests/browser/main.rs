//! The module in a real Envoy, used by pages in a real browser, and the pages of the
//! documentation. `make test-browser` builds both and installs Envoy and Chromium first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test ends at the first unexpected result"
)]

mod answers;
mod app;
mod chromium;
#[path = "../../examples/browser-app/codes.rs"]
mod codes;
mod fetch_standard;
#[path = "../../examples/browser-app/issuer.rs"]
mod issuer;
mod matrix;
mod messages;
mod playground;
mod preflight_cache;
#[path = "../../examples/browser-app/servers.rs"]
mod servers;
#[path = "../../examples/browser-app/sign_in.rs"]
mod sign_in;
mod site;
mod stage;
#[path = "../support/mod.rs"]
mod support;
