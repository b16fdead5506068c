//! An allocator that counts the memory that each thread holds, as the module's allocator
//! would take it.
//!
//! Every block counts with the allocator's overhead, and a block that grows counts twice
//! while it is moved, as in the module. Addresses are twice as long here as there.
//!
//! A test target that measures memory includes this file by its path: it sets the
//! allocator of the whole target.
#![allow(
    unsafe_code,
    clippy::arithmetic_side_effects,
    reason = "an allocator is unsafe by nature, and tests may overflow"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the memory that a thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static BLOCK: Cell<usize> = const { Cell::new(0) };
}

/// A block's length with its header, rounded up as in a 64-bit dlmalloc, which is the
/// module's allocator.
fn block(layout: Layout) -> isize {
    let bytes = (layout.size() + 8).next_multiple_of(16).max(32);
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

fn count(change: isize) {
    // Not when the thread ends.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: the system's allocator does all of it. The trait's default implementation grows
// a block by allocating a new one and freeing the old one.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(block(layout));
        let _ = BLOCK.try_with(|block| block.set(block.get().max(layout.size())));
        // SAFETY: the caller upholds the contract of this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-block(layout));
        // SAFETY: the block was allocated by `System`.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The memory that an operation takes, in bytes.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The maximum at one time.
    pub(crate) peak: usize,
    /// The largest block.
    pub(crate) block: usize,
    /// At the end.
    pub(crate) kept: usize,
}

/// Runs `act`, and returns its result with the memory that it took in this thread.
pub(crate) fn taken<T>(act: impl FnOnce() -> T) -> (T, Taken) {
    let before = HELD.get();
    PEAK.set(before);
    BLOCK.set(0);
    let value = act();
    let since = |bytes: isize| usize::try_from(bytes - before).unwrap_or(0);
    let taken = Taken {
        peak: since(PEAK.get()),
        block: BLOCK.get(),
        kept: since(HELD.get()),
    };
    (value, taken)
}
