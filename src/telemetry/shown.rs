//! Text from outside, in a form that is safe in a log line.

use std::fmt;

/// The most characters that are shown.
const MAX_CHARACTERS: usize = 200;

/// Text from another party, such as an issuer. It has at most 200 characters,
/// and cannot end the line, colour the terminal or look like the words around
/// it.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(Box<str>);

impl Shown {
    /// The parts of `text` that may stand between backquotes: printable ASCII
    /// characters except `` ` `` and `\`. Others are written as `\u{…}`; text
    /// that is too long ends in `…`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut shown = String::new();
        for character in text.chars() {
            if shown.len() >= MAX_CHARACTERS {
                shown.push('…');
                break;
            }
            if matches!(character, ' '..='~') && !matches!(character, '`' | '\\') {
                shown.push(character);
            } else {
                shown.extend(character.escape_unicode());
            }
        }
        Self(shown.into())
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`", self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_is_shown_unchanged() {
        let issuer = "https://issuer.example:8443/realms/a?x=1&y='\"";
        assert_eq!(Shown::new(issuer).to_string(), format!("`{issuer}`"));
        assert_eq!(Shown::new("").to_string(), "``");
    }

    #[test]
    fn nothing_ends_the_line_or_the_quotation() {
        let hostile = "a\r\n\u{1b}[31m`\\\u{0}\u{7f}\u{202e}ä";
        let shown = Shown::new(hostile).to_string();
        assert_eq!(
            shown,
            r"`a\u{d}\u{a}\u{1b}[31m\u{60}\u{5c}\u{0}\u{7f}\u{202e}\u{e4}`"
        );
    }

    #[test]
    fn long_text_is_truncated() {
        let exact = "x".repeat(MAX_CHARACTERS);
        assert_eq!(Shown::new(&exact).to_string(), format!("`{exact}`"));
        let long = Shown::new(&"x".repeat(1_000_000)).to_string();
        assert_eq!(long, format!("`{exact}…`"));
        let escaped = Shown::new(&"\u{10ffff}".repeat(1_000_000)).to_string();
        assert!(escaped.len() < MAX_CHARACTERS + 20, "{}", escaped.len());
    }
}
