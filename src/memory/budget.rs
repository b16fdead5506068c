//! Amounts of memory of which parts are taken and given back.

use std::sync::atomic::{AtomicUsize, Ordering};

/// An amount of memory that all holders share.
#[derive(Debug)]
pub struct Budget {
    /// In bytes.
    left: AtomicUsize,
}

/// A part of a budget, which is given back in the end.
#[derive(Debug)]
pub struct Part {
    bytes: usize,
    of: &'static Budget,
}

impl Budget {
    /// An amount of so many bytes.
    #[must_use]
    pub const fn new(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
        }
    }

    /// Takes a part, if so much is left.
    pub fn take(&'static self, bytes: usize) -> Option<Part> {
        let less = |left: usize| left.checked_sub(bytes);
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        // Made only where it was taken: whatever is made is given back.
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
    fn there_is_no_more_than_there_is_and_it_comes_back() {
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
