//! The patterns of routes.

use super::normal::judge_raw;
use super::{BadPath, PathRules, Segment};
use crate::http::{BadMethod, MethodPattern};
use std::collections::BTreeSet;
use std::fmt;

/// The most segments of a pattern.
pub const MAX_PATTERN_SEGMENTS: usize = 256;

/// One segment of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternSegment {
    /// These bytes, decoded, and folded if letter case is ignored.
    Literal(Box<[u8]>),
    /// `{name}`: one segment, never empty.
    Variable(Box<str>),
    /// `{name+}`: all remaining segments, at least one.
    Greedy(Box<str>),
}

/// A path with variables, such as `/pets/{id}` or `/files/{path+}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: Box<str>,
    segments: Vec<PatternSegment>,
}

impl PathPattern {
    /// Reads a pattern. Its literals may be encoded or not. They are checked
    /// like a request's segments, since no request would reach a route with a
    /// literal that `rules` refuse. A slash at the end makes no difference.
    ///
    /// # Errors
    /// The first error in the pattern.
    pub fn parse(text: &str, rules: &PathRules) -> Result<Self, BadPattern> {
        let path = text.strip_prefix('/').ok_or(BadPattern::NotAbsolute)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments: Vec<PatternSegment> = Vec::new();
        let mut names = BTreeSet::new();
        // `/` has no segments; `//`, which is also empty here, has one.
        let pieces = (text != "/").then(|| path.split('/'));
        for piece in pieces.into_iter().flatten() {
            if matches!(segments.last(), Some(PatternSegment::Greedy(_))) {
                return Err(BadPattern::GreedyNotLast);
            }
            if segments.len() == MAX_PATTERN_SEGMENTS {
                return Err(BadPattern::TooManySegments);
            }
            let segment = parse_segment(piece, rules)?;
            if let PatternSegment::Variable(name) | PatternSegment::Greedy(name) = &segment
                && !names.insert(name.clone())
            {
                return Err(BadPattern::VariableTwice { name: name.clone() });
            }
            segments.push(segment);
        }
        let text = text.into();
        Ok(Self { text, segments })
    }

    /// The segments; empty for `/`.
    #[must_use]
    pub fn segments(&self) -> &[PatternSegment] {
        &self.segments
    }

    /// The names of the variables, from the left.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            PatternSegment::Literal(_) => None,
            PatternSegment::Variable(name) | PatternSegment::Greedy(name) => Some(&**name),
        })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

fn parse_segment(text: &str, rules: &PathRules) -> Result<PatternSegment, BadPattern> {
    if let Some(inner) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        let greedy = inner.strip_suffix('+');
        let name = greedy.unwrap_or(inner);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(BadPattern::VariableName);
        }
        return Ok(match greedy {
            Some(name) => PatternSegment::Greedy(name.into()),
            None => PatternSegment::Variable(name.into()),
        });
    }
    if text.contains(['{', '}']) {
        return Err(BadPattern::Brace);
    }
    if text.contains('?') {
        return Err(BadPattern::Query);
    }
    // In another router's notation, this would be a literal that matches none of
    // the intended requests, and they would reach a less strict route.
    if text == "*" || text == "**" || text.starts_with(':') {
        return Err(BadPattern::ForeignWildcard);
    }
    parse_literal(text, rules).map(|key| PatternSegment::Literal(key.into()))
}

fn parse_literal(text: &str, rules: &PathRules) -> Result<Vec<u8>, BadPattern> {
    if text.contains(';') {
        return Err(BadPattern::Unreachable(BadPath::Semicolon));
    }
    if text.chars().any(char::is_control) {
        return Err(BadPattern::Unreachable(BadPath::EncodedControl));
    }
    text.bytes()
        // A request must encode these, but a pattern need not.
        .filter(|byte| *byte != b' ' && byte.is_ascii())
        .try_for_each(judge_raw)
        .and_then(|()| Segment::parse(text.as_bytes(), rules.flags()))
        .and_then(|segment| match segment.key() {
            [] => Err(BadPath::EmptySegment),
            key => Ok(key.to_vec()),
        })
        .map_err(BadPattern::Unreachable)
}

