//! Problems of a value in a claim rule.

use std::fmt;

use super::{Excerpt, Reserved};
use crate::config::path::ConfigPath;

/// The problem of a value that a claim is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimProblem {
    /// A path variable beside other text.
    PartOfText(Excerpt),
    /// A header or query parameter beside other text.
    RequestInText(Excerpt),
    /// A placeholder with blanks inside its braces.
    Blanks(Excerpt),
    /// A placeholder in a prefix.
    InPrefix(Excerpt),
    /// A query parameter without a name, or with an impossible one.
    QueryName(Excerpt),
    /// A header or query parameter that no claim can be compared with.
    NotCompared {
        /// Its name.
        name: Excerpt,
        /// The kind of header or parameter.
        because: Reserved,
    },
    /// A header or query parameter that is written like a path variable of one
    /// of the route's patterns.
    AlsoVariable {
        /// The value.
        value: Excerpt,
        /// The pattern.
        pattern: ConfigPath,
    },
    /// A path variable that a pattern of the route lacks.
    NoSuchVariable {
        /// The variable's name.
        name: Excerpt,
        /// The pattern.
        pattern: ConfigPath,
        /// The value that was probably meant.
        meant: Option<Excerpt>,
    },
    /// A path variable in a provider's rule, which applies to every path.
    OfProvider {
        /// The value.
        value: Excerpt,
        /// The value that was probably meant.
        meant: Option<Excerpt>,
    },
}

impl fmt::Display for ClaimProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PartOfText(value) => write!(
                out,
                "{value} has a path variable beside other text; write the variable alone, as in \"{{id}}\""
            ),
            Self::RequestInText(value) => write!(
                out,
                "{value} has a header or query parameter beside other text; \
                 write it alone, as in \"{{header.x-tenant}}\""
            ),
            Self::Blanks(value) => write!(
                out,
                "{value} has spaces inside its braces; remove them, as in \"{{id}}\""
            ),
            Self::InPrefix(value) => write!(
                out,
                "{value} is a placeholder, but a prefix is plain text; \
                 write the text, or \"{{id}}\" without `prefix`"
            ),
            Self::QueryName(value) => write!(
                out,
                "{value} is not a query parameter; write for example \"{{query.tenant}}\""
            ),
            Self::NotCompared { name, because } => {
                write!(
                    out,
                    "{name} cannot be compared with a claim, because it {because}; write "
                )?;
                out.write_str(if *because == Reserved::Host {
                    "routes with `hosts`"
                } else {
                    "another name, such as `x-tenant`"
                })
            }
            Self::AlsoVariable { value, pattern } => write!(
                out,
                "{value} is a part of the request, and also a path variable of {pattern}; \
                 rename the variable there"
            ),
            Self::NoSuchVariable {
                name,
                pattern,
                meant,
            } => {
                write!(out, "{name} is not a variable of {pattern}; ")?;
                or_meant(
                    out,
                    meant.as_ref(),
                    "write one that every `match` of the route has",
                )
            }
            Self::OfProvider { value, meant } => {
                write!(
                    out,
                    "{value} is a path variable, but a provider's rules apply to every path; "
                )?;
                or_meant(out, meant.as_ref(), "move the rule to a route")
            }
        }
    }
}

/// How to fix it: the probable meaning, or else `advice`.
fn or_meant(out: &mut fmt::Formatter<'_>, meant: Option<&Excerpt>, advice: &str) -> fmt::Result {
    match meant {
        Some(meant) => write!(out, "did you mean {meant}?"),
        None => out.write_str(advice),
    }
}
