//! `NumericDate` (RFC 7519 section 2): a JSON number of seconds, possibly with a
//! fraction, read without rounding.
//!
//! A float would round: the largest `f64` below 2^63 is 1024 s away from it, and
//! `4102444800.5` must lie exactly between two seconds. So this module reads the
//! decimal digits itself.

use super::UnixTime;

/// Digits after the decimal point that a [`UnixTime`] holds.
const NANO_DIGITS: i64 = 9;

/// Digits of 2^63. A number with more before the decimal point is out of range.
const MAX_WHOLE_DIGITS: i64 = 19;

/// Digits of whole seconds that are never out of range: 10^18 is less than 2^63.
const WHOLE_DIGITS: usize = 18;

/// 2^63 seconds in nanoseconds, the first value that is out of range.
const LIMIT: i128 = (1 << 63) * 1_000_000_000;

impl UnixTime {
    /// Reads a `NumericDate` (RFC 7519 section 2) from the text of a JSON number. `None` if
    /// it is 2^63 seconds or more before or after 1970.
    ///
    /// Fractions of a nanosecond are rounded up. This loses nothing: every comparison of a
    /// time in a token asks whether a whole number of nanoseconds has reached it, and a
    /// whole number reaches `x` exactly when it reaches `x` rounded up.
    ///
    /// The work is linear in the length of `text`, for any exponent.
    #[must_use]
    pub fn from_numeric_date(text: &str) -> Option<Self> {
        whole(text).or_else(|| number(text))
    }
}

/// Reads whole seconds, which is what issuers write. Anything else is left to
/// [`number`].
fn whole(text: &str) -> Option<UnixTime> {
    let is_whole = text.len() <= WHOLE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_whole.then(|| text.parse().ok())?;
    seconds.map(UnixTime::from_secs)
}

/// Reads any number.
fn number(text: &str) -> Option<UnixTime> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = whole.bytes().chain(fraction.bytes()).peekable();
    // Digits before the decimal point after the exponent is applied.
    let mut whole_digits = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
    while digits.next_if_eq(&b'0').is_some() {
        whole_digits = whole_digits.saturating_sub(1);
    }
    if digits.peek().is_none() {
        return Some(UnixTime::EPOCH);
    }
    if whole_digits > MAX_WHOLE_DIGITS {
        return None;
    }
    let mut nanos: i128 = 0;
    // At most 28 iterations, and 10^28 is far below 2^127.
    for _ in 0..whole_digits.saturating_add(NANO_DIGITS) {
        let digit = char::from(digits.next().unwrap_or(b'0')).to_digit(10)?;
        nanos = nanos.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    if nanos >= LIMIT {
        return None;
    }
    let below_a_nano = digits.any(|digit| digit != b'0');
    let rounded = match (negative, below_a_nano) {
        (false, true) => nanos.checked_add(1)?,
        (false, false) => nanos,
        (true, _) => nanos.checked_neg()?,
    };
    Some(UnixTime::from_nanos(rounded))
}

/// Reads an exponent, clamped to `i64`: such a number is out of range anyway.
fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut exponent: i64 = 0;
    for digit in digits.chars() {
        let digit = i64::from(digit.to_digit(10)?);
        exponent = exponent.saturating_mul(10).saturating_add(digit);
    }
    Some(if negative {
        exponent.saturating_neg()
    } else {
        exponent
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NANO: i128 = 1_000_000_000;

    fn parse(text: &str) -> Option<UnixTime> {
        UnixTime::from_numeric_date(text)
    }

    #[test]
    fn a_number_is_read_exactly_as_written() {
        let table = [
            ("0", 0),
            ("-0", 0),
            ("0.0e99999999999999999999", 0),
            ("1", NANO),
            ("-1", -NANO),
            ("4102444800", 4_102_444_800 * NANO),
            ("4102444800.0", 4_102_444_800 * NANO),
            ("4102444800.5", 4_102_444_800 * NANO + NANO / 2),
            ("4.1024448e9", 4_102_444_800 * NANO),
            ("4.1024448E+9", 4_102_444_800 * NANO),
            ("41024448000e-1", 4_102_444_800 * NANO),
            ("4102444800.000000001", 4_102_444_800 * NANO + 1),
            ("1.5", NANO + NANO / 2),
            ("-1.5", -NANO - NANO / 2),
            ("1e-5", 10_000),
            ("0.000001e15", 1_000_000_000 * NANO),
            ("4102444800000", 4_102_444_800_000 * NANO),
            ("9223372036854775807", i128::from(i64::MAX) * NANO),
            (
                "9223372036854775807.999999999",
                i128::from(i64::MAX) * NANO + 999_999_999,
            ),
            ("-9223372036854775807", -i128::from(i64::MAX) * NANO),
        ];
        for (text, nanos) in table {
            assert_eq!(parse(text), Some(UnixTime::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn whole_seconds_are_read_like_any_number() {
        for digits in 1..=20 {
            for text in [
                "9".repeat(digits),
                format!("1{}", "0".repeat(digits - 1)),
                format!("0{}", "7".repeat(digits - 1)),
            ] {
                assert_eq!(parse(&text), number(&text), "{text}");
                let known = whole(&text);
                assert!(known.is_none() || known == number(&text), "{text}");
                assert_eq!(known.is_some(), digits <= WHOLE_DIGITS, "{text}");
            }
        }
        for text in ["", "+1", "-1", "1.5", "1e3", " 1", "1_0", "\u{661}"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn parts_of_a_nanosecond_are_rounded_up() {
        for (text, nanos) in [
            ("1.0000000000", NANO),
            ("1.0000000001", NANO + 1),
            ("1.0000000009", NANO + 1),
            ("-1.0000000009", -NANO),
            ("1e-400", 1),
            ("-1e-400", 0),
            ("1e-99999999999999999999", 1),
        ] {
            assert_eq!(parse(text), Some(UnixTime::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn from_two_to_the_63_on_a_number_is_out_of_range() {
        for text in [
            "9223372036854775808",
            "-9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "340282366920938463463374607431768211456",
            "1e19",
            "1e308",
            "1e400",
            "-1e400",
            "1e99999999999999999999",
            "99999999999999999999999999999999999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn long_numbers_and_exponents_cost_no_more_than_their_length() {
        let zeros = "0".repeat(10_000);
        assert_eq!(
            parse(&format!("0.{zeros}1e10001")),
            Some(UnixTime::from_secs(1))
        );
        assert_eq!(
            parse(&format!("1{zeros}e-10000")),
            Some(UnixTime::from_secs(1))
        );
        assert_eq!(parse(&format!("1{zeros}")), None);
        assert_eq!(parse("1e9223372036854775807"), None);
        assert_eq!(
            parse("1e-9223372036854775808"),
            Some(UnixTime::from_nanos(1))
        );
    }
}
