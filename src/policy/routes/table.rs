//! All routes of a configuration.

use super::builder::TableBuilder;
use super::endpoint::{Asked, PathMethods, Slot};
use super::route_match::{RouteMatch, Variable};
use super::sequences::{Sequences, index};
use super::tree::{Reach, Tree};
use crate::http::path::Segment;
use crate::http::{Host, HostPattern, Method, NormalPath, RoutePattern};
use std::ops::ControlFlow;

/// The most segments of all patterns together. `/` and `$default` count as one.
/// Hosts with the same routes share them; a pattern counts again for each other
/// group of hosts that it is for.
pub const MAX_SEGMENTS: usize = 1_000_000;

/// The most clashing pairs of patterns that are reported.
pub(super) const MAX_CLASHES: usize = 2_000;

/// A route, by its position in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub usize);

/// One pattern of a route, by its position among the route's patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PatternPosition {
    /// The route.
    pub route: RouteId,
    /// The position in its `match`.
    pub pattern: usize,
}

/// One pattern of a route, for a new table.
#[derive(Debug, Clone, Copy)]
pub struct RouteEntry<'a> {
    /// Where it is configured.
    pub place: PatternPosition,
    /// What it matches.
    pub pattern: &'a RoutePattern,
    /// The hosts it is for; empty: every host.
    pub hosts: &'a [HostPattern],
}

/// Two patterns that match the same requests, so that a request's route would be
/// ambiguous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The one written first.
    pub first: PatternPosition,
    /// The other one.
    pub second: PatternPosition,
    /// A host for which both are written; `None`: both are for every host.
    pub host: Option<HostPattern>,
}

/// Why the table cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadTable {
    /// Pairs of patterns that match the same requests, each once, in order. At
    /// most a few thousand are reported.
    Clashes(Vec<Clash>),
    /// More than [`MAX_SEGMENTS`].
    TooManySegments,
}

/// The routes, ready for look-ups.
///
/// A route takes about 60 bytes here, independent of its length, plus the text of the
/// literals that only it has. It needs no allocation of its own.
#[derive(Debug, Default)]
pub struct RouteTable {
    pub(super) tree: Tree,
    /// The methods that routes name, sorted.
    pub(super) methods: Box<[Method]>,
    pub(super) names: Sequences<u8>,
    /// The variables of patterns, each list from the left.
    pub(super) variables: Sequences<Variable>,
    /// The target of `$default`, for each set of routes.
    pub(super) defaults: Box<[Option<Slot>]>,
    /// Each host is prefixed with 0, and each wildcard's name with 1.
    pub(super) hosts: Sequences<u8>,
    /// The set of routes for each host.
    pub(super) sets: Box<[u32]>,
}

/// The set of routes for every host.
const EVERYWHERE: u32 = 0;

impl RouteTable {
    /// Builds a table. The order of the entries has no meaning.
    ///
    /// # Errors
    ///
    /// As [`TableBuilder::build`].
    pub fn new<'a>(entries: impl IntoIterator<Item = RouteEntry<'a>>) -> Result<Self, BadTable> {
        let mut builder = TableBuilder::default();
        for entry in entries {
            let hosts = builder.hosts(entry.hosts);
            builder.add(entry.place, entry.pattern, hosts);
        }
        builder.build()
    }

    /// Whether a request's method has one reading: [`Method::has_one_reading`]
    /// holds, and it is not a route's method in another letter case. An upstream
    /// that converts methods to upper case would take it for that method.
    #[must_use]
    pub fn has_one_reading(&self, method: &[u8]) -> bool {
        let reads_alike = |named: &Method| {
            let named = named.as_str().as_bytes();
            named.eq_ignore_ascii_case(method) && named != method
        };
        // The methods that clients really send need no comparison.
        Method::is_upper_case(method)
            || Method::has_one_reading(method) && !self.methods.iter().any(reads_alike)
    }

    /// Whether some route names hosts, so that the request's host matters.
    #[must_use]
    pub fn uses_hosts(&self) -> bool {
        self.hosts.len() > 0
    }

    /// The route of a request. `host` is `None` if the request has no host, or
    /// if no route names one.
    ///
    /// A path with empty segments has a route only if the path without them has
    /// the same route. Otherwise an upstream that merges slashes would reach a
    /// path that another route guards.
    #[must_use]
    pub fn find<'a>(
        &'a self,
        host: Option<&Host<'_>>,
        method: &[u8],
        path: &'a NormalPath<'_>,
    ) -> Option<RouteMatch<'a>> {
        let segments = path.segments()?;
        let method = Asked::of(method, &self.methods);
        let slot = self.slot(host, method, segments)?;
        if let Some(merged) = path.without_empty_segments() {
            let other = self.slot(host, method, merged.segments()?)?;
            if other != slot {
                return None;
            }
        }
        Some(RouteMatch::new(self, slot, segments))
    }

    fn slot(
        &self,
        host: Option<&Host<'_>>,
        method: Asked,
        segments: &[Segment<'_>],
    ) -> Option<&Slot> {
        self.sets(host)
            .find_map(|set| self.slot_in(set, method, segments))
    }

    fn slot_in(&self, set: u32, method: Asked, segments: &[Segment<'_>]) -> Option<&Slot> {
        let mut greedy = None;
        let exact = self.tree.walk(set, segments, |reach, slots| {
            match (reach, method.among(slots)) {
                (Reach::Exact, Some(slot)) => return ControlFlow::Break(slot),
                (Reach::Greedy, Some(slot)) if greedy.is_none() => greedy = Some(slot),
                (Reach::Exact | Reach::Greedy, _) => {}
            }
            ControlFlow::Continue(())
        });
        exact.break_value().or(greedy).or_else(|| self.default(set))
    }

    pub(super) fn default(&self, set: u32) -> Option<&Slot> {
        self.defaults.get(index(set))?.as_ref()
    }

    /// The methods for which this path has a route: those of every pattern that
    /// matches it, since a pattern hides another only for the methods it has.
    #[must_use]
    pub fn methods_at(&self, host: Option<&Host<'_>>, path: &NormalPath<'_>) -> PathMethods<'_> {
        let mut methods = PathMethods::default();
        let Some(segments) = path.segments() else {
            return methods;
        };
        for set in self.sets(host) {
            let _complete: ControlFlow<()> = self.tree.walk(set, segments, |_, slots| {
                methods.add(slots, &self.methods);
                ControlFlow::Continue(())
            });
            methods.any |= self.default(set).is_some();
        }
        methods
    }

    /// The sets of routes for a host, the most specific first.
    pub(super) fn sets<'a, 'h>(
        &'a self,
        host: Option<&'h Host<'h>>,
    ) -> impl Iterator<Item = u32> + use<'a, 'h> {
        let exact = host.and_then(|host| self.set_of(0, host.as_str()));
        let below = host
            .into_iter()
            .flat_map(Host::parents)
            .filter_map(|name| self.set_of(1, name));
        exact.into_iter().chain(below).chain([EVERYWHERE])
    }

    fn set_of(&self, kind: u8, name: &str) -> Option<u32> {
        let found = self.hosts.find(|known| match known.split_first() {
            Some((known, rest)) => known.cmp(&kind).then_with(|| rest.cmp(name.as_bytes())),
            None => std::cmp::Ordering::Less,
        })?;
        self.sets.get(index(found)).copied()
    }
}
