//! What only a module in Envoy's own process has: its panics, its thread, and memory that
//! it shares with Envoy. And what Envoy offers only to such a module: configurations of
//! routes, labelled metrics and dynamic metadata. `tests/end-to-end` chooses; plain
//! `cargo test` runs the Wasm module, and ignores these.

mod panics;
mod process;
mod published;
mod routes;

use crate::support::tools::{self, Host};

/// Ends a test that was chosen for the wrong host.
#[track_caller]
pub(crate) fn only_here() {
    let host = tools::host();
    assert_eq!(
        host,
        Host::DynamicModule,
        "run tests/end-to-end dynamic-module"
    );
}
