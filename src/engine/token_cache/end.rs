//! The end of a token.

use std::fmt;

/// The end of a token's text, which is the end of its signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End(u128);

/// A short hash of the end of a token. Two tokens may have the same mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Selects an entry of a table. The lowest bits are used for a table with a power of
    /// two of entries.
    pub(super) place: usize,
    /// Distinguishes tokens with the same place. It is never 0.
    pub(super) sign: u32,
}

impl End {
    /// The end of a token. `None` means that the text is too short for a token.
    pub(super) fn of(token: &[u8]) -> Option<Self> {
        let end = token.last_chunk().copied()?;
        Some(Self(u128::from_le_bytes(end)))
    }

    /// Returns the mark of a token. The end of a signature is as good as random, but it is
    /// text, so not all of its bits vary. Shifts and multiplications (by 2^64 divided by
    /// the golden ratio) spread the varying bits over all bits.
    pub(super) fn mark(self) -> Mark {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let octets = self.0.to_le_bytes();
        let (halves, _) = octets.as_chunks();
        let mixed = halves.iter().fold(0_u64, |mixed, half| {
            let mixed = mixed ^ u64::from_le_bytes(*half);
            let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(GOLDEN);
            mixed ^ (mixed >> 29)
        });
        let [high, low] =
            [mixed >> 32, mixed & 0xFFFF_FFFF].map(|half| u32::try_from(half).unwrap_or(0));
        Mark {
            place: usize::try_from(low).unwrap_or(0),
            sign: high | 1,
        }
    }
}

impl Mark {
    /// The mark without the lowest bits of its place, which have selected a shard.
    pub(super) fn within(self, bits: u32) -> Self {
        Self {
            place: self.place.checked_shr(bits).unwrap_or(0),
            ..self
        }
    }
}

impl fmt::Debug for End {
    /// `Debug` omits the token because it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("End")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_contains_nothing_of_a_token() {
        let text = b"0123456789abcdef";
        assert_eq!(format!("{:?}", End::of(text).unwrap()), "End");
    }

    #[test]
    fn a_text_too_short_for_a_token_has_no_end() {
        assert_eq!(End::of(&[1; 15]), None);
        assert_eq!(End::of(&[1; 16]), End::of(&[1; 400]));
    }
}
