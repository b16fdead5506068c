//! Scalars as signed digits.

use std::ops::{AddAssign, SubAssign};

/// A digit between -2^(`WINDOW` - 1) + 1 and 2^(`WINDOW` - 1).
pub(super) struct Digit {
    pub(super) is_negative: bool,
    pub(super) magnitude: usize,
}

/// The digits of a number in base 2^`WINDOW`, the lowest first. It yields as many digits
/// as requested, with zeros at the end. A window has 1 to 8 bits.
pub(super) struct Digits<'o, const WINDOW: u32> {
    /// The number, big-endian.
    octets: &'o [u8],
    /// The bit where the next digit begins.
    at: usize,
    carry: u16,
}

impl<'o, const WINDOW: u32> Digits<'o, WINDOW> {
    pub(super) fn new(octets: &'o [u8]) -> Self {
        let (at, carry) = (0, 0);
        Self { octets, at, carry }
    }

    /// The bits of the next digit. A window spans at most two bytes.
    fn window(&self) -> u16 {
        let mut octets = self.octets.iter().rev().skip(self.at / 8).copied();
        let pair = [octets.next(), octets.next()].map(Option::unwrap_or_default);
        let shift = u32::try_from(self.at % 8).unwrap_or_default();
        u16::from_le_bytes(pair).wrapping_shr(shift) & 1_u16.wrapping_shl(WINDOW).wrapping_sub(1)
    }
}

impl<const WINDOW: u32> Iterator for Digits<'_, WINDOW> {
    type Item = Digit;

    fn next(&mut self) -> Option<Digit> {
        let base = 1_u16.wrapping_shl(WINDOW);
        let value = self.window().saturating_add(self.carry);
        let is_negative = value > base / 2;
        self.carry = is_negative.into();
        self.at = self.at.saturating_add(usize::try_from(WINDOW).ok()?);
        let magnitude = if is_negative {
            base.saturating_sub(value)
        } else {
            value
        };
        Some(Digit {
            is_negative,
            magnitude: magnitude.into(),
        })
    }
}

/// Adds a point to `sum` as many times as the number in `octets` says. `points` has a row
/// of `row` points for each digit: the first `row` multiples of the point times the row's
/// power of 2^`WINDOW`. Returns `None` if a row is too short.
///
/// The formulas of the curve must be complete, because the creator of the key and the
/// signature chooses which points are added.
pub(super) fn add_multiples<Sum, Point, const WINDOW: u32>(
    points: &[Point],
    row: usize,
    octets: &[u8],
    sum: &mut Sum,
) -> Option<()>
where
    Sum: for<'p> AddAssign<&'p Point> + for<'p> SubAssign<&'p Point>,
{
    for (row, digit) in points.chunks(row).zip(Digits::<WINDOW>::new(octets)) {
        let Some(last) = digit.magnitude.checked_sub(1) else {
            continue;
        };
        let multiple = row.get(last)?;
        if digit.is_negative {
            sum.sub_assign(multiple);
        } else {
            sum.add_assign(multiple);
        }
    }
    Some(())
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows has failed"
)]
mod tests {
    use super::*;

    /// The number that is made of these digits.
    fn number<const WINDOW: u32>(octets: &[u8], count: u32) -> i128 {
        let digits = Digits::<WINDOW>::new(octets).zip(0..count);
        digits.fold(0, |sum, (digit, place)| {
            let magnitude = i128::try_from(digit.magnitude).unwrap();
            assert!(magnitude <= 1 << (WINDOW - 1));
            let value = if digit.is_negative {
                -magnitude
            } else {
                magnitude
            };
            sum + (value << (WINDOW * place))
        })
    }

    #[test]
    fn digits_add_up_to_their_number() {
        let spread = (0..64_000_u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for value in (0..70_000).chain(spread).chain([u64::MAX, 1 << 63]) {
            let octets = value.to_be_bytes();
            assert_eq!(number::<3>(&octets, 22), i128::from(value));
            assert_eq!(number::<6>(&octets, 11), i128::from(value));
            assert_eq!(number::<7>(&octets, 10), i128::from(value));
            assert_eq!(number::<8>(&octets, 9), i128::from(value));
        }
    }
}
