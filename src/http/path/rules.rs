//! Rules for paths: the ambiguities that are allowed, and the base path.

use super::pattern::{BadPattern, PathPattern, PatternSegment};
use super::{EncodedCharacter, Segment};

/// Which encoded characters may stand in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EncodedSet(u8);

impl EncodedSet {
    /// No character.
    pub const NONE: Self = Self(0);

    /// Adds a character.
    #[must_use]
    pub fn with(self, character: EncodedCharacter) -> Self {
        Self(self.0 | bit(character))
    }

    /// Whether a character is among them.
    #[must_use]
    pub fn contains(self, character: EncodedCharacter) -> bool {
        self.0 & bit(character) != 0
    }
}

fn bit(character: EncodedCharacter) -> u8 {
    match character {
        EncodedCharacter::Slash => 1,
        EncodedCharacter::Percent => 2,
        EncodedCharacter::QuestionMark => 4,
        EncodedCharacter::Hash => 8,
        EncodedCharacter::Semicolon => 16,
    }
}

impl FromIterator<EncodedCharacter> for EncodedSet {
    fn from_iter<I: IntoIterator<Item = EncodedCharacter>>(characters: I) -> Self {
        characters.into_iter().fold(Self::default(), Self::with)
    }
}

/// The ambiguities that an operator allows; none by default. With each the
/// operator states that the upstream reads such a path as documented here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathFlags {
    /// Encoded characters that are allowed inside a segment. They stay inside
    /// it: an encoded `/` never separates segments.
    pub allow_encoded: EncodedSet,
    /// Whether segments may be empty. See [`NormalPath`](super::NormalPath) for
    /// how such a path is matched.
    pub allow_empty_segments: bool,
    /// Whether segments may have parameters (`;…`). They are ignored in
    /// matching.
    pub allow_semicolons: bool,
    /// Whether segments are compared without letter case. Variables keep theirs.
    pub ignore_case: bool,
}

impl PathFlags {
    /// All flags set.
    pub(super) const OPEN: Self = Self {
        allow_encoded: EncodedSet(0b1_1111),
        allow_empty_segments: true,
        allow_semicolons: true,
        ignore_case: false,
    };
}

/// The rules for the paths of requests and patterns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathRules {
    flags: PathFlags,
    base: Vec<Box<[u8]>>,
}

impl PathRules {
    /// Rules without a base.
    #[must_use]
    pub fn new(flags: PathFlags) -> Self {
        let base = Vec::new();
        Self { flags, base }
    }

    /// Rules that remove `base`, such as `/dev`, before matching.
    ///
    /// # Errors
    /// As [`PathPattern::parse`], and [`BadPattern::VariableInBase`].
    pub fn with_base(flags: PathFlags, base: &str) -> Result<Self, BadPattern> {
        let mut rules = Self::new(flags);
        rules.base = PathPattern::parse(base, &rules)?
            .segments()
            .iter()
            .map(|segment| match segment {
                PatternSegment::Literal(key) => Ok(key.clone()),
                PatternSegment::Variable(_) | PatternSegment::Greedy(_) => {
                    Err(BadPattern::VariableInBase)
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(rules)
    }

    /// The allowed ambiguities.
    #[must_use]
    pub fn flags(&self) -> PathFlags {
        self.flags
    }

    /// Whether the base begins with these segments.
    pub(super) fn begins_with(&self, segments: &[Segment<'_>]) -> bool {
        self.base.get(..segments.len()).is_some_and(|head| {
            let mut both = head.iter().zip(segments);
            both.all(|(base, segment)| segment.key() == &**base)
        })
    }

    /// The number of the base's segments, if `segments` begin with it.
    pub(super) fn base_of(&self, segments: &[Segment<'_>]) -> Option<usize> {
        let head = segments.get(..self.base.len())?;
        head.iter()
            .zip(&self.base)
            .all(|(segment, base)| segment.key() == &**base)
            .then_some(head.len())
    }
}
