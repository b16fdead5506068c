//! The documents that the key service polls. Each kind has its parser in
//! [`super::reading`].

use std::sync::Arc;

use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeySet, MAX_KEY_SET_BYTES, ParsedKeySet};
use crate::memory::Budget;
use crate::policy::KeySource;

/// The kind of document that a source publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// A JWK Set (RFC 7517).
    KeySet,
}

/// A document as its parser read it.
pub(super) enum ParsedDocument {
    /// A key set, and the label by which other listeners find it.
    Keys(ParsedKeySet, Label),
}

/// A good document.
#[derive(Clone, Debug)]
pub(super) enum Document {
    /// The usable keys of a JWK Set.
    Keys(Arc<KeySet>),
}

impl DocumentKind {
    /// The kind that a source of the policy publishes.
    pub(super) const fn of(_: &KeySource) -> Self {
        Self::KeySet
    }

    /// The largest document of the kind that is read, in bytes.
    pub(super) const fn max_bytes(self) -> usize {
        match self {
            Self::KeySet => MAX_KEY_SET_BYTES,
        }
    }
}

impl Document {
    /// Makes a document ready for use in the place of the `former` one. It shares with that one, and with other listeners, what is the same.
    pub(super) fn new(parsed: ParsedDocument, former: Option<&Self>) -> Self {
        match parsed {
            ParsedDocument::Keys(ParsedKeySet { mut set, .. }, label) => {
                if let Some(Self::Keys(former)) = former {
                    set.adopt(former);
                }
                Self::Keys(Arc::new(shelf::put(label, set)))
            }
        }
    }

    /// Its keys.
    pub(super) fn keys(&self) -> &KeySet {
        match self {
            Self::Keys(set) => set,
        }
    }

    /// Builds what makes checks with it fast, or gives that up.
    pub(super) fn keep_tables(&self, budget: Option<&'static Budget>) {
        match (self, budget) {
            (Self::Keys(set), Some(budget)) => set.prepare(budget),
            (Self::Keys(set), None) => set.give_up_tables(),
        }
    }
}
