//! The requests to issuers that are in progress.

use crate::engine::FetchId;

/// Maps the host's ids of the requests to the engine's. There are no more entries than
/// key sources, since each source has one fetch in progress at most.
#[derive(Debug)]
pub struct Fetches<CallId>(Vec<(CallId, FetchId)>);

impl<CallId: PartialEq> Fetches<CallId> {
    /// Creates an empty map: no request is in progress.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Records that the host has sent the engine's request under its own id.
    pub fn sent(&mut self, call: CallId, fetch: FetchId) {
        self.0.push((call, fetch));
    }

    /// Removes and returns the request that this answer belongs to, if there is one.
    pub fn take(&mut self, call: &CallId) -> Option<FetchId> {
        let place = self.0.iter().position(|(known, _)| known == call)?;
        let (_, fetch) = self.0.swap_remove(place);
        Some(fetch)
    }
}

impl<CallId: PartialEq> Default for Fetches<CallId> {
    fn default() -> Self {
        Self::new()
    }
}
