//! The work that one callback may do for key sources.

use crate::jwk::MAX_KEY_SET_BYTES;
use crate::memory::SERVING;

/// The number of sources that are visited. Each visit reads a record from the shared
/// data.
const VISITS: usize = 256;
/// The number of fetches that begin.
const BEGINS: usize = 32;
/// The bytes of key sets that are read from the shared data: one set of the largest size,
/// which takes as long as everything else.
const BYTES: usize = MAX_KEY_SET_BYTES;
/// The memory that remains free while a key set is read, in bytes: for waiting requests
/// (16 MiB) and for judging them.
const SPARE: usize = 20 * 1024 * 1024;

/// The work that one callback may still do for sources. It is bounded because the host
/// serves no other requests during a callback. The last source may exceed it, so that
/// every source can be handled. The next tick continues.
#[derive(Debug)]
pub(super) struct Work {
    visits: usize,
    begins: usize,
    bytes: usize,
    spare: usize,
}

impl Work {
    /// The work of a tick.
    pub(super) const TICK: Self = Self {
        visits: VISITS,
        begins: BEGINS,
        bytes: BYTES,
        spare: SPARE,
    };
    /// The work while a configuration is loaded, when memory must not run out. The first
    /// ticks do the rest.
    pub(super) const START: Self = Self {
        spare: SERVING,
        ..Self::TICK
    };

    /// Whether the work is used up.
    pub(super) const fn is_done(&self) -> bool {
        self.visits == 0 || self.begins == 0 || self.bytes == 0
    }

    /// The memory that remains free while a key set is read, in bytes.
    pub(super) const fn spare(&self) -> usize {
        self.spare
    }

    /// Counts a visit to a source.
    pub(super) const fn visit(&mut self) {
        self.visits = self.visits.saturating_sub(1);
    }

    /// Counts a fetch that begins.
    pub(super) const fn begin(&mut self) {
        self.begins = self.begins.saturating_sub(1);
    }

    /// Counts the bytes of a key set that was read.
    pub(super) const fn read(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
