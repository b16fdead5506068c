//! The lists in use. Listeners with the same list share it.

use std::sync::Arc;

use super::RevocationList;
pub use crate::memory::Label;
use crate::memory::Shelf;

/// The maximum size of all lists of a worker together, in bytes: forty of the largest.
const MAX_BYTES: usize = 64 * 1024 * 1024;

thread_local! {
    /// The lists of this worker.
    static SHELF: Shelf<RevocationList> = const { Shelf::new(MAX_BYTES) };
}

/// The list with this label, if it is in use.
#[must_use]
pub fn find(label: &Label) -> Option<Arc<RevocationList>> {
    SHELF.try_with(|shelf| shelf.find(label)).ok().flatten()
}

/// Returns the list with this label that is already in use. Otherwise stores and returns
/// this one.
#[must_use]
pub fn put(label: Label, list: Arc<RevocationList>) -> Arc<RevocationList> {
    if let Some(known) = find(&label) {
        return known;
    }
    let _ = SHELF.try_with(|shelf| shelf.put(label, &list));
    list
}

/// Whether there is room for a list that replaces a `former` one.
#[must_use]
pub fn has_room(list: &RevocationList, former: Option<&Arc<RevocationList>>) -> bool {
    let bytes = RevocationList::memory_bytes;
    SHELF
        .try_with(|shelf| shelf.has_room(bytes(list), former, bytes))
        .unwrap_or(false)
}

/// Sets the maximum size for this thread.
#[cfg(test)]
pub(crate) fn pretend_max_bytes(bytes: usize) {
    SHELF.with(|shelf| shelf.pretend_max_bytes(bytes));
}

/// The number of lists in use.
#[cfg(test)]
pub(crate) fn count() -> usize {
    SHELF.with(Shelf::count)
}
