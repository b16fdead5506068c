//! Whether memory is there, before it is taken.

use std::hint::black_box;

/// What is about to be taken, in bytes.
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

/// What is not there in one piece is looked for in pieces of this size: many
/// blocks that were given back lie between others that are in use.
const PIECE: usize = 1024 * 1024;

/// Whether so much memory can be taken now. It is taken for a moment, in a way
/// that fails as a value where there is too little, and given back: what the
/// caller then takes, a module's allocator has.
#[must_use]
pub fn has_room(need: Need) -> bool {
    #[cfg(test)]
    if let Some(room) = pretend::room() {
        return need.all <= room;
    }
    let Some(block) = reserve(need.block) else {
        return false;
    };
    let rest = need.all.saturating_sub(need.block);
    let is_there = reserve(rest).is_some() || has_pieces(rest);
    drop(block);
    is_there
}

fn reserve(bytes: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes).ok()?;
    // A block that nobody looks at would be optimised away.
    Some(black_box(block))
}

fn has_pieces(bytes: usize) -> bool {
    let pieces = bytes.div_ceil(PIECE);
    let mut held = Vec::new();
    if held.try_reserve_exact(pieces).is_err() {
        return false;
    }
    for _ in 0..pieces {
        let Some(piece) = reserve(PIECE) else {
            return false;
        };
        held.push(piece);
    }
    true
}

/// A machine of the tests' own size.
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

    #[test]
    fn needs_add_up_or_follow_each_other() {
        let need = Need::block(10).and(5);
        assert_eq!(need, Need { block: 10, all: 15 });
        let later = Need { block: 3, all: 40 };
        assert_eq!(need.then(later), Need { block: 10, all: 40 });
        assert_eq!(need.and(usize::MAX).all, usize::MAX);
    }
}
