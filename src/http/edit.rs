//! Changes of header fields.

use std::borrow::Cow;

/// A change of a header field of a request or a response, pseudo-headers
/// included. Changes are made in order: a name that is set may have been removed
/// before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit<'a> {
    /// Removes every line of this name.
    Remove(Cow<'a, [u8]>),
    /// Replaces every line of this name by one.
    Set(Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// Adds a line of a name that is not there: proxies that need not look for
    /// others do it faster.
    Add(Cow<'a, [u8]>, Cow<'a, [u8]>),
}
