//! Why a path is refused.

use std::fmt;

/// Why a path is ambiguous. This is a closed set: each reason has a name in logs
/// and metrics, and none repeats the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BadPath {
    /// There is no path (CONNECT), or it does not begin with `/` (`*`).
    NotAbsolute,
    /// A byte that is not allowed in a URL: a blank, a control character or a
    /// byte beyond ASCII.
    RawByte,
    /// A `#`, which ends the path for some readers.
    Fragment,
    /// A `\`, plain or encoded, which some readers take for `/`.
    Backslash,
    /// A `;`, which ends the segment for some readers.
    Semicolon,
    /// A `%` without two hexadecimal digits after it.
    BrokenEncoding,
    /// Encoded octets that are not UTF-8.
    NotUtf8,
    /// An encoded control character.
    EncodedControl,
    /// An encoded character that would have a special meaning if it were plain.
    Encoded(EncodedCharacter),
    /// An encoded `%` before two hexadecimal digits: a second decoding would
    /// change them to another character.
    EncodedTwice,
    /// A segment that is `.` or `..`, encoded or not, or such a part beside an
    /// encoded separator.
    DotSegment,
    /// An empty segment that is not at the end.
    EmptySegment,
}

/// The encoded characters that `paths.allow_encoded` can allow in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EncodedCharacter {
    /// `%2F`
    Slash,
    /// `%25`
    Percent,
    /// `%3F`
    QuestionMark,
    /// `%23`
    Hash,
    /// `%3B`
    Semicolon,
}

impl EncodedCharacter {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Slash,
        Self::Percent,
        Self::QuestionMark,
        Self::Hash,
        Self::Semicolon,
    ];

    /// The character itself.
    #[must_use]
    pub fn plain(self) -> char {
        match self {
            Self::Slash => '/',
            Self::Percent => '%',
            Self::QuestionMark => '?',
            Self::Hash => '#',
            Self::Semicolon => ';',
        }
    }

    /// The character for this octet, if it is one of them.
    pub(super) fn of(octet: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|character| character.plain() == char::from(octet))
    }
}

impl BadPath {
    /// The member of `paths` that would allow such a path, if there is one.
    #[must_use]
    pub fn allowed_by(self) -> Option<&'static str> {
        match self {
            Self::Semicolon => Some("allow_semicolons"),
            Self::EmptySegment => Some("allow_empty_segments"),
            Self::Encoded(_) => Some("allow_encoded"),
            Self::NotAbsolute
            | Self::RawByte
            | Self::Fragment
            | Self::Backslash
            | Self::BrokenEncoding
            | Self::NotUtf8
            | Self::EncodedControl
            | Self::EncodedTwice
            | Self::DotSegment => None,
        }
    }
}

impl fmt::Display for BadPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::NotAbsolute => "the path does not begin with `/`",
            Self::RawByte => "the path has a space, a control character or a non-ASCII byte",
            Self::Fragment => "the path has a `#`",
            Self::Backslash => "the path has a `\\`",
            Self::Semicolon => "the path has a `;`",
            Self::BrokenEncoding => "the path has an invalid `%` encoding",
            Self::NotUtf8 => "the path's octets are not UTF-8",
            Self::EncodedControl => "the path has an encoded control character",
            Self::Encoded(character) => {
                return self.write(out, |out| {
                    write!(out, "the path has an encoded `{}`", character.plain())
                });
            }
            Self::EncodedTwice => "the path has a character that is encoded twice",
            Self::DotSegment => "the path has a `.` or `..` segment",
            Self::EmptySegment => "the path has an empty segment",
        };
        self.write(out, |out| out.write_str(what))
    }
}

impl BadPath {
    fn write(
        self,
        out: &mut fmt::Formatter<'_>,
        what: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
    ) -> fmt::Result {
        what(out)?;
        match self.allowed_by() {
            Some(member) => write!(out, " (`paths.{member}` would allow it)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BadPath {}
