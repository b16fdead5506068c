//! The path of a request, after its check.

use super::{BadPath, PathFlags, PathRules, Segment};
use crate::bytes::{are_visible_without, find};

/// A path that all readers read alike: its decoded segments, without those of
/// the base. A slash at the end makes no difference.
///
/// Where empty segments are allowed they are segments like others, except that
/// `{var}` does not match one. An upstream may still merge slashes.
/// [`NormalPath::without_empty_segments`] is its reading of the path, and a
/// router must find the same route for both: otherwise `//admin` would have the
/// route of `/{proxy+}` here and be `/admin` there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NormalPath<'a> {
    segments: Vec<Segment<'a>>,
    /// How many segments belong to the base; `None`: the path is outside of it.
    base: Option<usize>,
}

impl<'a> NormalPath<'a> {
    /// Checks a request's path, its query included.
    ///
    /// # Errors
    /// The first ambiguity in the path. Takes time and memory linear in the
    /// path's length. A segment without an encoding is borrowed.
    pub fn parse(raw: &'a [u8], rules: &PathRules) -> Result<Self, BadPath> {
        Self::parse_with(raw, rules, rules.flags()).map_err(|error| {
            // A setting is named only if it would allow the path.
            let opened = || Self::parse_with(raw, rules, PathFlags::OPEN).err();
            error.allowed_by().and_then(|_| opened()).unwrap_or(error)
        })
    }

    fn parse_with(raw: &'a [u8], rules: &PathRules, flags: PathFlags) -> Result<Self, BadPath> {
        let path = find(raw, b'?').map_or(Some(raw), |end| raw.get(..end));
        let path = path.unwrap_or_default();
        let path = path.strip_prefix(b"/").ok_or(BadPath::NotAbsolute)?;
        if !are_visible_without(path, *b"#\\") {
            path.iter().try_for_each(|&byte| judge_raw(byte))?;
        }
        let mut segments = Vec::with_capacity(8);
        let mut pieces = path.split(|&byte| byte == b'/').peekable();
        while let Some(piece) = pieces.next() {
            if piece.is_empty() && pieces.peek().is_none() {
                break;
            }
            let segment = Segment::parse(piece, flags)?;
            // `;x` is an empty segment too. At the end it is more than a slash.
            if segment.is_empty() && !flags.allow_empty_segments {
                return Err(BadPath::EmptySegment);
            }
            segments.push(segment);
        }
        let base = rules.base_of(&segments);
        Ok(Self { segments, base })
    }

    /// The segments that patterns are compared with, empty for `/`; `None` if
    /// the path is outside of the base and so has no route.
    #[must_use]
    pub fn segments(&self) -> Option<&[Segment<'a>]> {
        self.segments.get(self.base?..)
    }

    /// Whether the path is a beginning of the base, so that every path inside the base
    /// continues it.
    #[must_use]
    pub fn is_above_base(&self, rules: &PathRules) -> bool {
        rules.begins_with(&self.segments)
    }

    /// The path as an upstream that merges slashes reads it; `None` if that
    /// makes no difference.
    #[must_use]
    pub fn without_empty_segments(&self) -> Option<Self> {
        let segments = self.segments()?;
        segments.iter().any(Segment::is_empty).then(|| Self {
            segments: segments
                .iter()
                .filter(|segment| !segment.is_empty())
                .cloned()
                .collect(),
            base: Some(0),
        })
    }
}

/// Checks a raw byte. `;` and `%` are checked with their segment.
pub(super) fn judge_raw(byte: u8) -> Result<(), BadPath> {
    match byte {
        0x00..=0x20 | 0x7f.. => Err(BadPath::RawByte),
        b'#' => Err(BadPath::Fragment),
        b'\\' => Err(BadPath::Backslash),
        _ => Ok(()),
    }
}
