//! Tests of what only a virtual machine has: traps, its own memory and capabilities. The
//! dynamic module is a part of Envoy and has none of them; `dynamic_module` tests its
//! faults. `tests/end-to-end` selects these tests.

mod capabilities;
mod memory;
mod traps;

use crate::support::tools::{self, Host};

/// Fails a test that was selected for the wrong host.
#[track_caller]
fn only_here() {
    let host = tools::host();
    assert_eq!(host, Host::ProxyWasm, "run tests/end-to-end dynamic-module");
}
