//! Pseudo-random numbers that spread events over time. No security property depends on
//! them.

use crate::time::UnixTime;

/// `SplitMix64`: it needs few operations and accepts any seed.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number that a restarted worker with the same seed does not repeat.
    pub(super) fn next_at(&mut self, now: UnixTime) -> u64 {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or_default();
        self.next() ^ nanos
    }

    pub(super) const fn byte(&mut self) -> u8 {
        let [byte, ..] = self.next().to_le_bytes();
        byte
    }
}
