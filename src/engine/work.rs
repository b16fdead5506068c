//! How much one callback does for key sources.

use crate::jwk::MAX_KEY_SET_BYTES;
use crate::memory::SERVING;

/// Sources that are looked at: each look reads a record from the shared data.
const LOOKS: usize = 256;
/// Fetches that begin.
const BEGINS: usize = 32;
/// Bytes of key sets that are read from the shared data: one of the largest, which
/// takes as long as everything else.
const BYTES: usize = MAX_KEY_SET_BYTES;
/// What stays free while a key set is read, in bytes: that requests wait (16 MiB),
/// and are judged.
const SPARE: usize = 20 * 1024 * 1024;

/// What one callback may still do for sources. A host serves no other requests
/// meanwhile. The last source may go beyond it, so that it suffices for every
/// source. The next tick goes on.
#[derive(Debug)]
pub(super) struct Work {
    looks: usize,
    begins: usize,
    bytes: usize,
    spare: usize,
}

impl Work {
    /// What a tick does.
    pub(super) const TICK: Self = Self {
        looks: LOOKS,
        begins: BEGINS,
        bytes: BYTES,
        spare: SPARE,
    };
    /// What is done while a configuration is taken, when memory must not run out.
    /// The first ticks do the rest.
    pub(super) const START: Self = Self {
        spare: SERVING,
        ..Self::TICK
    };

    /// Whether there is nothing left.
    pub(super) const fn is_done(&self) -> bool {
        self.looks == 0 || self.begins == 0 || self.bytes == 0
    }

    /// What stays free while a key set is read, in bytes.
    pub(super) const fn spare(&self) -> usize {
        self.spare
    }

    /// A source is looked at.
    pub(super) const fn look(&mut self) {
        self.looks = self.looks.saturating_sub(1);
    }

    /// A fetch begins.
    pub(super) const fn begin(&mut self) {
        self.begins = self.begins.saturating_sub(1);
    }

    /// So many bytes of a key set are read.
    pub(super) const fn read(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
