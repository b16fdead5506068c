//! All errors of a configuration.

use std::fmt;

use super::path::{ConfigPath, Path};
use super::problem::{DocumentProblem, Problem};

/// The most errors that are kept. A person who sees a thousand fixes them and
/// compiles again. Without a limit, the errors could take more memory than the
/// document.
pub const MAX_ERRORS: usize = 1_000;

/// A misspelt name is compared with all others only up to this many errors.
const MAX_ERRORS_WITH_A_GUESS: usize = 100;

/// One error: its position and the problem.
///
/// Its `Display` is a one-line message: the position, the problem and, after a
/// semicolon, how to fix it. It may repeat names and values of the document,
/// shortened and escaped, but never an inline key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it is.
    pub place: ErrorPosition,
    /// The problem, and how to fix it.
    pub problem: Problem,
}

/// Where an error is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorPosition {
    /// At this position of the text. Lines and columns count from 1, columns in
    /// bytes.
    Position {
        /// The line.
        line: usize,
        /// The column; 0 means the end of the previous line.
        column: usize,
    },
    /// At this value.
    Value(ConfigPath),
}

/// All errors of one configuration, at least one. They are sorted by position,
/// so that the order of members in the document has no effect.
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

    /// How many further errors were not kept.
    #[must_use]
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The one error of a configuration that is larger than
    /// [`MAX_BYTES`](super::MAX_BYTES), for callers that know its size without
    /// reading it.
    #[must_use]
    pub fn too_large() -> Self {
        Self::of_whole(DocumentProblem::TooLarge)
    }

    /// The one error of a text that is not a document.
    pub(super) fn of_document(line: usize, column: usize, problem: DocumentProblem) -> Self {
        Self {
            errors: vec![ConfigError {
                place: ErrorPosition::Position { line, column },
                problem: Problem::Document(problem),
            }],
            omitted: 0,
        }
    }

    /// The one error of a text for which no position is known.
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

impl ConfigErrors {
    /// One line of a log for each error.
    pub fn log_lines(&self) -> impl Iterator<Item = String> {
        let errors = self
            .errors
            .iter()
            .map(|error| format!("configuration: {error}"));
        let omitted = match self.omitted {
            0 => None,
            omitted => Some(format!("configuration: and {omitted} more errors")),
        };
        errors.chain(omitted)
    }
}

/// Collects errors while reading continues.
#[derive(Debug, Default)]
pub(super) struct Sink {
    errors: Vec<ConfigError>,
    omitted: usize,
    fetching: Fetching,
}

/// How a host sends requests to issuers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fetching {
    /// Through clusters of its proxy, so each source needs the name of one.
    #[default]
    Clusters,
    /// Directly. The names of clusters are optional and not used.
    Direct,
}

impl Sink {
    /// For a host that sends requests in this way.
    pub(super) fn with(fetching: Fetching) -> Self {
        Self {
            fetching,
            ..Self::default()
        }
    }

    /// How the host sends requests to issuers.
    pub(super) const fn fetching(&self) -> Fetching {
        self.fetching
    }

    /// Records a problem at a position.
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

    /// Whether there are too many errors to suggest a name for each: suggestions
    /// take time, and a generated document may have 50,000 errors.
    pub(super) fn is_crowded(&self) -> bool {
        self.errors.len() >= MAX_ERRORS_WITH_A_GUESS
    }

    /// All errors, if there are any.
    ///
    /// # Errors
    ///
    /// Everything that was reported.
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
