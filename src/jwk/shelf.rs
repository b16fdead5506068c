//! The key sets in use. Configurations with the same key set share it and its tables.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use sha2::{Digest, Sha256};

use super::set::Contents;
use super::{KeySet, ParsedKeySet};

/// Identifies a key set by its origin and all of its bytes. A set from another origin, or
/// with a different byte, has another label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label([u8; 32]);

impl Label {
    /// The label of a document from this origin.
    #[must_use]
    pub fn new(place: &str, document: &[u8]) -> Self {
        let length = u64::try_from(place.len()).unwrap_or(u64::MAX);
        let digest = Sha256::new()
            .chain_update(length.to_be_bytes())
            .chain_update(place)
            .chain_update(document);
        Self(digest.finalize().into())
    }
}

/// The maximum size of all key sets of a worker together, in bytes. Sets in
/// configurations count, but are never refused.
const MAX_BYTES: usize = 128 * 1024 * 1024;

/// The sets, sorted by label.
type Shelf = RefCell<Vec<(Label, Weak<Contents>)>>;

thread_local! {
    /// The sets of this worker. It does not keep sets alive.
    static SHELF: Shelf = const { RefCell::new(Vec::new()) };
}

/// The set with this label, if it is in use.
#[must_use]
pub fn find(label: &Label) -> Option<ParsedKeySet> {
    let known = |shelf: &Shelf| {
        let shelf = shelf.try_borrow().ok()?;
        let place = place(&shelf, label).ok()?;
        shelf.get(place)?.1.upgrade()
    };
    let contents = SHELF.try_with(known).ok().flatten()?;
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
    let _ = SHELF.try_with(|shelf| {
        if let Ok(mut shelf) = shelf.try_borrow_mut() {
            shelf.retain(|(_, contents)| contents.strong_count() > 0);
            if let Err(place) = place(&shelf, &label) {
                shelf.insert(place, (label, Arc::downgrade(set.contents())));
            }
        }
    });
    set
}

/// The index of a label, or the index where it must be inserted.
fn place(shelf: &[(Label, Weak<Contents>)], label: &Label) -> Result<usize, usize> {
    shelf.binary_search_by(|(known, _)| known.cmp(label))
}

/// Whether there is room for a set that replaces a `former` one.
#[must_use]
pub fn has_room(set: &KeySet, former: Option<&KeySet>) -> bool {
    let leaves = |former: &&KeySet| Arc::strong_count(former.contents()) == 1;
    let left = former.filter(leaves).map_or(0, KeySet::memory_bytes);
    let taken = SHELF.try_with(|shelf| {
        let shelf = shelf.try_borrow().ok()?;
        let sets = shelf.iter().filter_map(|(_, set)| set.upgrade());
        Some(sets.fold(0, |sum: usize, set| sum.saturating_add(set.bytes)))
    });
    let taken = taken.ok().flatten().unwrap_or(usize::MAX);
    let all = taken
        .saturating_sub(left)
        .saturating_add(set.memory_bytes());
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

/// The number of sets in use.
#[cfg(test)]
pub(crate) fn count() -> usize {
    let in_use = |(_, contents): &&(Label, Weak<Contents>)| contents.strong_count() > 0;
    SHELF.with(|shelf| shelf.borrow().iter().filter(in_use).count())
}
