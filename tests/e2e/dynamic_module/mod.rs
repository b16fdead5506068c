//! What only a module in Envoy's own process has: its panics, its thread, and memory that
//! it shares with Envoy. `tests/end-to-end` chooses; plain `cargo test` runs the Wasm
//! module, and ignores these.

mod panics;
mod process;

use crate::support::tools::{self, Host};

/// Ends a test that was chosen for the wrong host.
#[track_caller]
fn only_here() {
    let host = tools::host();
    assert_eq!(
        host,
        Host::DynamicModule,
        "run tests/end-to-end dynamic-module"
    );
}
