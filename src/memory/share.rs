//! Memory that several holders share, each as much as it uses.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};

use super::SERVING;
use super::room::{Need, has_room};

/// So many bytes are asked for at once where memory might be short: one look
/// for many small shares.
const STEP: usize = 256 * 1024;

/// An amount of memory for data that can be given up. A holder that finds nothing
/// left asks the largest holder to give up half of what it has.
///
/// Holders may be in several threads: two that look for room at the same time may
/// both find the last of it.
#[derive(Debug)]
pub struct Pool {
    /// In bytes, as all that follows.
    most: usize,
    taken: AtomicUsize,
    /// May be taken before memory is looked for again.
    found: AtomicUsize,
    holders: Mutex<Vec<Weak<Holder>>>,
}

/// One holder's part of a pool, which is given back in the end.
#[derive(Debug)]
pub struct Share {
    pool: Arc<Pool>,
    holder: Arc<Holder>,
}

#[derive(Debug, Default)]
struct Holder {
    bytes: AtomicUsize,
    /// Another holder has found nothing left.
    is_asked: AtomicBool,
}

impl Pool {
    /// A pool of so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: AtomicUsize::new(0),
            found: AtomicUsize::new(0),
            holders: Mutex::default(),
        })
    }

    /// A new holder, which has nothing yet.
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

    fn ask_the_largest(&self, but: &Arc<Holder>) {
        let Ok(holders) = self.holders.lock() else {
            return;
        };
        let holders = holders.iter().filter_map(Weak::upgrade);
        if let Some(largest) = holders.max_by_key(|holder| holder.bytes.load(Relaxed))
            && !Arc::ptr_eq(&largest, but)
            && largest.bytes.load(Relaxed) > but.bytes.load(Relaxed)
        {
            largest.is_asked.store(true, Relaxed);
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
    /// What this holder has taken, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.holder.bytes.load(Relaxed)
    }

    /// Whether the pool has so many bytes left. Enough for what [`SERVING`] keeps
    /// free: no holder is asked to give way, and no memory is looked for.
    #[must_use]
    pub fn is_left(&self, bytes: usize) -> bool {
        self.pool.taken.load(Relaxed).saturating_add(bytes) <= self.pool.most
    }

    /// Whether so many bytes can be taken: the pool has them left, and the
    /// module has the memory.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        if !self.is_left(bytes) {
            self.pool.ask_the_largest(&self.holder);
            return false;
        }
        self.pool.finds(bytes)
    }

    /// Notes that so many bytes were taken. A holder that takes more than there
    /// [is room](Self::has_room) for must give back as much at once.
    pub fn take(&self, bytes: usize) {
        let pool = &self.pool;
        pool.taken.fetch_add(bytes, Relaxed);
        let found = pool.found.load(Relaxed);
        pool.found.store(found.saturating_sub(bytes), Relaxed);
        self.holder.bytes.fetch_add(bytes, Relaxed);
    }

    /// Notes that so many bytes are free again.
    pub fn give_back(&self, bytes: usize) {
        let bytes = bytes.min(self.bytes());
        let pool = &self.pool;
        // No more than was taken.
        pool.taken.fetch_sub(bytes, Relaxed);
        self.holder.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Whether this holder has been asked, since it was last looked at, to give
    /// up half of what it has.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.holder.is_asked.swap(false, Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::pretend;

    #[test]
    fn whoever_finds_nothing_left_asks_the_largest() {
        let pool = Pool::new(100);
        let (small, large, new) = (pool.share(), pool.share(), pool.share());
        small.take(30);
        large.take(60);
        assert!(new.has_room(10));
        assert!(!new.has_room(11));
        assert!(large.is_asked() && !small.is_asked());
        // Once for each time.
        assert!(!large.is_asked());
        large.give_back(30);
        assert!(new.has_room(40));
        new.take(40);
        // Nobody gives way to one that has more.
        assert!(!new.has_room(1));
        assert!(!small.is_asked() && !large.is_asked() && !new.is_asked());
    }

    #[test]
    fn a_holder_that_ends_gives_everything_back() {
        let pool = Pool::new(100);
        let (one, other) = (pool.share(), pool.share());
        one.take(100);
        assert!(!other.has_room(1));
        drop(one);
        assert!(other.has_room(100));
        // No more comes back than was taken.
        other.take(50);
        other.give_back(80);
        assert_eq!(other.bytes(), 0);
        assert!(other.has_room(100) && !other.has_room(101));
    }

    #[test]
    fn what_serving_needs_is_left_alone() {
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
