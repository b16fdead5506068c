//! The lists in use. Listeners with the same list share it.

use std::sync::Arc;

use super::RevocationList;
pub use crate::memory::Label;
use crate::memory::Shelf;

/// The maximum size of all lists of a worker together, in bytes: forty of the largest.
const MAX_BYTES: usize = 64 * 1024 * 1024;

thread_local! {
    /// The lists of this worker.
    static SHELF: Shelf<RevocationList> = const { Shelf::new() };
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
    let taken = SHELF.try_with(|shelf| shelf.bytes(RevocationList::memory_bytes));
    let leaves = |former: &&Arc<RevocationList>| Arc::strong_count(former) == 1;
    let left = former.filter(leaves).map_or(0, |list| list.memory_bytes());
    let all = taken
        .unwrap_or(usize::MAX)
        .saturating_sub(left)
        .saturating_add(list.memory_bytes());
    all <= most_bytes()
}

#[cfg(not(test))]
const fn most_bytes() -> usize {
    MAX_BYTES
}

#[cfg(test)]
fn most_bytes() -> usize {
    MAX.get()
}

#[cfg(test)]
thread_local! {
    static MAX: std::cell::Cell<usize> = const { std::cell::Cell::new(MAX_BYTES) };
}

/// Sets the maximum size for this thread.
#[cfg(test)]
pub(crate) fn pretend_max_bytes(bytes: usize) {
    MAX.set(bytes);
}

/// The number of lists in use.
#[cfg(test)]
pub(crate) fn count() -> usize {
    SHELF.with(Shelf::count)
}
