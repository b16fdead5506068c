//! Everything that can be wrong with a configuration.
//!
//! The `Display` of a problem says what is wrong and, after a semicolon, how to
//! fix it. The position is printed before it.

mod claim;
mod code;
mod document;
mod header;
mod provider;
mod resource;
mod route;
mod shape;
mod value;

use std::fmt;

use crate::cors::CorsProblem;

pub use claim::ClaimProblem;
pub use code::ProblemCode;
pub use document::DocumentProblem;
pub use header::{HeaderProblem, Reserved};
pub use provider::ProviderProblem;
pub use resource::ResourceProblem;
pub use route::RouteProblem;
pub use shape::{Kind, ShapeProblem, Wanted};
pub use value::ValueProblem;

/// A problem, by the step that found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The text is not a document.
    Document(DocumentProblem),
    /// A value has the wrong form.
    Shape(ShapeProblem),
    /// A value of the right form is not valid.
    Value(ValueProblem),
    /// A problem of a provider.
    Provider(ProviderProblem),
    /// A problem of a route, or of paths.
    Route(RouteProblem),
    /// A problem of a protected resource.
    Resource(ResourceProblem),
    /// A value of a claim rule.
    Claim(ClaimProblem),
    /// A problem of a header's name or value.
    Header(HeaderProblem),
    /// A member of a CORS policy.
    Cors(CorsProblem),
    /// An entry of a list of a CORS policy.
    CorsEntry(Excerpt, CorsProblem),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(problem) => problem.fmt(out),
            Self::Shape(problem) => problem.fmt(out),
            Self::Value(problem) => problem.fmt(out),
            Self::Provider(problem) => problem.fmt(out),
            Self::Route(problem) => problem.fmt(out),
            Self::Resource(problem) => problem.fmt(out),
            Self::Claim(problem) => problem.fmt(out),
            Self::Header(problem) => problem.fmt(out),
            Self::Cors(problem) => problem.fmt(out),
            Self::CorsEntry(entry, problem) => write!(out, "{entry} {problem}"),
        }
    }
}

impl From<ShapeProblem> for Problem {
    fn from(problem: ShapeProblem) -> Self {
        Self::Shape(problem)
    }
}

impl From<ValueProblem> for Problem {
    fn from(problem: ValueProblem) -> Self {
        Self::Value(problem)
    }
}

impl From<ProviderProblem> for Problem {
    fn from(problem: ProviderProblem) -> Self {
        Self::Provider(problem)
    }
}

impl From<RouteProblem> for Problem {
    fn from(problem: RouteProblem) -> Self {
        Self::Route(problem)
    }
}

impl From<ResourceProblem> for Problem {
    fn from(problem: ResourceProblem) -> Self {
        Self::Resource(problem)
    }
}

impl From<ClaimProblem> for Problem {
    fn from(problem: ClaimProblem) -> Self {
        Self::Claim(problem)
    }
}

impl From<HeaderProblem> for Problem {
    fn from(problem: HeaderProblem) -> Self {
        Self::Header(problem)
    }
}

/// How many characters of a value an error repeats.
const EXCERPT_CHARACTERS: usize = 60;

/// The beginning of a value, for an error message. It is short, and escaped when
/// shown, so that no value can forge a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    beginning: Box<str>,
    shortened: bool,
}

impl Excerpt {
    /// The beginning of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let beginning: String = text.chars().take(EXCERPT_CHARACTERS).collect();
        Self {
            shortened: beginning.len() < text.len(),
            beginning: beginning.into(),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.beginning)?;
        if self.shortened {
            out.write_str("…")
        } else {
            Ok(())
        }
    }
}

/// Names as part of a sentence: `` `a`, `b` and `c` ``.
struct Names<'a>(&'a [&'static str], &'static str);

impl fmt::Display for Names<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(names, conjunction) = self;
        for (number, name) in names.iter().enumerate() {
            let after = names.len().saturating_sub(number);
            match (number, after) {
                (0, _) => {}
                (_, 1) => write!(out, " {conjunction} ")?,
                _ => out.write_str(", ")?,
            }
            write!(out, "`{name}`")?;
        }
        Ok(())
    }
}
