//! One segment of a path, checked and decoded.

use super::fold::without_case;
use super::{BadPath, EncodedCharacter, PathFlags};
use crate::bytes::octet;
use std::borrow::Cow;

/// A segment in its decoded form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    text: Cow<'a, [u8]>,
    /// The form for comparison, if it differs from the text.
    folded: Option<Box<[u8]>>,
}

impl<'a> Segment<'a> {
    /// Checks and decodes the text between two slashes. The caller has checked
    /// for bytes that are not allowed in a path.
    pub(super) fn parse(raw: &'a [u8], flags: PathFlags) -> Result<Self, BadPath> {
        // Most segments contain nothing to decode, remove or refuse.
        let is_special = |byte: &u8| matches!(byte, b';' | b'%' | b'.');
        if !flags.ignore_case && !raw.iter().any(is_special) {
            return Ok(Self {
                text: Cow::Borrowed(raw),
                folded: None,
            });
        }
        let raw = match raw.iter().position(|&byte| byte == b';') {
            None => raw,
            Some(_) if !flags.allow_semicolons => return Err(BadPath::Semicolon),
            Some(at) => {
                let (name, parameters) = raw.split_at_checked(at).unwrap_or((raw, b""));
                // Removed, but still checked: readers that decode before they
                // remove parameters would see what is hidden in them.
                decode(parameters, flags)?;
                name
            }
        };
        let text = decode(raw, flags)?;
        let folded = match (flags.ignore_case, &text) {
            (false, _) => None,
            (true, text) => match without_case(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(folded) => Some(folded.into()),
            },
        };
        Ok(Self { text, folded })
    }

    /// The decoded bytes, in their original letter case.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The bytes that are compared with a pattern.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.folded.as_deref().unwrap_or(&self.text)
    }

    /// Whether the segment is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Decodes a segment once and checks the result. An encoded unreserved character
/// is equivalent to the plain one (RFC 3986 section 6.2.2.2), so an encoded `.`
/// is refused only where a plain one would be.
fn decode(raw: &[u8], flags: PathFlags) -> Result<Cow<'_, [u8]>, BadPath> {
    let text = if raw.contains(&b'%') {
        let decoded = decode_octets(raw, flags)?;
        let text = std::str::from_utf8(&decoded).map_err(|_| BadPath::NotUtf8)?;
        if text.chars().any(char::is_control) {
            return Err(BadPath::EncodedControl);
        }
        if could_be_decoded(&decoded) {
            return Err(BadPath::EncodedTwice);
        }
        Cow::Owned(decoded)
    } else {
        Cow::Borrowed(raw)
    };
    if has_dot_part(&text) {
        return Err(BadPath::DotSegment);
    }
    Ok(text)
}

fn decode_octets(raw: &[u8], flags: PathFlags) -> Result<Vec<u8>, BadPath> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        rest = match rest {
            [] => return Ok(decoded),
            [b'%', high, low, rest @ ..] => {
                let octet = octet(*high, *low).ok_or(BadPath::BrokenEncoding)?;
                judge_encoded(octet, flags)?;
                decoded.push(octet);
                rest
            }
            [b'%', ..] => return Err(BadPath::BrokenEncoding),
            [byte, rest @ ..] => {
                decoded.push(*byte);
                rest
            }
        };
    }
}

fn judge_encoded(octet: u8, flags: PathFlags) -> Result<(), BadPath> {
    match octet {
        b'\\' => Err(BadPath::Backslash),
        _ => match EncodedCharacter::of(octet) {
            Some(character) if !flags.allow_encoded.contains(character) => {
                Err(BadPath::Encoded(character))
            }
            _ => Ok(()),
        },
    }
}

/// Whether decoded text has a `%` that a second decoding would change. With
/// `%25` allowed, `%2561dmin` would be `%61dmin` here and `admin` to an upstream
/// that decodes twice; `100%25` is `100%` to both.
fn could_be_decoded(text: &[u8]) -> bool {
    text.windows(3).any(|window| match window {
        [b'%', high, low] => octet(*high, *low).is_some(),
        _ => false,
    })
}

/// Whether a reader that takes allowed encoded characters for plain ones would
/// see a `.` or `..`, between slashes or before a character that ends the
/// segment.
fn has_dot_part(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'/').any(|part| {
        let end = |&byte: &u8| matches!(byte, b';' | b'?' | b'#');
        matches!(part.split(end).next(), Some(b"." | b".."))
    })
}
