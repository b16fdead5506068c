//! A strict JSON reader (RFC 8259) for tokens and key sets, and a writer of strings and numbers.
//!
//! An attacker can exploit two readers that read one text differently: the first
//! sees `"sub":"alice"`, the second a duplicate after it. So the whole text is
//! checked before anything is read from it, including unused members.
//! Refused, at every level:
//!
//! * text that is not UTF-8, a byte order mark, text after the value;
//! * two members of an object with the same name, even if spelled with escapes;
//! * lone surrogates, and numbers that exceed an `f64` (`1e400`);
//! * nesting deeper than the caller's limit.
//!
//! Checked text becomes a [`Value`], a slice of the text that is known to be
//! valid. Values are parsed one level at a time, when they are needed; numbers
//! are kept as written. The work is linear in the text's length (except for
//! sorting member names), and the depth limit bounds the stack.
//!
//! The module does not interpret members, and never converts an array to a
//! structure, as derived deserializers do.

mod decimal;
mod document;
mod flat;
mod strict;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::fmt;

pub use decimal::decimal;
pub use document::Document;
pub use flat::{FlatError, FlatReader, FlatType, Refused, read_flat};
pub use value::{Kind, Object, Value};
pub use write::push_string;

/// Checks one JSON text and returns its value.
///
/// `max_depth` limits the nesting: 1 allows an object or array of scalars, 0
/// only a scalar.
///
/// # Errors
///
/// Why the text is refused, and at which position.
pub fn parse(text: &[u8], max_depth: usize) -> Result<Value<'_>, JsonError> {
    strict::check(text, max_depth).map(Value::checked)
}

/// Checks one JSON text that must be an object, and returns its members.
///
/// `max_depth` limits the nesting: 1 allows an object of scalars.
///
/// # Errors
///
/// Why the text is refused, and at which position.
pub fn object(text: &[u8], max_depth: usize) -> Result<Object<'_>, JsonError> {
    object_in(strict::utf8(text)?, max_depth)
}

fn object_in(text: &str, max_depth: usize) -> Result<Object<'_>, JsonError> {
    match strict::object(text, max_depth) {
        // `check` knows the exact position.
        Err(_) => {
            strict::check(text.as_bytes(), max_depth)?;
            Err(JsonError {
                fault: Fault::NotAnObject,
                line: 1,
                column: 1,
            })
        }
        known => known,
    }
}

/// Text that is not JSON, or not accepted. The error repeats nothing of the
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub fault: Fault,
    /// Line of the text at which reading stopped, from 1.
    pub line: usize,
    /// Column, in bytes, from 1 (0: at the end of the previous line).
    pub column: usize,
}

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Octets that are not UTF-8.
    NotUtf8,
    /// A byte order mark at the start (RFC 8259 section 8.1).
    ByteOrderMark,
    /// Not RFC 8259's grammar, a lone surrogate, a number out of range, or
    /// text after the value.
    Syntax,
    /// Valid JSON, but not an object.
    NotAnObject,
    /// Two members of one object have the same name.
    DuplicateMember,
    /// Nested deeper than allowed.
    TooDeep,
}

impl fmt::Display for JsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::NotUtf8 => "not UTF-8",
            Fault::ByteOrderMark => "a byte order mark before the text",
            Fault::Syntax => "not valid JSON",
            Fault::NotAnObject => "not a JSON object",
            Fault::DuplicateMember => "a duplicate member",
            Fault::TooDeep => "nested too deep",
        };
        write!(out, "{fault} (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for JsonError {}
