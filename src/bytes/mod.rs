//! Searches and comparisons of bytes, eight at a time.
//!
//! The Wasm module is optimised for size, where a loop over bytes takes ten to twenty
//! instructions for each. Tokens, claims and headers are hundreds of bytes, and every
//! request has them.

mod same;
mod search;

pub use same::are_same;
pub use search::{are_printable, are_unseparated};
