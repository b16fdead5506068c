//! The configuration of routes (`typed_per_filter_config`). Only the dynamic module
//! supports it, because Envoy's Wasm filter has none.

mod bound;
mod choice;
mod foreign;
mod keys;
mod narrowing;
mod stage;
mod updates;

use super::only_here;
