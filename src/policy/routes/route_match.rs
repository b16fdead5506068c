//! The route that was found.

use super::endpoint::Slot;
use super::sequences::index;
use super::{PatternPosition, RouteId, RouteTable};
use crate::http::path::Segment;
use std::cell::OnceCell;

/// A variable of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Variable {
    /// The number of its name in the table.
    pub(super) name: u32,
    /// The segment that is its value, or the first of several.
    pub(super) at: u16,
    /// Whether its value is all remaining segments: `{name+}`.
    pub(super) greedy: bool,
}

/// The route of a request and the values of its path variables.
#[derive(Debug)]
pub struct RouteMatch<'a> {
    table: &'a RouteTable,
    slot: &'a Slot,
    segments: &'a [Segment<'a>],
    /// The value of `{name+}`, built when it is first needed.
    rest: OnceCell<Vec<u8>>,
}

impl<'a> RouteMatch<'a> {
    pub(super) fn new(table: &'a RouteTable, slot: &'a Slot, segments: &'a [Segment<'a>]) -> Self {
        Self {
            table,
            slot,
            segments,
            rest: OnceCell::new(),
        }
    }

    /// The route.
    #[must_use]
    pub fn route(&self) -> RouteId {
        self.place().route
    }

    /// Which of the route's patterns matched.
    #[must_use]
    pub fn place(&self) -> PatternPosition {
        PatternPosition {
            route: RouteId(index(self.slot.route)),
            pattern: index(self.slot.pattern),
        }
    }

    /// The names and values of the pattern's variables, from the left.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let variables = self.table.variables.get(self.slot.variables).iter();
        variables.filter_map(|variable| {
            let name = std::str::from_utf8(self.name(*variable)).ok()?;
            Some((name, self.value(*variable)?))
        })
    }

    /// The value of the variable called `name`, decoded, in its original letter
    /// case. The value of `{name+}` is its segments joined with `/`, without the
    /// slash at the path's end.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&[u8]> {
        let mut variables = self.table.variables.get(self.slot.variables).iter();
        let named = variables.find(|variable| self.name(**variable) == name.as_bytes())?;
        self.value(*named)
    }

    fn name(&self, variable: Variable) -> &[u8] {
        self.table.names.get(variable.name)
    }

    fn value(&self, variable: Variable) -> Option<&[u8]> {
        let rest = self.segments.get(usize::from(variable.at)..)?;
        if !variable.greedy {
            return rest.first().map(Segment::text);
        }
        let join = || {
            rest.iter()
                .map(Segment::text)
                .collect::<Vec<_>>()
                .join(&b'/')
        };
        Some(self.rest.get_or_init(join))
    }
}
