//! Counts the updates of the configuration.

use std::sync::atomic::{AtomicU64, Ordering};

/// The updates of the configuration since the start.
#[derive(Debug, Default)]
pub struct Updates {
    accepted: AtomicU64,
    refused: AtomicU64,
}

/// The numbers of updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Those that became active.
    pub accepted: u64,
    /// Those that were refused because of their errors.
    pub refused: u64,
}

impl Updates {
    /// Counts an update that became active.
    pub fn accept(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an update that was refused.
    pub fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// The numbers so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}
