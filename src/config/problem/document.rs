//! Errors of the text before it is parsed to a tree.

use std::fmt;

use crate::config::{MAX_BYTES, MAX_DEPTH};

/// Why a text is not a configuration document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentProblem {
    /// Nothing but white space, as when a proxy passes no configuration.
    Empty,
    /// Larger than [`MAX_BYTES`].
    TooLarge,
    /// Octets that are not UTF-8.
    NotUtf8,
    /// A byte order mark at the start.
    ByteOrderMark,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// Not JSON. The parser's message, which repeats nothing of the text.
    Syntax(Box<str>),
    /// More text after the one value.
    TextAfterEnd,
    /// Something was left out and not reported. This is a bug, and the document
    /// is refused.
    Incomplete,
}

impl fmt::Display for DocumentProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("is empty; write at least `routes`"),
            Self::TooLarge => {
                let mebibytes = MAX_BYTES.checked_shr(20).unwrap_or_default();
                write!(out, "is larger than {mebibytes} MiB; make it smaller")
            }
            Self::NotUtf8 => out.write_str("not UTF-8; save the file as UTF-8"),
            Self::ByteOrderMark => {
                out.write_str("a byte order mark; save the file as UTF-8 without one")
            }
            Self::Incomplete => out.write_str("could not be compiled; report this as a bug"),
            Self::TooDeep => {
                write!(
                    out,
                    "nested deeper than {MAX_DEPTH} objects and lists; flatten it"
                )
            }
            Self::Syntax(cause) => write!(out, "not JSON ({cause}); write one JSON object"),
            Self::TextAfterEnd => {
                out.write_str("text after the end of the configuration; write one JSON object")
            }
        }
    }
}
