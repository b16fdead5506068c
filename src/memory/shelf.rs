//! Values in use, so that configurations with the same value share it.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

use sha2::{Digest, Sha256};

/// Identifies a value by its origin and all of its bytes. A value from another origin, or
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

/// The values of one kind that a worker uses, by label. It does not keep them alive.
#[derive(Debug)]
pub struct Shelf<T> {
    values: RefCell<Vec<(Label, Weak<T>)>>,
    /// The maximum size of all values together, in bytes.
    max_bytes: Cell<usize>,
}

impl<T> Shelf<T> {
    /// Creates an empty shelf for values of at most this size together, in bytes.
    #[must_use]
    pub const fn new(max_bytes: usize) -> Self {
        Self {
            values: RefCell::new(Vec::new()),
            max_bytes: Cell::new(max_bytes),
        }
    }

    /// The value with this label, if it is in use.
    #[must_use]
    pub fn find(&self, label: &Label) -> Option<Arc<T>> {
        let values = self.values.try_borrow().ok()?;
        let place = place(&values, label).ok()?;
        values.get(place)?.1.upgrade()
    }

    /// Stores a value, unless a value with this label is in use.
    pub fn put(&self, label: Label, value: &Arc<T>) {
        if let Ok(mut values) = self.values.try_borrow_mut() {
            values.retain(|(_, value)| value.strong_count() > 0);
            if let Err(place) = place(&values, &label) {
                values.insert(place, (label, Arc::downgrade(value)));
            }
        }
    }

    /// Whether there is room for a value of `added` bytes that replaces a `former` one.
    /// `bytes` is the size of a value. A former value that others use too leaves no room.
    #[must_use]
    pub fn has_room(
        &self,
        added: usize,
        former: Option<&Arc<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> bool {
        let leaves = |former: &&Arc<T>| Arc::strong_count(former) == 1;
        let left = former.filter(leaves).map_or(0, |former| bytes(former));
        let all = self.bytes(bytes).saturating_sub(left).saturating_add(added);
        all <= self.max_bytes.get()
    }

    /// Replaces the maximum size.
    #[cfg(test)]
    pub(crate) fn pretend_max_bytes(&self, bytes: usize) {
        self.max_bytes.set(bytes);
    }

    fn bytes(&self, bytes: impl Fn(&T) -> usize) -> usize {
        let Ok(values) = self.values.try_borrow() else {
            return usize::MAX;
        };
        let values = values.iter().filter_map(|(_, value)| value.upgrade());
        values.fold(0, |sum: usize, value| sum.saturating_add(bytes(&value)))
    }

    /// The number of values in use.
    #[must_use]
    pub fn count(&self) -> usize {
        let Ok(values) = self.values.try_borrow() else {
            return 0;
        };
        let in_use = |(_, value): &&(Label, Weak<T>)| value.strong_count() > 0;
        values.iter().filter(in_use).count()
    }
}

/// The index of a label, or the index where it must be inserted.
fn place<T>(values: &[(Label, Weak<T>)], label: &Label) -> Result<usize, usize> {
    values.binary_search_by(|(known, _)| known.cmp(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_while_it_is_in_use() {
        let shelf = Shelf::new(10);
        let label = Label::new("a", b"x");
        let value = Arc::new(7_usize);
        shelf.put(label, &value);
        assert_eq!(shelf.find(&label).as_deref(), Some(&7));
        for other in [
            Label::new("a", b"y"),
            Label::new("ax", b""),
            Label::new("b", b"x"),
        ] {
            assert_eq!(shelf.find(&other), None);
        }
        // The first value stays.
        shelf.put(label, &Arc::new(8));
        assert_eq!(shelf.find(&label).as_deref(), Some(&7));
        assert_eq!((shelf.count(), shelf.bytes(|value| *value)), (1, 7));
        drop(value);
        assert_eq!(shelf.find(&label), None);
        assert_eq!((shelf.count(), shelf.bytes(|value| *value)), (0, 0));
    }
}
