//! Searches and comparisons of bytes, eight at a time, and hexadecimal digits.
//!
//! The Wasm module is optimised for size, where a loop takes ten to twenty instructions
//! per byte. Every request has tokens, claims and headers of hundreds of bytes.

mod hex;
mod same;
mod search;

pub use hex::octet;
pub use same::are_same;
pub use search::{are_printable, are_unseparated, are_visible_without, find};
