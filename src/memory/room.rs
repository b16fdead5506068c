//! Checks whether memory is available before it is allocated.

use std::hint::black_box;

/// The memory that is about to be allocated, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// The largest single block.
    pub block: usize,
    /// The total, including the largest block.
    pub all: usize,
}

impl Need {
    /// The need for a single block of this size.
    #[must_use]
    pub const fn block(bytes: usize) -> Self {
        Self {
            block: bytes,
            all: bytes,
        }
    }

    /// Adds this number of bytes in small blocks.
    #[must_use]
    pub const fn and(self, bytes: usize) -> Self {
        Self {
            block: self.block,
            all: self.all.saturating_add(bytes),
        }
    }

    /// The need for this memory first, and for the other after this memory was freed.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        Self {
            block: self.block.max(other.block),
            all: self.all.max(other.all),
        }
    }
}

/// The size of the smallest pieces that are tried if the memory is not available in one
/// piece, because freed blocks lie between blocks in use.
const PIECE: usize = 1024 * 1024;

/// Whether this much memory can be allocated now. The memory is allocated with a method
/// that reports failure as a value, and freed at once. Then the module's allocator has it
/// for the caller.
#[must_use]
pub fn has_room(need: Need) -> bool {
    #[cfg(test)]
    if let Some(room) = pretend::room() {
        return need.all <= room;
    }
    fits(need, &mut reserve)
}

/// Whether `allocate` can provide the need: the largest block, and the rest in one piece
/// or in several. Several blocks may be as large as the largest one and exist at the same
/// time, so no piece of the rest is smaller than that.
fn fits(need: Need, allocate: &mut dyn FnMut(usize) -> Option<Vec<u8>>) -> bool {
    let Some(_block) = allocate(need.block) else {
        return false;
    };
    let rest = need.all.saturating_sub(need.block);
    allocate(rest).is_some() || fits_in_pieces(rest, need.block.max(PIECE), allocate)
}

fn reserve(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok()?;
    // Otherwise the compiler would remove the unused block.
    Some(black_box(block))
}

fn fits_in_pieces(
    bytes: usize,
    size: usize,
    allocate: &mut dyn FnMut(usize) -> Option<Vec<u8>>,
) -> bool {
    let count = bytes.div_ceil(size);
    let mut held = Vec::new();
    if held.try_reserve_exact(count).is_err() {
        return false;
    }
    for _ in 0..count {
        let Some(piece) = allocate(size) else {
            return false;
        };
        held.push(piece);
    }
    true
}

/// A simulated limit on the memory of a module.
#[cfg(test)]
pub(crate) mod pretend {
    use std::cell::Cell;

    thread_local! {
        static ROOM: Cell<Option<usize>> = const { Cell::new(None) };
    }

    pub(super) fn room() -> Option<usize> {
        ROOM.get()
    }

    /// Sets the memory that this thread's module has left.
    pub(crate) fn set_room(bytes: Option<usize>) {
        ROOM.set(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_does_not_fit_is_reported_as_a_value() {
        assert!(has_room(Need::default()));
        assert!(has_room(Need::block(1024).and(3 * PIECE)));
        assert!(!has_room(Need::block(usize::MAX)));
        assert!(!has_room(Need::block(1).and(usize::MAX)));
        assert!(!has_room(Need::block(isize::MAX.unsigned_abs())));
    }

    /// Whether memory with free pieces of these sizes fulfils the need. Blocks are freed
    /// only at the end of the check.
    fn fits_into(free: &[usize], need: Need) -> bool {
        let mut free = free.to_vec();
        fits(need, &mut |bytes| {
            let piece = free.iter_mut().find(|piece| **piece >= bytes)?;
            *piece = piece.checked_sub(bytes)?;
            Some(Vec::new())
        })
    }

    #[test]
    fn memory_in_pieces_has_room_for_several_of_the_largest_blocks() {
        let need = Need::block(8 * PIECE).and(16 * PIECE);
        assert!(fits_into(&[24 * PIECE], need));
        assert!(fits_into(&[8 * PIECE, 16 * PIECE], need));
        assert!(fits_into(&[8 * PIECE; 3], need));
        // The same amount of memory, but it has no space for a second block of 8 MiB.
        let small = [[8 * PIECE].as_slice(), &[PIECE; 64]].concat();
        assert!(!fits_into(&small, need));
        assert!(!fits_into(&[8 * PIECE; 2], need));
        // Small blocks need only small pieces.
        assert!(fits_into(&small, Need::block(PIECE / 2).and(60 * PIECE)));
        assert!(!fits_into(
            &[PIECE / 2; 64],
            Need::block(PIECE / 2).and(8 * PIECE)
        ));
    }

    #[test]
    fn needs_add_up_or_follow_each_other() {
        let need = Need::block(10).and(5);
        assert_eq!(need, Need { block: 10, all: 15 });
        let later = Need { block: 3, all: 40 };
        assert_eq!(need.then(later), Need { block: 10, all: 40 });
        assert_eq!(need.and(usize::MAX).all, usize::MAX);
    }
}
