//! Memory that several holders have together, each as much as it has use for.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::SERVING;
use super::room::{Need, has_room};

/// So many bytes are asked for at once where memory might be short: one look
/// for many small shares.
const STEP: usize = 256 * 1024;

/// An amount of memory for what can be done without. Whoever finds nothing left
/// asks the largest holder to give up half of what it has.
#[derive(Debug)]
pub struct Pool {
    /// In bytes, as all that follows.
    most: usize,
    taken: Cell<usize>,
    /// May be taken before memory is looked for again.
    found: Cell<usize>,
    holders: RefCell<Vec<Weak<Holder>>>,
}

/// One holder's part of a pool, which is given back in the end.
#[derive(Debug)]
pub struct Share {
    pool: Rc<Pool>,
    holder: Rc<Holder>,
}

#[derive(Debug, Default)]
struct Holder {
    bytes: Cell<usize>,
    /// Somebody else has found nothing left.
    is_asked: Cell<bool>,
}

impl Pool {
    /// A pool of so many bytes.
    #[must_use]
    pub fn new(most: usize) -> Rc<Self> {
        Rc::new(Self {
            most,
            taken: Cell::new(0),
            found: Cell::new(0),
            holders: RefCell::default(),
        })
    }

    /// A new holder, which has nothing yet.
    #[must_use]
    pub fn share(self: &Rc<Self>) -> Share {
        let holder = Rc::new(Holder::default());
        if let Ok(mut holders) = self.holders.try_borrow_mut() {
            holders.retain(|holder| holder.strong_count() > 0);
            holders.push(Rc::downgrade(&holder));
        }
        Share {
            pool: Rc::clone(self),
            holder,
        }
    }

    fn ask_the_largest(&self, but: &Rc<Holder>) {
        let Ok(holders) = self.holders.try_borrow() else {
            return;
        };
        let holders = holders.iter().filter_map(Weak::upgrade);
        if let Some(largest) = holders.max_by_key(|holder| holder.bytes.get())
            && !Rc::ptr_eq(&largest, but)
            && largest.bytes.get() > but.bytes.get()
        {
            largest.is_asked.set(true);
        }
    }

    fn finds(&self, bytes: usize) -> bool {
        if self.found.get() >= bytes {
            return true;
        }
        let step = bytes.max(STEP);
        let found = has_room(Need::block(step).and(SERVING));
        self.found.set(if found { step } else { 0 });
        found
    }
}

impl Share {
    /// What this holder has taken, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.holder.bytes.get()
    }

    /// Whether so many bytes can be taken: the pool has them left, and the
    /// module has the memory.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        if self.pool.taken.get().saturating_add(bytes) > self.pool.most {
            self.pool.ask_the_largest(&self.holder);
            return false;
        }
        self.pool.finds(bytes)
    }

    /// Notes that so many bytes were taken. Whoever takes more than there
    /// [is room](Self::has_room) for gives back as much at once.
    pub fn take(&self, bytes: usize) {
        let pool = &self.pool;
        pool.taken.set(pool.taken.get().saturating_add(bytes));
        pool.found.set(pool.found.get().saturating_sub(bytes));
        let held = self.holder.bytes.get();
        self.holder.bytes.set(held.saturating_add(bytes));
    }

    /// Notes that so many bytes are free again.
    pub fn give_back(&self, bytes: usize) {
        let bytes = bytes.min(self.bytes());
        let pool = &self.pool;
        pool.taken.set(pool.taken.get().saturating_sub(bytes));
        let held = self.holder.bytes.get();
        self.holder.bytes.set(held.saturating_sub(bytes));
    }

    /// Whether this holder has been asked, since it was last looked at, to give
    /// up half of what it has.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.holder.is_asked.take()
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
