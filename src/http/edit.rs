//! Changes of header fields.

use std::borrow::Cow;

/// A change of a header field of a request or a response, pseudo-headers
/// included. Edits are applied in order: a name may be removed before it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit<'a> {
    /// Removes every line of this name.
    Remove(Cow<'a, [u8]>),
    /// Replaces every line of this name with one line.
    Set(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// Adds a line with a name that is absent. This is faster than `Set`, since
    /// proxies need not search for other lines.
    Add(Cow<'a, [u8]>, Cow<'a, [u8]>),
}
