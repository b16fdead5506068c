//! Changes of header fields.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// A change of a header field of a request or a response, pseudo-headers
/// included. Edits are applied in order: a name may be removed before it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit<'a> {
    /// Removes every line of this name.
    Remove(EditedName<'a>),
    /// Replaces every line of this name with one line.
    Set(EditedName<'a>, Cow<'a, [u8]>),
    /// Adds a line with a name that is absent. This is faster than `Set`, since
    /// proxies need not search for other lines.
    Add(EditedName<'a>, Cow<'a, [u8]>),
}

impl HeaderEdit<'_> {
    /// The name of the field, as it is written.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Remove(name) | Self::Set(name, _) | Self::Add(name, _) => name,
        }
    }
}

/// The name of a header field that is changed. Most names come from the configuration, and
/// are shared with it: a copy would be an allocation for each request.
#[derive(Clone, Debug)]
pub enum EditedName<'a> {
    /// A configured name.
    Configured(Arc<str>),
    /// Any other name.
    Other(Cow<'a, [u8]>),
}

impl Deref for EditedName<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Configured(name) => name.as_bytes(),
            Self::Other(name) => name,
        }
    }
}

/// Names are equal if their bytes are.
impl PartialEq for EditedName<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for EditedName<'_> {}

impl From<Arc<str>> for EditedName<'_> {
    fn from(name: Arc<str>) -> Self {
        Self::Configured(name)
    }
}

impl<'a> From<&'a [u8]> for EditedName<'a> {
    fn from(name: &'a [u8]) -> Self {
        Self::Other(Cow::Borrowed(name))
    }
}

impl From<Vec<u8>> for EditedName<'_> {
    fn from(name: Vec<u8>) -> Self {
        Self::Other(Cow::Owned(name))
    }
}
