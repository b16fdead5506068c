//! Faults of single values: texts, numbers, durations.

use std::fmt;

use super::{Excerpt, Names};

/// What is wrong with a value of the right kind, or one that was of the right
/// kind before YAML read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueProblem {
    /// A number where text is wanted: YAML reads `0123` as 83.
    UnquotedNumber(Box<str>),
    /// A boolean where text is wanted: YAML reads `off` as `false`.
    UnquotedBoolean(bool),
    /// An object where text is wanted: YAML reads `{id}` as one.
    UnquotedBraces(Excerpt),
    /// Text without a character.
    EmptyText,
    /// A prefix without a character.
    EmptyPrefix,
    /// A control character in a text that is a name or a value on the wire.
    ControlCharacter(char),
    /// A text that is none of the words that may stand here.
    NotAChoice {
        /// What stands there.
        found: Excerpt,
        /// The words.
        choices: Vec<&'static str>,
    },
    /// A number where a duration is wanted.
    NoUnit(Box<str>),
    /// A text that is no duration.
    NotADuration(Excerpt),
    /// A number with a fraction where there is none.
    Fraction(Box<str>),
    /// A number or duration out of its range.
    OutOfRange {
        /// What stands there.
        found: Box<str>,
        /// The least.
        least: Box<str>,
        /// The most.
        most: Box<str>,
    },
}

impl fmt::Display for ValueProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnquotedNumber(found) => write!(
                out,
                "is the number {found}, not text; quote it as it was meant: \"{found}\" (YAML reads 0123 as 83)"
            ),
            Self::UnquotedBoolean(found) => write!(
                out,
                "is {found}, not text; quote it as it was meant: \"{found}\" (YAML reads off and no as false)"
            ),
            Self::UnquotedBraces(found) => write!(
                out,
                "is an object, because YAML reads unquoted braces as an object; write {found} with its quotes"
            ),
            Self::EmptyPrefix => out.write_str(
                "is empty and would match every value; write the beginning of the value",
            ),
            Self::EmptyText => out.write_str("is empty; write something, or leave it out"),
            Self::ControlCharacter(character) => {
                write!(out, "has the control character {character:?}; remove it")
            }
            Self::NotAChoice { found, choices } => {
                write!(
                    out,
                    "{found} is not allowed here; write {}",
                    Names(choices, "or")
                )
            }
            Self::NoUnit(found) => {
                write!(
                    out,
                    "is {found} without a unit; quote it with one, such as \"{found}s\""
                )
            }
            Self::NotADuration(found) => write!(
                out,
                "{found} is not a duration; write digits and one of `ms`, `s`, `m` and `h`, such as `30s`"
            ),
            Self::Fraction(found) => write!(out, "{found} has a fraction; write a whole number"),
            Self::OutOfRange { found, least, most } => {
                write!(out, "{found} is out of range; write {least} to {most}")
            }
        }
    }
}
