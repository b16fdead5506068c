//! Budgets of memory, of which parts are taken and returned.

use std::sync::atomic::{AtomicUsize, Ordering};

/// An amount of memory that all holders share.
#[derive(Debug)]
pub struct Budget {
    /// The remaining amount, in bytes.
    left: AtomicUsize,
}

/// A part of a budget. It is returned when the part is dropped.
#[derive(Debug)]
pub struct Part {
    bytes: usize,
    of: &'static Budget,
}

impl Budget {
    /// A budget of this size, in bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
        }
    }

    /// Takes a part of this size in bytes, if the budget suffices.
    pub fn take(&'static self, bytes: usize) -> Option<Part> {
        let less = |left: usize| left.checked_sub(bytes);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        // A part is made only if the amount was taken, because every part is returned.
        taken.ok().map(|_| Part { bytes, of: self })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.of.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_limited_and_parts_are_returned() {
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
