//! Cookies and query parameters: their names and values, and the names that some
//! reader confuses.

use std::borrow::Cow;

use super::name;
use crate::bytes::octet;

/// What a `+` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plus {
    /// For a space, as in queries.
    Space,
    /// For itself, as in cookies.
    Itself,
}

/// A text after percent-decoding.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The text.
    pub text: Cow<'a, [u8]>,
    /// Whether it has a `%` without two hexadecimal digits. It is left
    /// unchanged.
    pub broken: bool,
}

/// Splits a pair at its first `=`. Without one, the whole pair is the name.
#[must_use]
pub fn cut(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default();
    (name, halves.next().unwrap_or_default())
}

/// Decodes a text once.
#[must_use]
pub fn decoded(text: &[u8], plus: Plus) -> Decoded<'_> {
    let is_space = |byte: u8| byte == b'+' && plus == Plus::Space;
    if !text.iter().any(|byte| *byte == b'%' || is_space(*byte)) {
        return Decoded {
            text: Cow::Borrowed(text),
            broken: false,
        };
    }
    let mut out = Vec::with_capacity(text.len());
    let mut broken = false;
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        out.push(match (byte, after) {
            (b'%', [high, low, behind @ ..]) if let Some(octet) = octet(*high, *low) => {
                rest = behind;
                octet
            }
            (b'%', _) => {
                broken = true;
                b'%'
            }
            (byte, _) if is_space(*byte) => b' ',
            (byte, _) => *byte,
        });
    }
    Decoded {
        text: Cow::Owned(out),
        broken,
    }
}

/// Whether some reader may take a decoded name for `name`: without letter case,
/// with `.` for `_`, without blanks around it (including Unicode blanks, which
/// some read as bytes), as the name of a list (`tenant[]`), or cut off at a zero
/// byte.
#[must_use]
pub fn is_like(mut known: &[u8], name: &[u8]) -> bool {
    while let [0x00..=0x20 | 0x7f.., rest @ ..] = known {
        known = rest;
    }
    known
        .split_at_checked(name.len())
        .is_some_and(|(start, rest)| {
            let ends = match rest {
                [] | [b'[' | 0, ..] => true,
                rest => rest.iter().all(|byte| !(0x21..=0x7e).contains(byte)),
            };
            ends && name::fold_together(start, name)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_encodings_stay_unchanged() {
        for (text, plain, broken) in [
            ("a%20b", "a b", false),
            ("%61%", "a%", true),
            ("%6", "%6", true),
            ("%zz", "%zz", true),
            ("%+1", "%+1", true),
            ("%2561", "%61", false),
        ] {
            let decoded = decoded(text.as_bytes(), Plus::Itself);
            assert_eq!(*decoded.text, *plain.as_bytes(), "{text}");
            assert_eq!(decoded.broken, broken, "{text}");
        }
        assert_eq!(*decoded(b"a+b%2B", Plus::Space).text, *b"a b+");
        assert_eq!(*decoded(b"a+b", Plus::Itself).text, *b"a+b");
    }

    #[test]
    fn names_are_alike_if_some_reader_confuses_them() {
        for known in [
            "access_token",
            "Access_Token",
            "access.token",
            "access-token",
            "access token",
            " access_token\t",
            "access_token[]",
            "access_token[0][a]",
            "access_token\0x",
            "access[token",
            "access_token\u{a0}",
            "\u{85}\u{feff}access_token \u{2003}",
        ] {
            assert!(is_like(known.as_bytes(), b"access_token"), "{known:?}");
        }
        for known in [
            "access_tokens",
            "xaccess_token",
            "accesstoken",
            "",
            "[access_token]",
            "access__token",
            "access_token\u{a0}x",
            "x\u{a0}access_token",
            "access_token x",
        ] {
            assert!(!is_like(known.as_bytes(), b"access_token"), "{known:?}");
        }
    }
}
