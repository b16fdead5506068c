//! Errors of form: members, types, lists.

use std::fmt;

use super::{Excerpt, Names};
use crate::config::path::ConfigPath;

/// The problem of a value's form, independent of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeProblem {
    /// No member has this name here.
    Unknown {
        /// The name that was probably meant.
        nearest: Option<&'static str>,
        /// All names that are allowed.
        known: &'static [&'static str],
    },
    /// The member occurs twice.
    Duplicate,
    /// A required member is missing.
    Missing {
        /// What to write.
        write: &'static str,
    },
    /// A value of the wrong type.
    Kind {
        /// The expected type.
        wanted: Wanted,
        /// The type of the value.
        found: Kind,
    },
    /// An empty list: it could mean all or nothing.
    EmptyList,
    /// An empty object where at least one member is required.
    EmptyObject {
        /// Its members.
        known: &'static [&'static str],
    },
    /// An empty object whose member names the author chooses. It looks like a
    /// rule, but has no effect.
    EmptyMap,
    /// A single value where only a list is allowed.
    Bare {
        /// The value, if it is text.
        found: Excerpt,
    },
    /// Of members that exclude each other, exactly one is required; there are
    /// none or several.
    ExactlyOne {
        /// All of them.
        of: &'static [&'static str],
        /// The members that are present.
        found: Vec<&'static str>,
    },
    /// A member that has a meaning only together with another one.
    OnlyWith {
        /// The member that it needs.
        member: &'static str,
    },
    /// A member that excludes another one.
    NotWith {
        /// The member that it excludes.
        member: &'static str,
    },
    /// A duplicate value in a list.
    Repeated {
        /// The position of the first occurrence.
        first: ConfigPath,
    },
    /// Too many elements.
    TooMany {
        /// The maximum.
        limit: usize,
    },
}

/// The expected type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// An object.
    Object,
    /// An object, or `off`.
    ObjectOrOff,
    /// A list.
    List,
    /// A list, or one value that stands for a list with it.
    TextOrList,
    /// A list, or the word `any`.
    ListOrAny,
    /// A list, or an object of `any_of`, `all_of`, `none_of`.
    Requirement,
    /// A value, a list, or an object of `any_of`, `all_of`, `none_of`.
    ClaimRule,
    /// One value of a claim rule: text, or an object with `prefix`.
    RuleValue,
    /// The name of a claim, or an object that contains it.
    ClaimSource,
    /// A key set: an object, or its text.
    KeySet,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number,
    /// A duration.
    Duration,
}

/// The types of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
}

impl Wanted {
    /// What it is called, and an example.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Object => ("an object", "`{member: …}`"),
            Self::ObjectOrOff => ("an object or `off`", "`{member: …}` or `off`"),
            Self::List => ("a list", "`[…]`"),
            Self::TextOrList => ("text or a list", "`a` or `[a, b]`"),
            Self::ListOrAny => ("a list or `any`", "`[…]` or `any`"),
            Self::Requirement => (
                "a list or an object",
                "`[…]` or `{any_of: […], all_of: […], none_of: […]}`",
            ),
            Self::ClaimRule => (
                "a value, a list or an object",
                "`a`, `[a, b]` or `{any_of: […], all_of: […], none_of: […]}`",
            ),
            Self::RuleValue => (
                "text or a prefix",
                "text in quotes, or `{prefix: \"repo:org/\"}`",
            ),
            Self::ClaimSource => ("text or an object", "`sub` or `{claim: sub, format: csv}`"),
            Self::KeySet => ("a JWK Set", "`{keys: […]}`, or the same as text"),
            Self::Text => ("text", "text in quotes"),
            Self::Boolean => ("a boolean", "`true` or `false`, without quotes"),
            Self::Number => ("a whole number", "digits without quotes"),
            Self::Duration => ("a duration", "such as `250ms`, `30s`, `10m` or `24h`"),
        }
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }
}

impl fmt::Display for ShapeProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { nearest, known } => unknown(out, *nearest, known),
            Self::Duplicate => out.write_str("is written twice; keep one of the two"),
            Self::Missing { write } => write!(out, "is missing; write {write}"),
            Self::Kind { wanted, found } => kind(out, *wanted, *found),
            Self::EmptyList => {
                out.write_str("is an empty list; write at least one element, or leave it out")
            }
            Self::EmptyObject { known } => write!(
                out,
                "is an empty object; write at least one of {}",
                Names(known, "and")
            ),
            Self::EmptyMap => {
                out.write_str("is an empty object; write at least one member, or leave it out")
            }
            Self::Bare { found } => write!(out, "must be a list; write [{found}]"),
            Self::ExactlyOne { of, found } => exactly_one(out, of, found),
            Self::OnlyWith { member } => {
                write!(out, "has no effect without `{member}`; remove it")
            }
            Self::NotWith { member } => {
                write!(
                    out,
                    "has no effect together with `{member}`; remove one of the two"
                )
            }
            Self::Repeated { first } => {
                write!(out, "is the same as {first}; remove one of the two")
            }
            Self::TooMany { limit } => write!(out, "has more than {limit} elements; write fewer"),
        }
    }
}

fn unknown(
    out: &mut fmt::Formatter<'_>,
    nearest: Option<&'static str>,
    known: &[&'static str],
) -> fmt::Result {
    match nearest {
        Some(nearest) => write!(out, "is unknown; did you mean `{nearest}`?"),
        None => write!(out, "is unknown; write {}", Names(known, "or")),
    }
}

fn kind(out: &mut fmt::Formatter<'_>, wanted: Wanted, found: Kind) -> fmt::Result {
    let (what, example) = wanted.words();
    match found {
        Kind::Null => write!(out, "has no value; write {example}, or leave it out"),
        Kind::Boolean | Kind::Number | Kind::Text | Kind::List | Kind::Object => {
            write!(out, "is {}, not {what}; write {example}", found.word())
        }
    }
}

fn exactly_one(
    out: &mut fmt::Formatter<'_>,
    of: &[&'static str],
    found: &[&'static str],
) -> fmt::Result {
    match found {
        [] => write!(
            out,
            "has none of {}; write exactly one of them",
            Names(of, "and")
        ),
        found => {
            let both = if found.len() == 2 { "both " } else { "" };
            write!(
                out,
                "has {both}{}; write exactly one of {}",
                Names(found, "and"),
                Names(of, "and")
            )
        }
    }
}
