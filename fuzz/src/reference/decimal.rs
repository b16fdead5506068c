//! JSON numbers as decimal fractions of any length, without rounding.

use std::cmp::Ordering;

/// `0.d₁d₂d₃… × 10^power`, where d₁ is not 0; zero has no digits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    power: i128,
}

impl Decimal {
    /// Takes the text of a JSON number.
    pub(crate) fn new(text: &str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let power = i128::try_from(whole.len()).unwrap() + self::exponent(exponent);
        Self::normal(negative, format!("{whole}{fraction}").as_bytes(), power)
    }

    /// `number × 10^power`.
    pub(crate) fn of(number: i128, power: i128) -> Self {
        let digits = number.unsigned_abs().to_string();
        let power = power + i128::try_from(digits.len()).unwrap();
        Self::normal(number < 0, digits.as_bytes(), power)
    }

    fn normal(negative: bool, digits: &[u8], power: i128) -> Self {
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let mut digits = digits[zeros..].to_vec();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            let negative = false;
            let power = 0;
            return Self {
                negative,
                digits,
                power,
            };
        }
        Self {
            negative,
            digits,
            power: power - i128::try_from(zeros).unwrap(),
        }
    }

    /// The absolute value.
    pub(crate) fn abs(mut self) -> Self {
        self.negative = false;
        self
    }

    fn cmp_abs(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self
                .power
                .cmp(&other.power)
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.cmp_abs(other),
            (true, true) => other.cmp_abs(self),
        }
    }
}

/// An exponent; all extremely large ones of the same sign are treated alike.
fn exponent(text: &str) -> i128 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.trim_start_matches('0');
    if digits.len() > 30 {
        return sign * 10_i128.pow(30);
    }
    sign * digits.parse::<i128>().unwrap_or(0)
}