/// Why a text is not a path pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadPattern {
    /// It does not begin with `/`.
    NotAbsolute,
    /// No request can have such a segment.
    Unreachable(BadPath),
    /// A brace that does not enclose a whole segment.
    Brace,
    /// A variable's name is empty or has a character that is not allowed.
    VariableName,
    /// Two variables of one pattern have the same name.
    VariableTwice {
        /// That name.
        name: Box<str>,
    },
    /// Something follows `{name+}`.
    GreedyNotLast,
    /// More segments than [`MAX_PATTERN_SEGMENTS`].
    TooManySegments,
    /// A wildcard in another router's notation.
    ForeignWildcard,
    /// A query, which is not matched.
    Query,
    /// A variable in `paths.base`.
    VariableInBase,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => out.write_str("a path begins with `/`"),
            Self::Unreachable(BadPath::Encoded(character)) => write!(
                out,
                "no request matches it: an encoded `{0}` is refused unless \
                 `paths.allow_encoded` lists \"{0}\"",
                character.plain()
            ),
            Self::Unreachable(BadPath::EmptySegment) => {
                out.write_str("remove the empty segment; patterns have none")
            }
            Self::Unreachable(BadPath::Semicolon) => out.write_str(
                "remove `;…`: paths match without it where `paths.allow_semicolons` is on, \
                 and are refused with it elsewhere",
            ),
            Self::Unreachable(BadPath::BrokenEncoding) => {
                out.write_str("`%` needs two hexadecimal digits; write `%25` for a `%`")
            }
            Self::Unreachable(reason) => write!(out, "no request matches it: {reason}"),
            Self::Brace => out.write_str(
                "a variable is a whole segment, as in `/pets/{id}`; write `%7B` and `%7D` \
                 for braces themselves",
            ),
            Self::VariableName => out.write_str(
                "a variable's name is made of letters, digits, `.`, `_` and `-`, \
                 as in `{id}` and `{proxy+}`",
            ),
            Self::VariableTwice { name } => {
                write!(out, "two variables are named `{name}`; rename one")
            }
            Self::GreedyNotLast => {
                out.write_str("nothing can follow `{name+}`, which matches the rest")
            }
            Self::TooManySegments => write!(
                out,
                "a pattern has at most {MAX_PATTERN_SEGMENTS} segments; `{{name+}}` at the end stands \
                 for any number of them"
            ),
            Self::ForeignWildcard => out.write_str(
                "write `{name}` for one segment, `{name+}` for one or more; `%2A` and `%3A` \
                 stand for `*` and `:` themselves",
            ),
            Self::Query => {
                out.write_str("remove `?…`: the query is not matched; `%3F` stands for `?` itself")
            }
            Self::VariableInBase => out.write_str("`base` cannot have variables; remove them"),
        }
    }
}

impl std::error::Error for BadPattern {}

/// What a route matches: `METHOD /path`, or `$default` for everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutePattern {
    /// `$default`
    Default,
    /// A method and a path.
    Path {
        /// One method, or `ANY`.
        method: MethodPattern,
        /// The path.
        path: PathPattern,
    },
}

impl RoutePattern {
    /// Reads a route's pattern.
    ///
    /// # Errors
    /// The problem of its form, its method or its path.
    pub fn parse(text: &str, rules: &PathRules) -> Result<Self, BadRoutePattern> {
        if text == "$default" {
            return Ok(Self::Default);
        }
        if text.starts_with('/') {
            return Err(BadRoutePattern::NoMethod);
        }
        let (method, path) = text.split_once(' ').ok_or(BadRoutePattern::Form)?;
        if !path.starts_with('/') {
            return Err(BadRoutePattern::Form);
        }
        Ok(Self::Path {
            method: MethodPattern::parse(method).map_err(BadRoutePattern::Method)?,
            path: PathPattern::parse(path, rules).map_err(BadRoutePattern::Path)?,
        })
    }

    /// The names of the variables; `$default` has none.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let path = match self {
            Self::Default => None,
            Self::Path { path, .. } => Some(path),
        };
        path.into_iter().flat_map(PathPattern::variables)
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("$default"),
            Self::Path { method, path } => write!(out, "{method} {path}"),
        }
    }
}

/// Why a text is not a route's pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadRoutePattern {
    /// It is neither a method, one blank and a path, nor `$default`.
    Form,
    /// It is a path without a method.
    NoMethod,
    /// Its method is wrong.
    Method(BadMethod),
    /// Its path is wrong.
    Path(BadPattern),
}

impl fmt::Display for BadRoutePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => out.write_str(
                "write a method, one space and a path, as in `GET /pets/{id}`, or `$default`",
            ),
            Self::NoMethod => {
                out.write_str("write the method before the path; `ANY` stands for every method")
            }
            Self::Method(error) => error.fmt(out),
            Self::Path(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for BadRoutePattern {}

#[cfg(test)]
mod tests;
