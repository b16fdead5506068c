//! The key sets in use. Configurations with the same key set share it and its tables.

use super::set::Contents;
use super::{KeySet, ParsedKeySet};
pub use crate::memory::Label;
use crate::memory::Shelf;

/// The maximum size of all key sets of a worker together, in bytes. Sets in
/// configurations count, but are never refused.
const MAX_BYTES: usize = 128 * 1024 * 1024;

thread_local! {
    /// The sets of this worker.
    static SHELF: Shelf<Contents> = const { Shelf::new(MAX_BYTES) };
}

/// The set with this label, if it is in use.
#[must_use]
pub fn find(label: &Label) -> Option<ParsedKeySet> {
    let contents = SHELF.try_with(|shelf| shelf.find(label)).ok().flatten()?;
    Some(ParsedKeySet {
        skipped: contents.skipped.clone(),
        set: KeySet::of(contents),
    })
}

/// Returns the set with this label that is already in use. Otherwise stores and returns
/// this one.
#[must_use]
pub fn put(label: Label, set: KeySet) -> KeySet {
    if let Some(known) = find(&label) {
        return known.set;
    }
    let _ = SHELF.try_with(|shelf| shelf.put(label, set.contents()));
    set
}

/// Whether there is room for a set that replaces a `former` one.
#[must_use]
pub fn has_room(set: &KeySet, former: Option<&KeySet>) -> bool {
    let former = former.map(KeySet::contents);
    SHELF
        .try_with(|shelf| shelf.has_room(set.memory_bytes(), former, |set| set.bytes))
        .unwrap_or(false)
}

/// Sets the maximum size for this thread.
#[cfg(test)]
pub(crate) fn pretend_max_bytes(bytes: usize) {
    SHELF.with(|shelf| shelf.pretend_max_bytes(bytes));
}

/// The number of sets in use.
#[cfg(test)]
pub(crate) fn count() -> usize {
    SHELF.with(Shelf::count)
}
