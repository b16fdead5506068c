//! Why a document is not a revocation list.

use std::fmt;

use super::{MAX_ENTRIES, MAX_LIST_BYTES};
use crate::json::JsonError;

/// Why a document is not a revocation list. No error repeats an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListError {
    /// The document is larger than [`MAX_LIST_BYTES`].
    TooLarge,
    /// The document is not accepted JSON.
    Json(JsonError),
    /// The document is not an object, or has none of the members of a list.
    NotAList,
    /// This member, or an entry of it, has a wrong type.
    BadEntry(&'static str),
    /// This member is there twice, or `sub` names a subject twice.
    Duplicate(&'static str),
    /// There are more than [`MAX_ENTRIES`] entries.
    TooManyEntries,
}

impl fmt::Display for ListError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(out, "larger than {MAX_LIST_BYTES} bytes"),
            Self::Json(error) => error.fmt(out),
            Self::NotAList => out.write_str("it has none of the members `jti`, `sid` and `sub`"),
            Self::BadEntry("sub") => out.write_str(
                "`sub` is not an object of numbers: the times, in seconds since 1970, before which the tokens were issued",
            ),
            Self::BadEntry(member) => write!(out, "`{member}` is not an array of strings"),
            Self::Duplicate("sub") => out.write_str("`sub`, or a name in it, is there twice"),
            Self::Duplicate(member) => write!(out, "`{member}` is there twice"),
            Self::TooManyEntries => write!(out, "more than {MAX_ENTRIES} entries"),
        }
    }
}

impl std::error::Error for ListError {}
