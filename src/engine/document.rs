//! The documents that the key service polls. Each kind has its parser in
//! [`super::reading`].

use std::sync::Arc;

use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeySet, MAX_KEY_SET_BYTES, ParsedKeySet};
use crate::memory::Budget;
use crate::policy::DocumentSource;

/// The kind of document that a source publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// A JWK Set (RFC 7517).
    KeySet,
}

/// A parsed document.
pub(super) enum ParsedDocument {
    /// A key set, and the label under which other listeners find it.
    Keys(ParsedKeySet, Label),
}

/// A valid document.
#[derive(Clone, Debug)]
pub(super) enum Document {
    /// The usable keys of a JWK Set.
    Keys(Arc<KeySet>),
}

impl DocumentKind {
    /// The kind of document that a source of the policy publishes.
    pub(super) const fn of(_: &DocumentSource) -> Self {
        Self::KeySet
    }

    /// The largest accepted document of this kind, in bytes.
    pub(super) const fn max_bytes(self) -> usize {
        match self {
            Self::KeySet => MAX_KEY_SET_BYTES,
        }
    }
}

impl Document {
    /// Prepares a document to replace the `former` one. Equal parts are shared with the
    /// former document and with other listeners.
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

    /// The keys of the document.
    pub(super) fn keys(&self) -> &KeySet {
        match self {
            Self::Keys(set) => set,
        }
    }

    /// Builds the tables that speed up signature checks, within the budget. Without a
    /// budget, drops them.
    pub(super) fn keep_tables(&self, budget: Option<&'static Budget>) {
        match (self, budget) {
            (Self::Keys(set), Some(budget)) => set.prepare(budget),
            (Self::Keys(set), None) => set.drop_tables(),
        }
    }
}
