//! Errors in a case file.

use std::fmt;

/// An error in a case file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// The case or part of the file, such as `tokens.good`.
    pub place: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a part of a case file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is not YAML; the parser's message.
    Yaml(String),
    /// A member is unknown, missing or of a wrong type; the reader's message.
    Shape(String),
    /// The configuration is refused; all its errors.
    Config(String),
    /// The file with the configuration does not exist, or contains none; as a sentence.
    File(String),
    /// A name is not defined.
    Unknown {
        /// The kind of thing that it should name.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Tokens that are like each other, or that contain each other.
    Circular(String),
    /// A text, with its repetitions, is larger than any request can be.
    TooLarge,
    /// A value that is not allowed here.
    Invalid {
        /// The value.
        value: String,
        /// The allowed values.
        expected: &'static str,
    },
    /// A required name is missing.
    Missing(&'static str),
    /// A key cannot be generated, or cannot sign with this algorithm.
    Key(&'static str),
}

impl Problem {
    /// The error of this problem at a place.
    pub(super) fn at(self, place: impl Into<String>) -> CaseError {
        let place = place.into();
        CaseError {
            place,
            problem: self,
        }
    }

    pub(super) fn unknown(kind: &'static str, name: impl Into<String>) -> Self {
        let name = name.into();
        Self::Unknown { kind, name }
    }

    pub(super) fn invalid(value: impl Into<String>, expected: &'static str) -> Self {
        let value = value.into();
        Self::Invalid { value, expected }
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::Shape(error.to_string())
    }
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yaml(text) | Self::Shape(text) | Self::File(text) => f.write_str(text),
            Self::Config(text) => write!(f, "the configuration is refused:\n{text}"),
            Self::Unknown { kind, name } => write!(f, "there is no {kind} `{name}`"),
            Self::Circular(name) => write!(f, "`{name}` refers to itself"),
            Self::TooLarge => f.write_str("the text is larger than any request can be"),
            Self::Invalid { value, expected } => {
                write!(f, "`{value}` is not allowed here: {expected}")
            }
            Self::Missing(what) => write!(f, "{what} is missing"),
            Self::Key(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for CaseError {}
