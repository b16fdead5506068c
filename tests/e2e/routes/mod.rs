//! The configuration of routes (`typed_per_filter_config`), which only the dynamic module
//! has: Envoy's Wasm filter takes none.

mod choice;
mod keys;
mod narrowing;
mod stage;
mod strangers;
mod updates;

use crate::support::tools::{self, Host};

/// Whether this run is of the dynamic module: `HOST=dynamic-module`.
fn is_for_this_host() -> bool {
    tools::host() == Host::DynamicModule
}
