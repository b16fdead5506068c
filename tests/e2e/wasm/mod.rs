//! What only a virtual machine has: traps, a memory of its own and capabilities. The
//! dynamic module is a part of Envoy and has none of them; `dynamic_module` has the tests
//! of its own faults. `tests/end-to-end` chooses.

mod capabilities;
mod memory;
mod traps;

use crate::support::tools::{self, Host};

/// Ends a test that was chosen for the wrong host.
#[track_caller]
fn only_here() {
    let host = tools::host();
    assert_eq!(host, Host::ProxyWasm, "run tests/end-to-end dynamic-module");
}
