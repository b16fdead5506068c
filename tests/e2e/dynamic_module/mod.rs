//! Tests of what only a module in Envoy's own process has: panics, a thread, and memory
//! that it shares with Envoy; and of what Envoy offers only to such a module:
//! configurations of routes, labelled metrics and dynamic metadata. `tests/end-to-end`
//! selects them. Plain `cargo test` runs the Wasm module and ignores them.

mod panics;
mod process;
mod published;
mod routes;

use crate::support::tools::{self, Host};

/// Fails a test that was selected for the wrong host.
#[track_caller]
pub(crate) fn only_here() {
    let host = tools::host();
    assert_eq!(
        host,
        Host::DynamicModule,
        "run tests/end-to-end dynamic-module"
    );
}
