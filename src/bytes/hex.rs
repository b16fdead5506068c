//! Hexadecimal digits.

/// The octet that two hexadecimal digits of either case stand for; `None` if one of them is
/// no digit.
#[must_use]
pub fn octet(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_of_either_case_are_an_octet() {
        for value in 0..=u8::MAX {
            let lower = format!("{value:02x}");
            for text in [lower.to_ascii_uppercase(), lower] {
                let digits = text.as_bytes();
                assert_eq!(octet(digits[0], digits[1]), Some(value));
            }
        }
        for other in (0..=u8::MAX).filter(|byte| !byte.is_ascii_hexdigit()) {
            assert_eq!(octet(other, b'0'), None);
            assert_eq!(octet(b'0', other), None);
        }
    }
}
