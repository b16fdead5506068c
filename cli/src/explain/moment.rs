//! Points in time as text.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use edge_authz::time::UnixTime;
use jiff::SignedDuration;
use jiff::civil::{DateTime, date};

/// RFC 3339 in UTC.
const FORMAT: &str = "%Y-%m-%dT%H:%M:%SZ";
/// The start of Unix time.
const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// A point in time, to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) UnixTime);

impl Moment {
    /// The current time of the machine.
    pub(crate) fn now() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the command reads the time, and the core gets it as a value"
        )]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(UnixTime::from_secs(0).saturating_add(since))
    }

    /// Reads seconds since 1970, or RFC 3339 in UTC: `2026-01-31T12:00:00Z`.
    ///
    /// # Errors
    ///
    /// The text has neither form.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok().or_else(|| {
            let date_time = DateTime::strptime(FORMAT, text).ok()?;
            Some(date_time.duration_since(EPOCH).as_secs())
        });
        seconds
            .map(|seconds| Self(UnixTime::from_secs(seconds)))
            .ok_or_else(|| "write seconds since 1970, or 2026-01-31T12:00:00Z".to_owned())
    }
}

/// In the form of RFC 3339.
impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match EPOCH.checked_add(SignedDuration::from_secs(seconds)) {
            Ok(date_time) => date_time.strftime(FORMAT).fmt(out),
            // The calendar ends with the year 9999.
            Err(_) => write!(out, "{seconds} s after 1970"),
        }
    }
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
