//! Locks that a panic does not close.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value behind a lock. A hook that panicked with it leaves whole values, so that the
/// others go on: at worst they see the state before the last event.
pub(crate) fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
