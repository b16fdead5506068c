//! Tokens that came lately and were not remembered.

/// The tokens that came for the first time while there was no room for them, as
/// marks in a few thousand places: where two tokens meet, the later one counts.
///
/// A mark that two tokens share makes one of them look as if it had come before,
/// which is worth a place among the remembered ones and nothing else.
#[derive(Debug, Default)]
pub(super) struct Doorkeeper {
    /// None before the first token; 0: nobody.
    marks: Vec<u32>,
}

impl Doorkeeper {
    /// 32 KiB of marks.
    const PLACES: usize = 8192;

    /// Whether this is the second time that a token with this end comes; else it
    /// has come for the first time now.
    pub(super) fn has_come_before(&mut self, end: u128) -> bool {
        if self.marks.is_empty() {
            self.marks.resize(Self::PLACES, 0);
        }
        let (place, mark) = spread(end);
        let Some(known) = self.marks.get_mut(place % Self::PLACES) else {
            return false;
        };
        std::mem::replace(known, mark) == mark
    }
}

/// Place and mark of a token. The ends of signatures are as good as random, but
/// are text, so that not all of their bits are: shifting and multiplying (by 2^64
/// over the golden ratio) spreads what is in them over all.
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
    // Never 0, which is nobody's.
    (usize::try_from(low).unwrap_or(0), high | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_come_before_when_it_comes_again() {
        let mut doorkeeper = Doorkeeper::default();
        for end in [0, 1, u128::MAX, 1 << 64, 0x41 << 120] {
            assert!(!doorkeeper.has_come_before(end), "{end}");
            assert!(doorkeeper.has_come_before(end), "{end}");
        }
    }

    #[test]
    fn tokens_are_spread_over_all_places() {
        // Base64url of a counter, as far as text varies at all.
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
            mistaken += u32::from(doorkeeper.has_come_before(end));
        }
        assert_eq!(mistaken, 0);
        let used = doorkeeper.marks.iter().filter(|mark| **mark != 0).count();
        assert!(used > Doorkeeper::PLACES * 9 / 10, "{used}");
    }
}
