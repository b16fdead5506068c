//! The documents and keys that a judge needs from the key service.

use crate::policy::SourceId;
use crate::time::UnixTime;

/// All that a judge wants at one time, as a value: a later one replaces it, and
/// none that is lost or told twice does harm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The number of the snapshot that it was made by. The judge does not know yet
    /// what came in a later one.
    pub(super) snapshot: u64,
    /// The sources that requests wait for, in order.
    pub(super) sources: Vec<SourceId>,
    /// The sources whose keys lack a `kid` that requests wait for, in order.
    pub(super) kids: Vec<SourceId>,
    /// Those whose keys should have verified a token that was refused, in order,
    /// each with the time of the last one.
    pub(super) doubted: Vec<(SourceId, UnixTime)>,
}

impl Demand {
    /// Whether some request waits.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Whether requests wait that did not when the `former` one was made. A token
    /// that makes keys doubtful is no reason to hurry: its sender could make the
    /// service work.
    pub(super) fn is_more_urgent_than(&self, former: &Self) -> bool {
        self.is_urgent() && (&self.sources, &self.kids) != (&former.sources, &former.kids)
    }

    /// Whether some request waits for this source.
    pub(super) fn awaits(&self, source: SourceId) -> bool {
        self.sources.binary_search(&source).is_ok()
    }

    /// Whether some request waits for a `kid` that the keys of this source lack.
    pub(super) fn lacks_kid(&self, source: SourceId) -> bool {
        self.kids.binary_search(&source).is_ok()
    }

    /// When a token was last refused that the keys of this source should have
    /// verified.
    pub(super) fn doubted_at(&self, source: SourceId) -> Option<UnixTime> {
        let known = self.doubted.binary_search_by_key(&source, |(id, _)| *id);
        self.doubted.get(known.ok()?).map(|(_, at)| *at)
    }
}
