//! How a run of the command ends.

use std::io;
use std::process::ExitCode;

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No errors were found.
    Good,
    /// Errors were found.
    Wrong,
    /// The command was used wrongly, or a file cannot be read.
    Misused,
}

impl Outcome {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Wrong => 1,
            Self::Misused => 2,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file cannot be read, or an argument is wrong; as a sentence.
    Use(String),
    /// The output cannot be written.
    Write(io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Use(sentence) => out.write_str(sentence),
            Self::Write(error) => error.fmt(out),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}
