//! Points in time.
//!
//! The core has no clock: the caller passes the time. One type is used for the
//! time of day, for `exp` and for the age of keys, so that seconds and
//! nanoseconds are never mixed up and no sum overflows.

mod numeric_date;

use std::time::Duration;

const NANOS_PER_SEC: i128 = 1_000_000_000;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, without leap
/// seconds. It is negative before that time.
///
/// Sums saturate. The range of `i64` seconds is so much smaller than that of the
/// inner number that a saturated value still compares correctly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i128);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The point `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i128) -> Self {
        Self(nanos)
    }

    /// The point `secs` whole seconds after the epoch.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self(i128::from(secs).saturating_mul(NANOS_PER_SEC))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> i128 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down; kept within `i64`.
    #[must_use]
    pub fn as_secs(self) -> i64 {
        let secs = self.0.div_euclid(NANOS_PER_SEC);
        i64::try_from(secs).unwrap_or(if secs < 0 { i64::MIN } else { i64::MAX })
    }

    /// The point `duration` later.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// The point `duration` earlier.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }

    /// The time since `earlier`; zero if `earlier` is later, for example after
    /// the host's clock was set back.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0).max(0);
        let secs = u64::try_from(nanos.div_euclid(NANOS_PER_SEC));
        let rest = u32::try_from(nanos.rem_euclid(NANOS_PER_SEC));
        match (secs, rest) {
            (Ok(secs), Ok(rest)) => Duration::new(secs, rest),
            _ => Duration::MAX,
        }
    }
}

/// Never saturates: the longest `Duration` has fewer than 2^94 nanoseconds.
fn nanos(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_and_subtracting_are_exact_to_the_nanosecond() {
        let start = UnixTime::from_secs(1_700_000_000);
        let step = Duration::new(60, 1);
        assert_eq!(
            start.saturating_add(step).as_nanos(),
            1_700_000_060_000_000_001
        );
        assert_eq!(start.saturating_add(step).saturating_sub(step), start);
        assert_eq!(start.saturating_add(step).saturating_since(start), step);
    }

    #[test]
    fn time_since_a_later_point_is_zero() {
        let now = UnixTime::from_secs(10);
        assert_eq!(
            now.saturating_since(UnixTime::from_secs(11)),
            Duration::ZERO
        );
    }

    #[test]
    fn extremes_saturate_and_keep_their_order() {
        let late = UnixTime::from_nanos(i128::MAX);
        let early = UnixTime::from_nanos(i128::MIN);
        assert_eq!(late.saturating_add(Duration::MAX), late);
        assert_eq!(early.saturating_sub(Duration::MAX), early);
        assert_eq!(late.saturating_since(early), Duration::MAX);
        assert_eq!(late.as_secs(), i64::MAX);
        assert_eq!(early.as_secs(), i64::MIN);
        assert!(UnixTime::from_secs(i64::MAX).saturating_add(Duration::MAX) < late);
        assert!(UnixTime::from_secs(i64::MIN) < UnixTime::EPOCH);
    }

    #[test]
    fn seconds_before_the_epoch_round_down() {
        assert_eq!(UnixTime::from_nanos(-1).as_secs(), -1);
        assert_eq!(UnixTime::from_nanos(1).as_secs(), 0);
    }
}
