//! The memory that tables of keys may take, all together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// For the tables of all keys of a module, whatever configuration they are of:
/// 32 MiB.
///
/// A host gives a module so much memory and no more (Envoy 1 GiB), for all its
/// listeners and, during an update, their former configurations. What runs out
/// of it traps, and a trap in a worker's `on_configure` lets that listener's
/// requests pass unchecked. So what is not needed must never be what takes it.
static TABLES: Budget = Budget::new(32 * 1024 * 1024);

/// An amount of memory of which parts are taken and given back.
#[derive(Debug)]
struct Budget {
    /// In bytes.
    left: AtomicUsize,
}

/// A part of a budget, which is given back in the end.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
    of: &'static Budget,
}

impl Budget {
    const fn new(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
        }
    }

    fn take(&'static self, bytes: usize) -> Option<Room> {
        let less = |left: usize| left.checked_sub(bytes);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        // Made only where it was taken: whatever is made is given back.
        taken.ok().map(|_| Room { bytes, of: self })
    }
}

impl Room {
    /// Room for a table of so many bytes, if there is any left.
    pub(super) fn for_table(bytes: usize) -> Option<Self> {
        TABLES.take(bytes)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.of.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_more_room_than_there_is_and_it_comes_back() {
        static BUDGET: Budget = Budget::new(100);
        let half = BUDGET.take(50).unwrap();
        assert!(BUDGET.take(51).is_none());
        let rest = BUDGET.take(50).unwrap();
        assert!(BUDGET.take(1).is_none());
        drop(half);
        assert!(BUDGET.take(50).is_some());
        drop(rest);
        assert!(BUDGET.take(101).is_none());
        assert!(BUDGET.take(usize::MAX).is_none());
        assert!(BUDGET.take(100).is_some());
    }
}
