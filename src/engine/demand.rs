//! The documents and keys that a judge needs from the key service.

use crate::policy::SourceId;
use crate::time::UnixTime;

/// Everything that a judge needs from the key service at one time. A lost or duplicate
/// demand does no harm, because the next one replaces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The number of the snapshot on which the demand is based. The judge does not yet
    /// know newer documents.
    pub(super) snapshot: u64,
    /// The sources that requests wait for, in order.
    pub(super) sources: Vec<SourceId>,
    /// The sources whose keys lack a `kid` that requests wait for, in order.
    pub(super) kids: Vec<SourceId>,
    /// The sources whose keys lack a `kid` that requests needed without waiting, in order,
    /// each with the time of the latest need.
    pub(super) sought: Vec<(SourceId, UnixTime)>,
    /// The sources whose keys should have verified a token that was refused, in order,
    /// each with the time of the latest refusal.
    pub(super) doubted: Vec<(SourceId, UnixTime)>,
}

impl Demand {
    /// Whether any request waits.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Whether requests wait that did not wait when the `former` demand was made. A
    /// doubted key is not urgent: otherwise the sender of a token could cause work in the
    /// service.
    pub(super) fn is_more_urgent_than(&self, former: &Self) -> bool {
        self.is_urgent() && (&self.sources, &self.kids) != (&former.sources, &former.kids)
    }

    /// Whether any request waits for this source.
    pub(super) fn awaits(&self, source: SourceId) -> bool {
        self.sources.binary_search(&source).is_ok()
    }

    /// Whether any request waits for a `kid` that the keys of this source lack.
    pub(super) fn lacks_kid(&self, source: SourceId) -> bool {
        self.kids.binary_search(&source).is_ok()
    }

    /// When a `kid` that the keys of this source lack was last needed by a request that did
    /// not wait for it.
    pub(super) fn sought_at(&self, source: SourceId) -> Option<UnixTime> {
        at(&self.sought, source)
    }

    /// When a token that the keys of this source should have verified was last refused.
    pub(super) fn doubted_at(&self, source: SourceId) -> Option<UnixTime> {
        at(&self.doubted, source)
    }
}

/// The time of a source in a list in order.
fn at(times: &[(SourceId, UnixTime)], source: SourceId) -> Option<UnixTime> {
    let known = times.binary_search_by_key(&source, |(id, _)| *id);
    times.get(known.ok()?).map(|(_, at)| *at)
}
