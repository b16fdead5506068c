//! Text that is allowed in the value of a header.

use std::fmt;

use crate::bytes::are_printable;

/// Whether text can be the value of a header field unchanged: it has no control
/// character, including C1 and DEL. Other UTF-8 is allowed.
///
/// A line break would begin a header that the claim chooses.
#[must_use]
pub fn is_header_value(text: &str) -> bool {
    are_printable(text.as_bytes()) || !text.chars().any(char::is_control)
}

/// Text that is safe in the value of a response header: printable ASCII only.
///
/// Proxies write the values of a filter's own responses to the wire unchecked,
/// so responses accept only this type. Each unsafe byte is replaced with `?`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SafeText(String);

impl SafeText {
    /// Filters a text.
    #[must_use]
    pub fn filtered(text: impl AsRef<[u8]>) -> Self {
        let mut safe = Self::default();
        safe.push(text);
        safe
    }

    /// Appends a text, filtered.
    pub fn push(&mut self, text: impl AsRef<[u8]>) {
        self.0.extend(text.as_ref().iter().map(|&byte| match byte {
            0x20..=0x7e => char::from(byte),
            _ => '?',
        }));
    }

    /// Appends a text as a quoted string. `"` and `\`, which RFC 6750 section 3
    /// does not allow, are replaced too, so that nothing in it ends the string.
    pub fn push_quoted(&mut self, text: impl AsRef<[u8]>) {
        self.0.push('"');
        self.0.extend(text.as_ref().iter().map(|&byte| match byte {
            b'"' | b'\\' => '?',
            0x20..=0x7e => char::from(byte),
            _ => '?',
        }));
        self.0.push('"');
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for SafeText {
    fn from(text: &'static str) -> Self {
        Self::filtered(text)
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_is_any_text_without_control_characters() {
        for text in ["", "alice", "Zoë 日本", "a,b", "a\"b"] {
            assert!(is_header_value(text), "{text:?}");
        }
        for text in ["a\r\nx: y", "\0", "a\tb", "\u{7f}", "\u{85}", "\u{1b}[0m"] {
            assert!(!is_header_value(text), "{text:?}");
        }
    }

    #[test]
    fn unsafe_bytes_are_replaced_one_by_one() {
        assert_eq!(SafeText::filtered("a\r\nx: \"y\"").as_str(), "a??x: \"y\"");
        assert_eq!(SafeText::filtered([0x61, 0xff, 0x00]).as_str(), "a??");
    }

    #[test]
    fn nothing_ends_a_quoted_string_but_its_end() {
        let mut text = SafeText::from("Bearer realm=");
        text.push_quoted("a\", error=\"x\\\n");
        assert_eq!(text.as_str(), r#"Bearer realm="a?, error=?x??""#);
    }
}
