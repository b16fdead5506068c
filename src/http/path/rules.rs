//! How paths are read: what of the ambiguous is opened, and the stage before
//! them.

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

/// What of the ambiguous an operator opens; nothing by default. Each of these
/// says that the upstream reads such a path as written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathFlags {
    /// Encoded characters that may stand inside a segment. They stay inside it:
    /// an encoded `/` never separates.
    pub allow_encoded: EncodedSet,
    /// Segments may be empty. See [`NormalPath`](super::NormalPath) for how
    /// such a path is matched.
    pub allow_empty_segments: bool,
    /// Segments may have parameters (`;…`), and match without them.
    pub allow_semicolons: bool,
    /// Segments are compared without letter case; variables keep theirs.
    pub ignore_case: bool,
}

impl PathFlags {
    /// Everything that can be opened.
    pub(super) const OPEN: Self = Self {
        allow_encoded: EncodedSet(0b1_1111),
        allow_empty_segments: true,
        allow_semicolons: true,
        ignore_case: false,
    };
}

/// How the paths of requests and patterns are read.
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

    /// Rules under which `base`, such as `/dev`, is cut off before matching.
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

    /// What is opened.
    #[must_use]
    pub fn flags(&self) -> PathFlags {
        self.flags
    }

    /// The number of the base's segments, if these begin with it.
    pub(super) fn base_of(&self, segments: &[Segment<'_>]) -> Option<usize> {
        let head = segments.get(..self.base.len())?;
        head.iter()
            .zip(&self.base)
            .all(|(segment, base)| segment.key() == &**base)
            .then_some(head.len())
    }
}
