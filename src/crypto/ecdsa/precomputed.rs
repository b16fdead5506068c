//! Verification with precomputed multiples of points.
//!
//! Without tables, verification mostly consists of doublings. With tables, it needs one
//! addition for each digit of a scalar. All values are public, so the operations need not
//! take constant time.

use std::ops::{AddAssign, Mul};

use p521::elliptic_curve::ff::PrimeField;
use p521::elliptic_curve::group::Group;
use p521::elliptic_curve::ops::{Invert, Reduce};
use p521::elliptic_curve::point::AffineCoordinates;
use p521::elliptic_curve::{CurveArithmetic, CurveGroup, FieldBytes, NonZeroScalar};

use crate::crypto::digits::add_multiples;
use crate::crypto::tables::part_for;
use crate::memory::{Budget, Part};

/// The number of rows that are converted to affine form together. They share one
/// inversion, and need little memory besides the table; a module never returns memory to
/// its host.
const ROWS_AT_ONCE: usize = 8;

/// Affine multiples of one point. For each power of 2^`WINDOW`, a row has the multiples
/// from 1 to 2^(`WINDOW` - 1). Digits are signed and negating a point is free, so half a
/// row is sufficient.
pub(in crate::crypto) struct Table<C: CurveArithmetic, const WINDOW: u32> {
    points: Box<[C::AffinePoint]>,
}

impl<C: CurveArithmetic, const WINDOW: u32> Table<C, WINDOW> {
    /// The number of points in a row.
    const ROW: usize = 1 << (WINDOW - 1);

    /// The number of rows for any scalar, including the carry of its highest digit, which
    /// needs a spare bit.
    fn rows() -> usize {
        let whole = C::Scalar::NUM_BITS.checked_div(WINDOW).unwrap_or_default();
        usize::try_from(whole).map_or(0, |whole| whole.saturating_add(1))
    }

    fn length() -> usize {
        Self::rows().saturating_mul(Self::ROW)
    }

    /// The size in bytes.
    fn size() -> usize {
        Self::length().saturating_mul(size_of::<C::AffinePoint>())
    }

    pub(super) fn new(point: C::ProjectivePoint) -> Self {
        let mut points = vec![C::AffinePoint::default(); Self::length()].into_boxed_slice();
        let mut unit = point;
        for rows in points.chunks_mut(ROWS_AT_ONCE.saturating_mul(Self::ROW)) {
            let mut multiples = Vec::with_capacity(rows.len());
            for _ in rows.chunks(Self::ROW) {
                let mut multiple = unit;
                for _ in 1..Self::ROW {
                    multiples.push(multiple);
                    multiple.add_assign(unit);
                }
                multiples.push(multiple);
                unit = multiple.double();
            }
            C::ProjectivePoint::batch_normalize(&multiples, rows);
        }
        Self { points }
    }

    /// Adds the point to `sum`, `scalar` times.
    ///
    /// The formulas of the curve are complete (Renes, Costello and Batina 2015, algorithm
    /// 5). Adding equal points, opposite points or the neutral element gives the correct
    /// result, independent of who chose the key and the signature. No point in the table
    /// is the neutral element, because the orders are primes.
    pub(super) fn add(&self, scalar: &C::Scalar, sum: &mut C::ProjectivePoint) -> Option<()> {
        let octets: FieldBytes<C> = (*scalar).into();
        add_multiples::<_, _, WINDOW>(&self.points, Self::ROW, &octets, sum)
    }
}

/// The tables for verifying with a key.
pub(in crate::crypto) struct PrecomputedTable<C: CurveArithmetic, const WINDOW: u32> {
    /// One table for all keys of a curve. The libraries' own tables would increase the
    /// size of the module, even without any such key.
    base: &'static Table<C, WINDOW>,
    key: Table<C, WINDOW>,
    _part: Part,
}

impl<C: CurveArithmetic, const WINDOW: u32> PrecomputedTable<C, WINDOW> {
    /// Builds the tables. Returns `None` if there is no room for them.
    pub(super) fn new(
        base: impl FnOnce() -> &'static Table<C, WINDOW>,
        key: C::ProjectivePoint,
        budget: &'static Budget,
    ) -> Option<Self> {
        Some(Self {
            _part: part_for(Table::<C, WINDOW>::size(), budget)?,
            base: base(),
            key: Table::new(key),
        })
    }

    /// Verifies a signature (FIPS 186-5 section 6.4.2, steps 3 to 7; SEC 1 section
    /// 4.1.4). The `digest` is not longer than the order, so all of it is used.
    pub(super) fn verify(
        &self,
        digest: &[u8],
        r: &NonZeroScalar<C>,
        s: &NonZeroScalar<C>,
    ) -> Option<bool> {
        let mut octets = FieldBytes::<C>::default();
        let start = octets.len().checked_sub(digest.len())?;
        octets.get_mut(start..)?.copy_from_slice(digest);
        let e = <C::Scalar as Reduce<FieldBytes<C>>>::reduce(&octets);
        let r: &C::Scalar = r;
        let inverse: C::Scalar = *s.invert_vartime();
        let mut sum = C::ProjectivePoint::identity();
        self.base.add(&e.mul(inverse), &mut sum)?;
        self.key.add(&r.mul(inverse), &mut sum)?;
        if bool::from(sum.is_identity()) {
            return Some(false);
        }
        let x = <C::Scalar as Reduce<FieldBytes<C>>>::reduce(&sum.to_affine().x());
        Some(x == *r)
    }
}
