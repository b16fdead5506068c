//! The route that was found.

use super::{Place, RouteId};
use crate::http::RoutePattern;
use crate::http::path::{PatternSegment, Segment};
use crate::rules::Variables;
use std::cell::OnceCell;

/// What a pattern of a route leads to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) place: Place,
    variables: Box<[(Box<str>, Extent)]>,
}

/// Which segments are a variable's value.
#[derive(Debug, Clone, Copy)]
enum Extent {
    One(usize),
    From(usize),
}

impl Target {
    pub(super) fn new(place: Place, pattern: &RoutePattern) -> Self {
        let segments = match pattern {
            RoutePattern::Default => &[],
            RoutePattern::Path { path, .. } => path.segments(),
        };
        let variables = segments
            .iter()
            .enumerate()
            .filter_map(|(at, segment)| match segment {
                PatternSegment::Literal(_) => None,
                PatternSegment::Variable(name) => Some((name.clone(), Extent::One(at))),
                PatternSegment::Greedy(name) => Some((name.clone(), Extent::From(at))),
            })
            .collect();
        Self { place, variables }
    }
}

/// The route of a request and what the path has for its variables.
#[derive(Debug)]
pub struct Found<'a> {
    target: &'a Target,
    segments: &'a [Segment<'a>],
    /// The value of `{name+}`, once asked for.
    rest: OnceCell<Vec<u8>>,
}

impl<'a> Found<'a> {
    pub(super) fn new(target: &'a Target, segments: &'a [Segment<'a>]) -> Self {
        let rest = OnceCell::new();
        Self {
            target,
            segments,
            rest,
        }
    }

    /// The route.
    #[must_use]
    pub fn route(&self) -> RouteId {
        self.target.place.route
    }

    /// Which of the route's patterns matched.
    #[must_use]
    pub fn place(&self) -> Place {
        self.target.place
    }

    /// The names and values of the pattern's variables, from the left.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let variables = self.target.variables.iter();
        variables.filter_map(|(name, extent)| Some((&**name, self.value(*extent)?)))
    }

    fn value(&self, extent: Extent) -> Option<&[u8]> {
        match extent {
            Extent::One(at) => self.segments.get(at).map(Segment::text),
            Extent::From(at) => {
                let rest = self.segments.get(at..)?;
                let join = || {
                    rest.iter()
                        .map(Segment::text)
                        .collect::<Vec<_>>()
                        .join(&b'/')
                };
                Some(self.rest.get_or_init(join))
            }
        }
    }
}

/// Values are decoded, in the letter case they came in. That of `{name+}` is
/// its segments with `/` between them, without the slash at the path's end.
impl Variables for Found<'_> {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        let mut variables = self.target.variables.iter();
        let (_, extent) = variables.find(|(known, _)| &**known == name)?;
        self.value(*extent)
    }
}
