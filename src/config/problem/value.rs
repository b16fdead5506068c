//! Errors of single values: texts, numbers, durations.

use std::fmt;

use super::{Excerpt, Names};

/// The problem of a value of the right type, or of a value whose type YAML
/// changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueProblem {
    /// A number where text is expected: YAML reads `0123` as 83.
    UnquotedNumber(Box<str>),
    /// A boolean where text is expected: YAML reads `off` as `false`.
    UnquotedBoolean(bool),
    /// An object where text is expected: YAML reads `{id}` as one.
    UnquotedBraces(Excerpt),
    /// Empty text.
    EmptyText,
    /// An empty prefix.
    EmptyPrefix,
    /// A control character in a text that is a name or a value on the wire.
    ControlCharacter(char),
    /// A text that is not one of the allowed words.
    NotAChoice {
        /// The text.
        found: Excerpt,
        /// The allowed words.
        choices: Vec<&'static str>,
    },
    /// A number where a duration is expected.
    NoUnit(Box<str>),
    /// A text that is not a duration.
    NotADuration(Excerpt),
    /// A number with a fraction where a whole number is expected.
    Fraction(Box<str>),
    /// A duration with a part of a second where whole seconds are expected.
    NotWholeSeconds(Box<str>),
    /// A number or duration out of its range.
    OutOfRange {
        /// The value.
        found: Box<str>,
        /// The minimum.
        least: Box<str>,
        /// The maximum.
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
            Self::NotWholeSeconds(found) => {
                write!(
                    out,
                    "{found} is not a whole number of seconds; write whole seconds"
                )
            }
            Self::Fraction(found) => write!(out, "{found} has a fraction; write a whole number"),
            Self::OutOfRange { found, least, most } => {
                write!(out, "{found} is out of range; write {least} to {most}")
            }
        }
    }
}
