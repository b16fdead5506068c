//! Tokens that were seen recently but not cached.

/// Remembers which tokens were seen once while the cache was full. It has a mark for each
/// token in a fixed table; if two tokens share an entry, the later one overwrites the
/// earlier.
///
/// If two tokens have the same mark, one of them is cached at its first use. This has no
/// other effect.
#[derive(Debug, Default)]
pub(super) struct Doorkeeper {
    /// Empty before the first token. The value 0 marks a free entry.
    marks: Vec<u32>,
}

impl Doorkeeper {
    /// The number of entries. The table takes 32 KiB.
    const ENTRIES: usize = 8192;

    /// Whether a token with this end was seen before. If not, it is recorded as seen.
    pub(super) fn is_seen_before(&mut self, end: u128) -> bool {
        if self.marks.is_empty() {
            self.marks.resize(Self::ENTRIES, 0);
        }
        let (place, mark) = spread(end);
        let Some(known) = self.marks.get_mut(place % Self::ENTRIES) else {
            return false;
        };
        std::mem::replace(known, mark) == mark
    }
}

/// Returns the entry and the mark of a token. The end of a signature is as good as
/// random, but it is text, so not all of its bits vary. Shifts and multiplications (by
/// 2^64 divided by the golden ratio) spread the varying bits over all bits.
fn spread(end: u128) -> (usize, u32) {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let octets = end.to_le_bytes();
    let (halves, _) = octets.as_chunks();
    let mixed = halves.iter().fold(0_u64, |mixed, half| {
        let mixed = mixed ^ u64::from_le_bytes(*half);
        let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(GOLDEN);
        mixed ^ (mixed >> 29)
    });
    let [high, low] =
        [mixed >> 32, mixed & 0xFFFF_FFFF].map(|half| u32::try_from(half).unwrap_or(0));
    // The mark is never 0, because 0 marks a free entry.
    (usize::try_from(low).unwrap_or(0), high | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_when_it_is_seen_again() {
        let mut doorkeeper = Doorkeeper::default();
        for end in [0, 1, u128::MAX, 1 << 64, 0x41 << 120] {
            assert!(!doorkeeper.is_seen_before(end), "{end}");
            assert!(doorkeeper.is_seen_before(end), "{end}");
        }
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
        let mut doorkeeper = Doorkeeper::default();
        let mut mistaken = 0;
        for end in ends {
            mistaken += u32::from(doorkeeper.is_seen_before(end));
        }
        assert_eq!(mistaken, 0);
        let used = doorkeeper.marks.iter().filter(|mark| **mark != 0).count();
        assert!(used > Doorkeeper::ENTRIES * 9 / 10, "{used}");
    }
}
