//! Whether memory is free, before it is allocated.

use std::hint::black_box;

/// What is about to be allocated, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// The largest block of it.
    pub block: usize,
    /// All of it, the block included.
    pub all: usize,
}

impl Need {
    /// So many bytes, all in one block.
    #[must_use]
    pub const fn block(bytes: usize) -> Self {
        Self {
            block: bytes,
            all: bytes,
        }
    }

    /// So many bytes more, in small blocks.
    #[must_use]
    pub const fn and(self, bytes: usize) -> Self {
        Self {
            block: self.block,
            all: self.all.saturating_add(bytes),
        }
    }

    /// This, and afterwards that, when this is free again.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        Self {
            block: self.block.max(other.block),
            all: self.all.max(other.all),
        }
    }
}

/// The smallest piece that is looked for where memory is not free in one piece:
/// blocks that were freed lie between others that are in use.
const PIECE: usize = 1024 * 1024;

/// Whether so much memory can be allocated now. It is allocated for a moment, in a
/// way that fails as a value where there is too little, and freed again: then the
/// module's allocator has it for the caller.
#[must_use]
pub fn has_room(need: Need) -> bool {
    #[cfg(test)]
    if let Some(room) = pretend::room() {
        return need.all <= room;
    }
    fits(need, &mut reserve)
}

/// Whether `allocate` has what is needed: the largest block, and the rest in one
/// piece or in pieces. Several blocks may be as large as the largest one and be held
/// at the same time, so no piece of the rest is smaller than that.
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
    // The compiler would remove a block that is not used.
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

/// A module with as much memory as a test says.
#[cfg(test)]
pub(crate) mod pretend {
    use std::cell::Cell;

    thread_local! {
        static ROOM: Cell<Option<usize>> = const { Cell::new(None) };
    }

    pub(super) fn room() -> Option<usize> {
        ROOM.get()
    }

    /// From now on this thread's module has so much memory left.
    pub(crate) fn set_room(bytes: Option<usize>) {
        ROOM.set(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_nowhere_is_a_value_and_not_the_end() {
        assert!(has_room(Need::default()));
        assert!(has_room(Need::block(1024).and(3 * PIECE)));
        assert!(!has_room(Need::block(usize::MAX)));
        assert!(!has_room(Need::block(1).and(usize::MAX)));
        assert!(!has_room(Need::block(isize::MAX.unsigned_abs())));
    }

    /// Whether memory with free pieces of these sizes has what is needed. A block
    /// is freed only when the question is answered.
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
        // As much memory, but a second block of 8 MiB has no place in it.
        let small = [[8 * PIECE].as_slice(), &[PIECE; 64]].concat();
        assert!(!fits_into(&small, need));
        assert!(!fits_into(&[8 * PIECE; 2], need));
        // Small blocks need no more than small pieces.
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
