//! Durations with a unit: `250ms`, `30s`, `10m`, `24h`.

use std::fmt;
use std::time::Duration;

/// Reads a duration: digits and one unit, without any other character.
///
/// Fractions and sums (`1.5h`, `1h30m`) are not supported: a smaller unit says
/// the same. Absent for another form, or if it exceeds a `u64` of milliseconds.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Writes a duration in the largest unit that needs no fraction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written(pub(super) Duration);

impl fmt::Display for Written {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let whole = |unit: u128| millis.checked_rem(unit) == Some(0) && millis >= unit;
        for (unit, name) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
            if whole(unit) {
                let number = millis.checked_div(unit).unwrap_or_default();
                return write!(out, "{number}{name}");
            }
        }
        match millis {
            0 => out.write_str("0s"),
            millis => write!(out, "{millis}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_digits_and_a_unit() {
        for (text, millis) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("0s", 0),
            ("007s", 7_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn other_forms_are_not_durations() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            " 5s",
            "5s ",
            "-5s",
            "+5s",
            "1.5h",
            "1h30m",
            "5S",
            "5sec",
            "1d",
            "1w",
            "٥s",
            "5µs",
            "18446744073709551616ms",
            "18446744073709551615h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_written_in_their_largest_whole_unit() {
        for (millis, text) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (90_000, "90s"),
            (60_000, "1m"),
            (86_400_000, "24h"),
        ] {
            assert_eq!(Written(Duration::from_millis(millis)).to_string(), text);
        }
    }
}
