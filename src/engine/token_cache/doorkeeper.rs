//! Tokens that were seen recently but not cached.

use super::end::Mark;

/// Remembers which tokens were seen once while the cache was full. It has a mark for each
/// token in a fixed table; if two tokens share an entry, the later one overwrites the
/// earlier.
///
/// If two tokens have the same mark, one of them is cached at its first use. This has no
/// other effect.
#[derive(Debug)]
pub(super) struct Doorkeeper {
    /// Empty before the first token. The value 0 marks a free entry.
    marks: Vec<u32>,
    entries: usize,
}

impl Doorkeeper {
    /// Creates a doorkeeper with this number of entries, which must be a power of two. An
    /// entry takes four bytes.
    pub(super) const fn new(entries: usize) -> Self {
        Self {
            marks: Vec::new(),
            entries,
        }
    }

    /// Whether a token with this mark was seen before. If not, it is recorded as seen.
    pub(super) fn is_seen_before(&mut self, mark: Mark) -> bool {
        if self.marks.is_empty() {
            self.marks.resize(self.entries, 0);
        }
        let place = mark.place & self.entries.saturating_sub(1);
        let Some(known) = self.marks.get_mut(place) else {
            return false;
        };
        std::mem::replace(known, mark.sign) == mark.sign
    }

    /// Removes all marks.
    pub(super) fn clear(&mut self) {
        self.marks = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::super::end::End;
    use super::*;

    fn mark(end: u128) -> Mark {
        End::of(&end.to_le_bytes()).unwrap().mark()
    }

    #[test]
    fn a_token_is_known_when_it_is_seen_again() {
        let mut doorkeeper = Doorkeeper::new(8192);
        for end in [0, 1, u128::MAX, 1 << 64, 0x41 << 120] {
            assert!(!doorkeeper.is_seen_before(mark(end)), "{end}");
            assert!(doorkeeper.is_seen_before(mark(end)), "{end}");
        }
        doorkeeper.clear();
        assert!(!doorkeeper.is_seen_before(mark(1)));
    }

    #[test]
    fn tokens_are_spread_over_all_entries() {
        // The end is base64url of a counter: only these bits of a text vary.
        let ends = (0..100_000_u32).map(|number| {
            let mut end = [b'A'; 16];
            for (place, octet) in end.iter_mut().skip(3).take(4).enumerate() {
                *octet = b'0' + u8::try_from((number >> (6 * place)) & 63).unwrap();
            }
            u128::from_le_bytes(end)
        });
        for shard_bits in [0, 4] {
            let mut doorkeeper = Doorkeeper::new(8192 >> shard_bits);
            let mut mistaken = 0;
            for end in ends.clone() {
                let mark = mark(end);
                // Only tokens of one shard are seen.
                if mark.place & ((1 << shard_bits) - 1) == 0 {
                    mistaken += u32::from(doorkeeper.is_seen_before(mark.within(shard_bits)));
                }
            }
            assert_eq!(mistaken, 0);
            let used = doorkeeper.marks.iter().filter(|mark| **mark != 0).count();
            assert!(used > doorkeeper.entries * 9 / 10, "{used}");
        }
    }
}
