//! What is wrong with a configuration, all of it at once.

use std::fmt;

use super::path::{ConfigPath, Path};
use super::problem::{DocumentProblem, Problem};

/// Errors that are kept. Whoever sees a thousand mends them and asks again;
/// without a bound a document of errors would take more memory than itself.
pub const MAX_ERRORS: usize = 1_000;

/// Errors before which a misspelt name is compared with all others.
const MAX_ERRORS_WITH_A_GUESS: usize = 100;

/// One error: where, and what.
///
/// Its `Display` is one line for people: the place, what is wrong, and, after
/// a semicolon, what to write instead. It may repeat names and values of the
/// document, shortened and escaped, but never an inline key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it is.
    pub place: ErrorPosition,
    /// What is wrong there, and what to write instead.
    pub problem: Problem,
}

/// Where an error is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorPosition {
    /// At this position of the text, counted from 1, columns in bytes.
    Position {
        /// The line.
        line: usize,
        /// The column; 0: at the end of the line before.
        column: usize,
    },
    /// At this value.
    Value(ConfigPath),
}

/// All errors of one configuration; never none. Ordered by their place, so
/// that the order of members in the document does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    omitted: usize,
}

impl ConfigErrors {
    /// The errors, at most [`MAX_ERRORS`].
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }

    /// How many more there are than are kept.
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The one error of a configuration that is larger than
    /// [`MAX_BYTES`](super::MAX_BYTES), for whoever need not have it in memory to
    /// know that.
    #[must_use]
    pub fn too_large() -> Self {
        Self::of_whole(DocumentProblem::TooLarge)
    }

    /// The one error of a text that is no document at all.
    pub(super) fn of_document(line: usize, column: usize, problem: DocumentProblem) -> Self {
        Self {
            errors: vec![ConfigError {
                place: ErrorPosition::Position { line, column },
                problem: Problem::Document(problem),
            }],
            omitted: 0,
        }
    }

    /// The one error of a text of which no place can be named.
    pub(super) fn of_whole(problem: DocumentProblem) -> Self {
        Self {
            errors: vec![ConfigError {
                place: ErrorPosition::Value(Path::root().to_owned()),
                problem: Problem::Document(problem),
            }],
            omitted: 0,
        }
    }
}

impl fmt::Display for ErrorPosition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { line, column } => write!(out, "line {line}, column {column}"),
            Self::Value(path) => path.fmt(out),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigErrors {
    /// One line for each error.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            if number > 0 {
                out.write_str("\n")?;
            }
            error.fmt(out)?;
        }
        match self.omitted {
            0 => Ok(()),
            omitted => write!(out, "\nand {omitted} more errors"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// Where the errors go while reading goes on.
#[derive(Debug, Default)]
pub(super) struct Sink {
    errors: Vec<ConfigError>,
    omitted: usize,
}

impl Sink {
    /// Notes what is wrong at a place.
    pub(super) fn report(&mut self, at: &Path<'_>, problem: impl Into<Problem>) {
        if self.errors.len() >= MAX_ERRORS {
            self.omitted = self.omitted.saturating_add(1);
            return;
        }
        self.errors.push(ConfigError {
            place: ErrorPosition::Value(at.to_owned()),
            problem: problem.into(),
        });
    }

    /// Whether there are so many errors that nobody wants a guess at each:
    /// guessing costs time, and a generated document may be wrong 50,000 times.
    pub(super) fn is_crowded(&self) -> bool {
        self.errors.len() >= MAX_ERRORS_WITH_A_GUESS
    }

    /// All errors, if there are any.
    ///
    /// # Errors
    ///
    /// What was reported.
    pub(super) fn finish(mut self) -> Result<(), ConfigErrors> {
        if self.errors.is_empty() {
            return Ok(());
        }
        crate::order::sort(&mut self.errors, |one, other| one.place.cmp(&other.place));
        Err(ConfigErrors {
            errors: self.errors,
            omitted: self.omitted,
        })
    }
}
