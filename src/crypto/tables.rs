//! Precomputed tables for faster verification with a key: their holders and their memory
//! budget.

use std::fmt;
use std::sync::{Arc, RwLock, Weak};

use crate::memory::{Budget, Need, Part, SERVING, has_room};

/// The default budget for the tables of all keys of all configurations: 32 MiB.
/// Verification also works without tables.
pub static DEFAULT_TABLE_BUDGET: Budget = Budget::new(32 * 1024 * 1024);

/// Reserves memory for a table of this size in bytes. Returns `None` if the budget or the
/// module's memory is insufficient.
pub(super) fn part_for(bytes: usize, budget: &'static Budget) -> Option<Part> {
    let part = budget.take(bytes)?;
    // Building a table temporarily needs the same amount again.
    let need = Need::block(bytes).and(bytes).and(SERVING);
    has_room(need).then_some(part)
}

/// Keeps the tables of a key as long as it exists. When the last `Tables` of a key is
/// dropped, its tables are freed, and verification with the key is slow again.
#[derive(Clone)]
pub struct Tables {
    _kept: Arc<dyn Send + Sync>,
}

impl Tables {
    pub(super) fn new<T: Send + Sync + 'static>(kept: Arc<T>) -> Self {
        Self { _kept: kept }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tables")
    }
}

/// A key's weak reference to its tables.
pub(super) struct Slot<T>(RwLock<Weak<T>>);

impl<T> Slot<T> {
    pub(super) fn empty() -> Self {
        Self(RwLock::new(Weak::new()))
    }

    pub(super) fn get(&self) -> Option<Arc<T>> {
        self.0.read().ok()?.upgrade()
    }

    /// Returns the current value, or the value that `create` makes.
    pub(super) fn get_or_make(&self, create: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        if let Some(known) = self.get() {
            return Some(known);
        }
        let made = Arc::new(create()?);
        *self.0.write().ok()? = Arc::downgrade(&made);
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::pretend;

    #[test]
    fn tables_exist_while_they_are_held() {
        let slot = Slot::empty();
        let one = Tables::new(slot.get_or_make(|| Some(1)).unwrap());
        let other = Tables::new(slot.get_or_make(|| None).unwrap());
        drop(one);
        assert_eq!(slot.get().as_deref(), Some(&1));
        drop(other);
        assert_eq!(slot.get(), None);
        assert_eq!(slot.get_or_make(|| Some(2)).as_deref(), Some(&2));
    }

    #[test]
    fn no_table_uses_the_memory_that_requests_need() {
        static SMALL: Budget = Budget::new(999);
        pretend::set_room(Some(SERVING + 1_999));
        assert!(part_for(1_000, &DEFAULT_TABLE_BUDGET).is_none());
        pretend::set_room(Some(SERVING + 2_000));
        assert!(part_for(1_000, &DEFAULT_TABLE_BUDGET).is_some());
        assert!(part_for(1_000, &SMALL).is_none());
        pretend::set_room(None);
    }
}
