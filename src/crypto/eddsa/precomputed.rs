//! Verification with precomputed multiples of points.
//!
//! Without tables, verification mostly consists of doublings. With tables, it needs one
//! addition for each digit of a scalar. All values are public, so the operations need not
//! take constant time. The library's own tables are constant-time, for secrets, and
//! verification with them takes twice as long.

use std::ops::{Add, AddAssign, Neg};
use std::sync::OnceLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;

use crate::crypto::digits::add_multiples;
use crate::crypto::tables::part_for;
use crate::memory::{Budget, Part};

/// The bits of a digit. One more bit makes verification a tenth faster and a table almost
/// twice as large.
const WINDOW: u32 = 5;
/// The number of points in a row.
const ROW: usize = 1 << (WINDOW - 1);
/// The number of rows for any scalar, which has at most 253 bits, including the carry of
/// its highest digit, which has two spare bits.
const ROWS: usize = 51;

/// Multiples of one point. For each power of 2^[`WINDOW`], a row has the multiples from 1
/// to 2^([`WINDOW`] - 1). Digits are signed and negating a point is free, so half a row
/// is sufficient.
struct Table(Box<[EdwardsPoint]>);

impl Table {
    /// The size in bytes.
    const SIZE: usize = ROWS * ROW * size_of::<EdwardsPoint>();

    fn new(point: EdwardsPoint) -> Self {
        let mut points = Vec::with_capacity(ROWS.saturating_mul(ROW));
        let mut unit = point;
        for _ in 0..ROWS {
            let mut multiple = unit;
            for _ in 1..ROW {
                points.push(multiple);
                multiple.add_assign(unit);
            }
            points.push(multiple);
            unit = multiple.add(multiple);
        }
        Self(points.into_boxed_slice())
    }

    /// Adds the point to `sum`, `scalar` times.
    ///
    /// The formulas of the curve are complete (RFC 8032 section 5.1.4). Adding equal
    /// points, opposite points, the neutral element or points of small order gives the
    /// correct result, independent of who chose the key and the signature.
    fn add(&self, scalar: &Scalar, sum: &mut EdwardsPoint) -> Option<()> {
        let mut octets = scalar.to_bytes();
        octets.reverse();
        add_multiples::<_, _, WINDOW>(&self.0, ROW, &octets, sum)
    }
}

/// The tables for verifying with a key: 128 KiB.
pub(super) struct PrecomputedTable {
    /// One table for all keys. The library's own table would increase the size of the
    /// module, even without any such key.
    base: &'static Table,
    minus_key: Table,
    _part: Part,
}

impl PrecomputedTable {
    /// Builds the tables. Returns `None` if there is no room for them.
    pub(super) fn new(key: &EdwardsPoint, budget: &'static Budget) -> Option<Self> {
        static BASE: OnceLock<Table> = OnceLock::new();
        Some(Self {
            _part: part_for(Table::SIZE, budget)?,
            base: BASE.get_or_init(|| Table::new(ED25519_BASEPOINT_POINT)),
            minus_key: Table::new(key.neg()),
        })
    }

    /// `[s]B - [k]A` for the base point `B` and the key `A`.
    pub(super) fn commitment(&self, s: &Scalar, k: &Scalar) -> Option<EdwardsPoint> {
        let mut sum = EdwardsPoint::identity();
        self.base.add(s, &mut sum)?;
        self.minus_key.add(k, &mut sum)?;
        Some(sum)
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the points' operators, which cannot overflow"
)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;

    use super::*;
    use crate::crypto::DEFAULT_TABLE_BUDGET;

    /// Scalars at the limits of the range, with a single bit, with digits that carry, and
    /// others.
    fn scalars() -> Vec<Scalar> {
        let mut scalars = vec![Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2_u8)];
        let mut power = Scalar::ONE;
        for _ in 0..253 {
            scalars.extend([power, -power, power - Scalar::ONE]);
            power += power;
        }
        for octet in [0x0F, 0x10, 0x11, 0x55, 0x84, 0x7F, 0xFF] {
            scalars.push(Scalar::from_bytes_mod_order([octet; 32]));
        }
        let mut other = Scalar::from(0x9E37_79B9_7F4A_7C15_u64);
        for _ in 0..200 {
            other = other * other + Scalar::ONE;
            scalars.push(other);
        }
        scalars
    }

    #[test]
    fn a_commitment_equals_that_of_the_library() {
        let scalars = scalars();
        for small in EIGHT_TORSION {
            let key = ED25519_BASEPOINT_POINT * Scalar::from(987_654_321_u64) + small;
            let multiples = PrecomputedTable::new(&key, &DEFAULT_TABLE_BUDGET).unwrap();
            for (s, k) in scalars.iter().zip(scalars.iter().rev()) {
                let expected = ED25519_BASEPOINT_POINT * s - key * k;
                assert_eq!(multiples.commitment(s, k), Some(expected), "{s:?} {k:?}");
            }
        }
    }

    #[test]
    fn sums_of_equal_and_of_opposite_points_are_correct() {
        let scalars = scalars();
        for key in [ED25519_BASEPOINT_POINT, -ED25519_BASEPOINT_POINT] {
            let multiples = PrecomputedTable::new(&key, &DEFAULT_TABLE_BUDGET).unwrap();
            for s in &scalars {
                for k in [*s, -s] {
                    let expected = ED25519_BASEPOINT_POINT * s - key * k;
                    assert_eq!(multiples.commitment(s, &k), Some(expected), "{s:?}");
                }
            }
        }
    }
}
