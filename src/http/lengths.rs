//! Lengths of names.

/// A set of lengths, which contains at least those that were added: lengths that differ by a
/// multiple of 64 are not distinguished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lengths(u64);

impl Lengths {
    fn bit(length: usize) -> u64 {
        let [low, ..] = length.to_le_bytes();
        1_u64.rotate_left((low & 63).into())
    }

    /// Whether the set contains a length.
    #[must_use]
    pub fn contains(self, length: usize) -> bool {
        self.0 & Self::bit(length) != 0
    }
}

impl FromIterator<usize> for Lengths {
    fn from_iter<T: IntoIterator<Item = usize>>(lengths: T) -> Self {
        let bits = lengths.into_iter().map(Self::bit);
        Self(bits.fold(0, std::ops::BitOr::bitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_added_length_is_contained() {
        for length in (0..300).chain([usize::MAX]) {
            assert!(Lengths::from_iter([length, 5]).contains(length));
        }
    }
}
