//! JSON as tokens and key sets may contain it: RFC 8259, read strictly.
//!
//! Two readers that disagree about one text are an attack: the first sees
//! `"sub":"alice"`, the second the duplicate after it. So a text is checked as
//! a whole before anything is taken from it, members that nobody asks for
//! included. Refused, at every level:
//!
//! * what is not UTF-8, a byte order mark, text after the value;
//! * two members of one name in an object, also when spelled with escapes;
//! * lone surrogates, and numbers beyond an `f64` (`1e400`);
//! * nesting deeper than the caller's limit.
//!
//! What was checked becomes a [`Value`], a piece of the text that is known to
//! be good. Values are opened one level at a time and only where somebody
//! looks; numbers are kept as written. The work is linear in the text's length
//! (up to the ordering of member names), the stack is bounded by the depth
//! limit.
//!
//! The module gives no meaning to members, and never turns an array into a
//! structure, as derived deserialisers do.

mod document;
mod strict;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

pub use document::Document;
pub use value::{Kind, Object, Value};

/// Checks one JSON text and returns its value.
///
/// `max_depth` bounds the nesting: 1 allows an object or array of scalars,
/// 0 a scalar alone.
///
/// # Errors
///
/// Where and why the text is refused.
pub fn parse(text: &[u8], max_depth: usize) -> Result<Value<'_>, JsonError> {
    strict::check(text, max_depth).map(Value::checked)
}

/// Checks one JSON text that has to be an object and returns its members.
///
/// `max_depth` bounds the nesting: 1 allows an object of scalars.
///
/// # Errors
///
/// Where and why the text is refused.
pub fn object(text: &[u8], max_depth: usize) -> Result<Object<'_>, JsonError> {
    object_in(strict::utf8(text)?, max_depth)
}

fn object_in(text: &str, max_depth: usize) -> Result<Object<'_>, JsonError> {
    match strict::object(text, max_depth) {
        // Whoever nests deep does not want to know where it is too deep.
        Err(error) if error.fault != Fault::TooDeep => {
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

/// A text that is no JSON, or none that is let in. It repeats nothing of the
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub fault: Fault,
    /// Line of the text at which reading stopped, from 1.
    pub line: usize,
    /// Column, in bytes, from 1 (0: at the line's end before it).
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
    /// Good JSON, but not an object.
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
