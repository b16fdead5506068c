//! Points in time as people write them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use edge_authz::time::UnixTime;

/// A point in time, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) UnixTime);

impl Moment {
    /// The time of the machine.
    pub(crate) fn now() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the command is where the time comes from; the core gets it as a value"
        )]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(UnixTime::from_secs(0).saturating_add(since))
    }

    /// Reads seconds since 1970, or RFC 3339 in UTC: `2026-01-31T12:00:00Z`.
    ///
    /// # Errors
    ///
    /// That it is neither.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok().or_else(|| seconds(text));
        seconds
            .map(|seconds| Self(UnixTime::from_secs(seconds)))
            .ok_or_else(|| "write seconds since 1970, or 2026-01-31T12:00:00Z".to_owned())
    }
}

/// As RFC 3339 has it.
impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (hour, minute) = (
            second.div_euclid(3600),
            second.rem_euclid(3600).div_euclid(60),
        );
        let second = second.rem_euclid(60);
        match date(days) {
            Some((year, month, day)) => write!(
                out,
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
            ),
            None => write!(out, "{seconds} s after 1970"),
        }
    }
}

fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..=9999).contains(&year) && hour < 24 && minute < 60 && second < 60;
    if !in_range {
        return None;
    }
    // The day is looked up by counting, which needs no calendar of its own.
    let days = (year.saturating_sub(1970).saturating_mul(365)..)
        .take(3000)
        .find(|days| self::date(*days) == Some((year, month, day)))?;
    let minutes = hour.checked_mul(60)?.checked_add(minute)?;
    let seconds = minutes.checked_mul(60)?.checked_add(second)?;
    days.checked_mul(86_400)?.checked_add(seconds)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split(separator);
    let parts: Option<Vec<i64>> = parts
        .map(|part| digits(part).then(|| part.parse().ok()).flatten())
        .collect();
    parts?.try_into().ok()
}

/// Year, month and day of a day since 1970-01-01 (Howard Hinnant's
/// `civil_from_days`); none for times that no calendar names.
fn date(days: i64) -> Option<(i64, i64, i64)> {
    if !(-719_468..=2_932_896).contains(&days) {
        return None;
    }
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let leaps = day_of_era
        .checked_sub(day_of_era.checked_div(1460)?)?
        .checked_add(day_of_era.checked_div(36_524)?)?
        .checked_sub(day_of_era.checked_div(146_096)?)?;
    let year_of_era = leaps.checked_div(365)?;
    let before = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.checked_div(4)?)?
        .checked_sub(year_of_era.checked_div(100)?)?;
    let day_of_year = day_of_era.checked_sub(before)?;
    let shifted_month = day_of_year
        .checked_mul(5)?
        .checked_add(2)?
        .checked_div(153)?;
    let first = shifted_month
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?;
    let day = day_of_year.checked_sub(first)?.checked_add(1)?;
    let month = shifted_month.checked_add(if shifted_month < 10 { 3 } else { -9 })?;
    let year = era.checked_mul(400)?.checked_add(year_of_era)?;
    Some((year.checked_add(i64::from(month <= 2))?, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written_alike() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-21T16:00:00Z", 1_795_276_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.0.as_secs(), seconds, "{text}");
            assert_eq!(moment.to_string(), text);
            assert_eq!(Moment::parse(&seconds.to_string()).unwrap(), moment);
        }
        for text in [
            "",
            "today",
            "2026-02-30T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01",
        ] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }
}
