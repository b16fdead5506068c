//! The meaning of a YAML scalar without quotes.
//!
//! Envoy and Kubernetes read YAML before the filter gets it, and they follow YAML 1.1:
//! `off` is `false` and `0123` is 83. The command does the same, so that its results
//! match theirs.

use super::Value;

/// The value of a plain scalar.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
            Value::Bool(true)
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => {
            Value::Bool(false)
        }
        _ => match number(text) {
            Some(number) => Value::Number(number),
            None => Value::Text(text.to_owned()),
        },
    }
}

/// The number in JSON notation, if the text is one.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    let digits = digits.replace('_', "");
    if let Some(whole) = whole(&digits) {
        return Some(format!("{sign}{whole}"));
    }
    let fits = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    let any_digit = digits.bytes().any(|byte| byte.is_ascii_digit());
    if !any_digit || !digits.bytes().all(fits) {
        return None;
    }
    let value: f64 = format!("{sign}{digits}").parse().ok()?;
    serde_json::Number::from_f64(value).map(|number| number.to_string())
}

/// An integer in base 10, or with the prefix `0x`, `0o`, `0b` or `0` in another base.
fn whole(digits: &str) -> Option<u64> {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix)
            && !rest.is_empty()
            && !rest.starts_with('+')
            && let Ok(value) = u64::from_str_radix(rest, radix)
        {
            return Some(value);
        }
    }
    let decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    (decimal && !leading_zero)
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_have_the_same_meaning_as_for_envoy_and_kubernetes() {
        let number = |text: &str| Value::Number(text.to_owned());
        for (text, value) in [
            ("off", Value::Bool(false)),
            ("yes", Value::Bool(true)),
            ("~", Value::Null),
            ("0123", number("83")),
            ("0899", number("899.0")),
            ("0x1F", number("31")),
            ("1_000", number("1000")),
            ("-7", number("-7")),
            ("1.50", number("1.5")),
            ("1e3", number("1000.0")),
            ("18446744073709551616", number("1.8446744073709552e+19")),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
        for text in [
            "10m",
            "1.2.3",
            "2024-01-01",
            "-",
            ".",
            "offf",
            "0xZZ",
            "1:30",
            "/x",
        ] {
            assert_eq!(resolve(text), Value::Text(text.to_owned()), "{text}");
        }
    }
}
