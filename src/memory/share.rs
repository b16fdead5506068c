//! Memory that several holders share according to their use.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};

use super::SERVING;
use super::room::{Need, has_room};

/// The amount that is requested at once when memory might be short, in bytes. One check
/// then suffices for many small shares.
const STEP: usize = 256 * 1024;

/// An amount of memory for data that can be released. A holder that finds nothing left
/// asks the largest holder to release half of its share.
///
/// Holders may be in different threads. Two that check for room at the same time may both
/// get the last of it.
#[derive(Debug)]
pub struct Pool {
    /// The size of the pool, in bytes. All other amounts are in bytes too.
    most: usize,
    taken: AtomicUsize,
    /// The amount that may be taken before the available memory is checked again.
    found: AtomicUsize,
    holders: Mutex<Vec<Weak<Holder>>>,
}

/// The share of one holder. It is returned when it is dropped.
#[derive(Debug)]
pub struct Share {
    pool: Arc<Pool>,
    holder: Arc<Holder>,
}

#[derive(Debug, Default)]
struct Holder {
    bytes: AtomicUsize,
    /// Whether another holder has found nothing left.
    is_release_requested: AtomicBool,
}

impl Pool {
    /// Creates a pool of this size, in bytes.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: AtomicUsize::new(0),
            found: AtomicUsize::new(0),
            holders: Mutex::default(),
        })
    }

    /// Creates a holder with an empty share.
    #[must_use]
    pub fn share(self: &Arc<Self>) -> Share {
        let holder = Arc::new(Holder::default());
        if let Ok(mut holders) = self.holders.lock() {
            holders.retain(|holder| holder.strong_count() > 0);
            holders.push(Arc::downgrade(&holder));
        }
        Share {
            pool: Arc::clone(self),
            holder,
        }
    }

    fn request_release(&self, but: &Arc<Holder>) {
        let Ok(holders) = self.holders.lock() else {
            return;
        };
        let holders = holders.iter().filter_map(Weak::upgrade);
        if let Some(largest) = holders.max_by_key(|holder| holder.bytes.load(Relaxed))
            && !Arc::ptr_eq(&largest, but)
            && largest.bytes.load(Relaxed) > but.bytes.load(Relaxed)
        {
            largest.is_release_requested.store(true, Relaxed);
        }
    }

    fn finds(&self, bytes: usize) -> bool {
        if self.found.load(Relaxed) >= bytes {
            return true;
        }
        let step = bytes.max(STEP);
        let found = has_room(Need::block(step).and(SERVING));
        self.found.store(if found { step } else { 0 }, Relaxed);
        found
    }
}

impl Share {
    /// Creates another holder of the same pool.
    #[must_use]
    pub fn sibling(&self) -> Self {
        self.pool.share()
    }

    /// The size of this share, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.holder.bytes.load(Relaxed)
    }

    /// Whether the pool has this number of bytes left. This suffices for memory within
    /// [`SERVING`]: no other holder is asked to release memory, and the available memory
    /// is not checked.
    #[must_use]
    pub fn has_left(&self, bytes: usize) -> bool {
        self.pool.taken.load(Relaxed).saturating_add(bytes) <= self.pool.most
    }

    /// Whether this number of bytes can be taken: the pool has them left, and the module
    /// has the memory.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        if !self.has_left(bytes) {
            self.pool.request_release(&self.holder);
            return false;
        }
        self.pool.finds(bytes)
    }

    /// Records that this number of bytes was taken. A holder that takes more than there
    /// [is room](Self::has_room) for must return the same amount at once.
    pub fn take(&self, bytes: usize) {
        let pool = &self.pool;
        pool.taken.fetch_add(bytes, Relaxed);
        let found = pool.found.load(Relaxed);
        pool.found.store(found.saturating_sub(bytes), Relaxed);
        self.holder.bytes.fetch_add(bytes, Relaxed);
    }

    /// Records that this number of bytes was freed.
    pub fn release(&self, bytes: usize) {
        let bytes = bytes.min(self.bytes());
        let pool = &self.pool;
        // At most the taken amount is returned.
        pool.taken.fetch_sub(bytes, Relaxed);
        self.holder.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Whether this holder was asked to release half of its share since the last call.
    #[must_use]
    pub fn is_release_requested(&self) -> bool {
        self.holder.is_release_requested.swap(false, Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release(self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::pretend;

    #[test]
    fn a_holder_without_room_asks_the_largest_one() {
        let pool = Pool::new(100);
        let (small, large, new) = (pool.share(), pool.share(), pool.share());
        small.take(30);
        large.take(60);
        assert!(new.has_room(10));
        assert!(!new.has_room(11));
        assert!(large.is_release_requested() && !small.is_release_requested());
        // Each request is reported once.
        assert!(!large.is_release_requested());
        large.release(30);
        assert!(new.has_room(40));
        new.take(40);
        // No holder releases memory to a larger one.
        assert!(!new.has_room(1));
        assert!(
            !small.is_release_requested()
                && !large.is_release_requested()
                && !new.is_release_requested()
        );
    }

    #[test]
    fn a_dropped_share_is_returned() {
        let pool = Pool::new(100);
        let (one, other) = (pool.share(), pool.share());
        one.take(100);
        assert!(!other.has_room(1));
        drop(one);
        assert!(other.has_room(100));
        // At most the taken amount is returned.
        other.take(50);
        other.release(80);
        assert_eq!(other.bytes(), 0);
        assert!(other.has_room(100) && !other.has_room(101));
    }

    #[test]
    fn the_memory_for_serving_is_never_taken() {
        let share = Pool::new(usize::MAX).share();
        pretend::set_room(Some(SERVING));
        assert!(!share.has_room(1));
        pretend::set_room(Some(SERVING + STEP));
        assert!(share.has_room(1));
        share.take(STEP);
        pretend::set_room(Some(SERVING));
        assert!(!share.has_room(1));
        pretend::set_room(None);
        assert!(share.has_room(1));
    }
}
