//! The documents that the key service polls. Each kind has its parser in
//! [`super::reading`].

use std::sync::Arc;

use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeySet, MAX_KEY_SET_BYTES, ParsedKeySet};
use crate::memory::Budget;
use crate::revocation::{MAX_LIST_BYTES, RevocationList};
use crate::telemetry::DocumentKind;

/// A parsed document.
pub(super) enum ParsedDocument {
    /// A key set, and the label under which other listeners find it.
    Keys(ParsedKeySet, Label),
    /// A revocation list.
    List(Arc<RevocationList>),
}

/// A valid document.
#[derive(Clone, Debug)]
pub(super) enum Document {
    /// The usable keys of a JWK Set.
    Keys(Arc<KeySet>),
    /// A revocation list.
    List(Arc<RevocationList>),
}

/// The largest accepted document of a kind, in bytes.
pub(super) const fn max_bytes(kind: DocumentKind) -> usize {
    match kind {
        DocumentKind::KeySet => MAX_KEY_SET_BYTES,
        DocumentKind::RevocationList => MAX_LIST_BYTES,
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
            ParsedDocument::List(list) => Self::List(list),
        }
    }

    /// The keys of a key set.
    pub(super) fn keys(&self) -> Option<&KeySet> {
        match self {
            Self::Keys(set) => Some(set),
            Self::List(_) => None,
        }
    }

    /// The revocation list.
    pub(super) const fn list(&self) -> Option<&Arc<RevocationList>> {
        match self {
            Self::Keys(_) => None,
            Self::List(list) => Some(list),
        }
    }

    /// The entity tag with which its publisher can be asked whether it has changed.
    pub(super) fn etag(&self) -> Option<&str> {
        self.list()?.etag()
    }

    /// Builds the tables that speed up signature checks, within the budget. Without a
    /// budget, drops them.
    pub(super) fn keep_tables(&self, budget: Option<&'static Budget>) {
        match (self, budget) {
            (Self::Keys(set), Some(budget)) => set.prepare(budget),
            (Self::Keys(set), None) => set.drop_tables(),
            (Self::List(_), _) => {}
        }
    }
}
