//! Where the caret is in a document.

/// The place at the end of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The way to the value that contains the place.
    pub(super) path: Vec<Step>,
    pub(super) expects: Expects,
    /// The part of a name or of a value before the caret, with its opening quote.
    pub(super) typed: String,
    /// The names that the object before the caret already has.
    pub(super) present: Vec<String>,
    pub(super) notation: Notation,
}

/// A step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Member(String),
    /// Some element of a list.
    Element,
}

/// What can be written at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    /// The name of a member.
    Name,
    /// A value.
    Value,
    /// In YAML's block notation, a line can begin with either.
    Either,
}

/// How the place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// YAML with indentation.
    Block,
    /// YAML in braces and brackets.
    Flow,
    Json,
}
