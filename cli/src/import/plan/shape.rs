//! Patterns without the names of their variables, and how they overlap.

use crate::import::append::append;
use edge_authz::http::path::PatternSegment;
use edge_authz::http::{MethodPattern, PathPattern, RoutePattern};

/// What a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::import) struct Shape {
    /// `None`: every method.
    pub(in crate::import) method: Option<String>,
    /// `None`: every path that no other pattern matches.
    pub(in crate::import) path: Option<Vec<Part>>,
}

/// A segment. The order is that of the precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::import) enum Part {
    Literal(Vec<u8>),
    Variable,
    /// All remaining segments, at least one.
    Greedy,
}

impl Shape {
    pub(in crate::import) fn of(pattern: &RoutePattern) -> Self {
        match pattern {
            RoutePattern::Default => Self {
                method: None,
                path: None,
            },
            RoutePattern::Path { method, path } => Self {
                method: match method {
                    MethodPattern::Any => None,
                    named @ MethodPattern::Named(_) => Some(named.to_string()),
                },
                path: Some(parts(path)),
            },
        }
    }

    /// A path with every method.
    pub(in crate::import) fn of_path(path: &PathPattern) -> Self {
        Self {
            method: None,
            path: Some(parts(path)),
        }
    }

    /// The precedence at one path: the smallest is chosen.
    pub(in crate::import) fn rank(&self) -> (u8, Vec<u8>) {
        let Some(path) = &self.path else {
            return (2, Vec::new());
        };
        let kinds = path.iter().map(|part| match part {
            Part::Literal(_) => 0,
            Part::Variable => 1,
            Part::Greedy => 2,
        });
        (u8::from(path.contains(&Part::Greedy)), kinds.collect())
    }

    /// The paths that match both patterns, if there are any.
    pub(in crate::import) fn common(&self, other: &Self) -> Option<Vec<Part>> {
        let (Some(left), Some(right)) = (&self.path, &other.path) else {
            return self.path.clone().or_else(|| other.path.clone());
        };
        let mut out = Vec::new();
        let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (None, None) => return Some(out),
                (Some(Part::Greedy), Some(_)) => {
                    out.extend(right.cloned());
                    return Some(out);
                }
                (Some(_), Some(Part::Greedy)) => {
                    out.extend(left.cloned());
                    return Some(out);
                }
                (Some(Part::Literal(a)), Some(Part::Literal(b))) if a != b => return None,
                (Some(a @ Part::Literal(_)), Some(_)) | (Some(_), Some(a)) => {
                    out.push((*a).clone());
                }
                (None, Some(_)) | (Some(_), None) => return None,
            }
            left.next();
            right.next();
        }
    }

    /// Whether the pattern matches a path, whatever the method is.
    pub(in crate::import) fn matches(&self, path: &[&[u8]]) -> bool {
        let Some(parts) = &self.path else {
            return true;
        };
        let greedy = parts.last() == Some(&Part::Greedy);
        let fits = if greedy {
            path.len() >= parts.len()
        } else {
            path.len() == parts.len()
        };
        fits && parts.iter().zip(path).all(|(part, segment)| match part {
            Part::Literal(literal) => literal == segment,
            Part::Variable | Part::Greedy => true,
        })
    }
}

fn parts(path: &PathPattern) -> Vec<Part> {
    let parts = path.segments().iter().map(|segment| match segment {
        PatternSegment::Literal(bytes) => Part::Literal(bytes.to_vec()),
        PatternSegment::Variable(_) => Part::Variable,
        PatternSegment::Greedy(_) => Part::Greedy,
    });
    parts.collect()
}

/// The text of a path, with new names for its variables. Everything but letters, digits,
/// `.`, `_` and `-` is encoded.
pub(in crate::import) fn written(parts: &[Part]) -> String {
    let mut out = String::new();
    for (number, part) in parts.iter().enumerate() {
        out.push('/');
        match part {
            Part::Literal(bytes) => {
                for byte in bytes {
                    if byte.is_ascii_alphanumeric() || b"._-~@".contains(byte) {
                        out.push(char::from(*byte));
                    } else {
                        append(&mut out, format_args!("%{byte:02X}"));
                    }
                }
            }
            Part::Variable => append(&mut out, format_args!("{{part{number}}}")),
            Part::Greedy => out.push_str("{proxy+}"),
        }
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}
