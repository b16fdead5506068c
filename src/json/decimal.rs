//! Numbers as decimal text.

/// Writes a number without an exponent, as people write integers in a configuration.
/// `None` if it is not finite.
///
/// Both this and `Display` write the fewest digits that give the same number, but the last
/// of seventeen digits may differ. `Display` would be the Wasm module's only use of the
/// standard library's 14 KiB of code for that, and `serde_json` contains its own.
#[must_use]
pub fn decimal(number: f64) -> Option<String> {
    let number = number.is_finite().then_some(number)?;
    let shortest = serde_json::to_string(&number).ok()?;
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i16 = exponent.parse().ok()?;
    let places = usize::from(exponent.unsigned_abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // `600.0` is 600.
    let fraction = fraction.trim_end_matches('0');
    let mut text = String::new();
    if exponent < 0 {
        // With an exponent there is one digit before the point.
        let (sign, digit) = whole.split_at_checked(whole.len().checked_sub(1)?)?;
        text.push_str(sign);
        text.push_str("0.");
        text.extend(zeros(places.checked_sub(1)?));
        text.push_str(digit);
        text.push_str(fraction);
        return Some(text);
    }
    let (moved, rest) = fraction.split_at_checked(places.min(fraction.len()))?;
    text.push_str(whole);
    text.push_str(moved);
    text.extend(zeros(places.checked_sub(moved.len())?));
    if !rest.is_empty() {
        text.push('.');
        text.push_str(rest);
    }
    Some(text)
}

fn zeros(count: usize) -> impl Iterator<Item = char> {
    std::iter::repeat_n('0', count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of digits without the zeros at both ends.
    fn digits_of(text: &str) -> usize {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.trim_matches('0').len()
    }

    fn check(number: f64) {
        let text = decimal(number).unwrap();
        assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        let displayed = number.to_string();
        assert_eq!(text.len(), displayed.len(), "{text} {displayed}");
        let differ = text.bytes().zip(displayed.bytes()).filter(|(a, b)| a != b);
        let permitted = usize::from(digits_of(&text) >= 16);
        assert!(differ.count() <= permitted, "{text} {displayed}");
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (600.0, "600"),
            (-0.5, "-0.5"),
            (1e-7, "0.0000001"),
            (1.5e-7, "0.00000015"),
            (1e16, "10000000000000000"),
            (1.5e17, "150000000000000000"),
            (1e21, "1000000000000000000000"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (0.1, "0.1"),
        ] {
            assert_eq!(decimal(number).as_deref(), Some(expected));
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(decimal(number), None);
        }
    }

    #[test]
    fn the_text_is_that_of_display_except_for_the_last_digit() {
        for number in [f64::from_bits(1), f64::EPSILON, f64::MAX, f64::MIN_POSITIVE] {
            check(number);
            check(-number);
        }
        // All exponents, with digits of Knuth's generator.
        let mut state = 1_u64;
        for exponent in 0..0x7FF_u64 {
            for _ in 0..50 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let sign = state & (1 << 63);
                check(f64::from_bits(sign | exponent << 52 | state >> 12));
            }
        }
        for integer in 0..100_000_u32 {
            check(integer.into());
        }
    }
}
