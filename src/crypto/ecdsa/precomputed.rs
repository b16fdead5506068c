//! Checks with multiples of the points at hand.
//!
//! Without them, most of a check is doubling; with them, it is one addition
//! for so many bits of a scalar. Everything here is public, so nothing takes
//! the same time for all numbers.

use std::ops::{AddAssign, Mul};

use p521::elliptic_curve::ff::PrimeField;
use p521::elliptic_curve::group::Group;
use p521::elliptic_curve::ops::{Invert, Reduce};
use p521::elliptic_curve::point::AffineCoordinates;
use p521::elliptic_curve::{CurveArithmetic, CurveGroup, FieldBytes, NonZeroScalar};

use crate::crypto::digits::add_multiples;
use crate::crypto::tables::part_for;
use crate::memory::{Budget, Part};

/// So many rows are made affine at once: with one inversion, and not much
/// memory besides the table's, which a module never gives back.
const ROWS_AT_ONCE: usize = 8;

/// Affine multiples of one point: of each power of 2^`WINDOW`, once, twice, and
/// so on to 2^(`WINDOW` - 1) times. Digits are signed, and the negative of a
/// point costs nothing, so that half a row is enough.
pub(in crate::crypto) struct Table<C: CurveArithmetic, const WINDOW: u32> {
    points: Box<[C::AffinePoint]>,
}

impl<C: CurveArithmetic, const WINDOW: u32> Table<C, WINDOW> {
    /// Points of a row.
    const ROW: usize = 1 << (WINDOW - 1);

    /// Rows that are enough for every scalar and the carry of its highest
    /// digit, which has to have a bit to spare.
    fn rows() -> usize {
        let whole = C::Scalar::NUM_BITS.checked_div(WINDOW).unwrap_or_default();
        usize::try_from(whole).map_or(0, |whole| whole.saturating_add(1))
    }

    fn length() -> usize {
        Self::rows().saturating_mul(Self::ROW)
    }

    /// In bytes.
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
    /// The curves' formulas are complete (Renes, Costello and Batina 2015,
    /// algorithm 5): an addition of equal points, of opposite ones and to the
    /// neutral element comes out right, whoever chose the key and the
    /// signature. No point of the table is the neutral element, since the
    /// orders are primes.
    pub(super) fn add(&self, scalar: &C::Scalar, sum: &mut C::ProjectivePoint) -> Option<()> {
        let octets: FieldBytes<C> = (*scalar).into();
        add_multiples::<_, _, WINDOW>(&self.points, Self::ROW, &octets, sum)
    }
}

/// What a key's checks need.
pub(in crate::crypto) struct PrecomputedTable<C: CurveArithmetic, const WINDOW: u32> {
    /// One table for all keys of a curve. The libraries' own would be a part of
    /// the module, whether or not there ever is such a key.
    base: &'static Table<C, WINDOW>,
    key: Table<C, WINDOW>,
    _part: Part,
}

impl<C: CurveArithmetic, const WINDOW: u32> PrecomputedTable<C, WINDOW> {
    /// `None` where there is no room for them.
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

    /// FIPS 186-5 section 6.4.2, steps 3 to 7, SEC 1 section 4.1.4: `digest` is
    /// not longer than the order, so that all of it counts.
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
