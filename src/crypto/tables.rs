//! Precomputed tables that make checks with a key fast: their holders, and the
//! memory that they may take.

use std::fmt;
use std::sync::{Arc, RwLock, Weak};

use crate::memory::{Budget, Need, Part, SERVING, has_room};

/// What the tables of all keys may take where a host does not say otherwise,
/// whatever configuration the keys belong to: 32 MiB. Checks work without tables.
pub static DEFAULT_TABLE_BUDGET: Budget = Budget::new(32 * 1024 * 1024);

/// A part of the budget for a table of so many bytes; `None` where too little is
/// left of the budget or of the module's memory.
pub(super) fn part_for(bytes: usize, budget: &'static Budget) -> Option<Part> {
    let part = budget.take(bytes)?;
    // As much again is in use while one is made.
    let need = Need::block(bytes).and(bytes).and(SERVING);
    has_room(need).then_some(part)
}

/// Keeps a key's tables for as long as it lives. When the last `Tables` of a key
/// is dropped, its tables are freed, and checks with the key are slow again.
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

/// A key's reference to its tables, which ends with their last holder.
pub(super) struct Slot<T>(RwLock<Weak<T>>);

impl<T> Slot<T> {
    pub(super) fn empty() -> Self {
        Self(RwLock::new(Weak::new()))
    }

    pub(super) fn get(&self) -> Option<Arc<T>> {
        self.0.read().ok()?.upgrade()
    }

    /// What is there, or what `create` makes.
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
    fn tables_are_there_while_somebody_keeps_them() {
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
    fn no_table_is_made_of_the_memory_that_serving_needs() {
        static SMALL: Budget = Budget::new(999);
        pretend::set_room(Some(SERVING + 1_999));
        assert!(part_for(1_000, &DEFAULT_TABLE_BUDGET).is_none());
        pretend::set_room(Some(SERVING + 2_000));
        assert!(part_for(1_000, &DEFAULT_TABLE_BUDGET).is_some());
        assert!(part_for(1_000, &SMALL).is_none());
        pretend::set_room(None);
    }
}
