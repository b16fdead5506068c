//! Appends formatted text to a string.

use std::fmt::{Arguments, Write};

/// Appends to a string, which takes every text.
pub(super) fn append(out: &mut String, text: Arguments<'_>) {
    let infallible = out.write_fmt(text);
    debug_assert!(infallible.is_ok(), "a string takes all");
}
