//! The configuration of routes (`typed_per_filter_config`). Only the dynamic module
//! supports it, because Envoy's Wasm filter has none.

mod choice;
mod foreign;
mod keys;
mod narrowing;
mod stage;
mod updates;

use crate::support::tools::{self, Host};

/// Whether this run tests the dynamic module: `HOST=dynamic-module`.
fn is_for_this_host() -> bool {
    tools::host() == Host::DynamicModule
}
