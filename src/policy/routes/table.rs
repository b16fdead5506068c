//! All routes of a configuration.

use super::builder::{EntryRest, TableBuilder};
use super::endpoint::{Asked, PathMethods, Slot};
use super::mcp::{Choice, McpCondition, McpTable, RouteTraits};
use super::route_match::{RouteMatch, Variable};
use super::sequences::{Sequences, index};
use super::tree::{Reach, Tree};
use crate::http::path::Segment;
use crate::http::{BadMcp, Host, HostPattern, Method, NormalPath, RequestHead, RoutePattern};
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
    /// The MCP requests it is for; `None`: every request.
    pub mcp: Option<&'a McpCondition>,
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
    /// Why they clash.
    pub kind: ClashKind,
}

/// Why two patterns clash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClashKind {
    /// Nothing decides between them.
    Alike,
    /// A preflight cannot decide between them, and they have different CORS policies.
    Cors,
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
    /// The routes that differ in what an MCP request asks for.
    pub(super) mcp: McpTable,
}

/// The result of looking up the route of a request.
#[derive(Debug)]
pub enum Found<'a> {
    /// The route.
    Route(RouteMatch<'a>),
    /// The request has a pattern with routes for MCP requests, and its MCP headers
    /// cannot be trusted. Another route would be the wrong one.
    BadMcp {
        /// One of the pattern's routes. It has the CORS policy of all of them.
        like: RouteMatch<'a>,
        /// What is wrong with the headers.
        bad: BadMcp,
        /// The traits of the pattern's routes.
        traits: RouteTraits,
        /// The route that the request would have if it met none of their conditions.
        otherwise: Option<RouteId>,
    },
}

/// The set of routes for every host.
const EVERYWHERE: u32 = 0;

/// What is looked up at a path.
#[derive(Clone, Copy)]
struct Request<'r> {
    method: Asked,
    mcp: Mcp<'r>,
}

/// What is known of the MCP headers of a request.
#[derive(Clone, Copy)]
enum Mcp<'r> {
    /// Nothing. A slot stands for all routes of its group.
    Unknown,
    /// They are those of this head, and are read only where routes depend on them.
    Of(&'r RequestHead),
    /// They meet no condition.
    Other,
}

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
            let mcp = entry.mcp.map(|condition| builder.mcp(condition));
            let rest = EntryRest {
                hosts,
                mcp,
                traits: RouteTraits::default(),
            };
            builder.add(entry.place, entry.pattern, rest);
        }
        builder.build(&|_, _| true)
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

    /// The route of a request as far as method, path and host decide it: one that
    /// has the CORS policy of all that they do not distinguish. `host` is `None` if
    /// the request has no host, or if no route names one.
    #[must_use]
    pub fn find<'a>(
        &'a self,
        host: Option<&Host<'_>>,
        method: &[u8],
        path: &'a NormalPath<'_>,
    ) -> Option<RouteMatch<'a>> {
        match self.look_up(host, method, path, Mcp::Unknown)? {
            Found::Route(found) | Found::BadMcp { like: found, .. } => Some(found),
        }
    }

    /// The route of a request with this head.
    ///
    /// A path with empty segments has a route only if the path without them has
    /// the same route. Otherwise an upstream that merges slashes would reach a
    /// path that another route guards.
    #[must_use]
    pub fn find_of<'a>(
        &'a self,
        host: Option<&Host<'_>>,
        head: &RequestHead,
        path: &'a NormalPath<'_>,
    ) -> Option<Found<'a>> {
        let method = head.method().unwrap_or_default();
        self.look_up(host, method, path, Mcp::Of(head))
    }

    fn look_up<'a>(
        &'a self,
        host: Option<&Host<'_>>,
        method: &[u8],
        path: &'a NormalPath<'_>,
        mcp: Mcp<'_>,
    ) -> Option<Found<'a>> {
        let segments = path.segments()?;
        let asked = Request {
            method: Asked::of(method, &self.methods),
            mcp,
        };
        let choice = self.choice(host, asked, segments)?;
        if let Some(merged) = path.without_empty_segments() {
            let other = self.choice(host, asked, merged.segments()?)?;
            if other != choice {
                return None;
            }
        }
        Some(match choice {
            Choice::Slot(slot) => Found::Route(RouteMatch::new(self, slot, segments)),
            Choice::Bad(slot, bad) => Found::BadMcp {
                like: RouteMatch::new(self, slot, segments),
                bad,
                traits: self.mcp.traits(slot),
                otherwise: self.otherwise(host, asked, segments),
            },
        })
    }

    /// The route of a request that meets no condition about MCP requests.
    #[cold]
    fn otherwise(
        &self,
        host: Option<&Host<'_>>,
        asked: Request<'_>,
        segments: &[Segment<'_>],
    ) -> Option<RouteId> {
        let mcp = Mcp::Other;
        match self.choice(host, Request { mcp, ..asked }, segments)? {
            Choice::Slot(slot) | Choice::Bad(slot, _) => Some(RouteId(index(slot.route))),
        }
    }

    fn choice(
        &self,
        host: Option<&Host<'_>>,
        asked: Request<'_>,
        segments: &[Segment<'_>],
    ) -> Option<Choice<'_>> {
        self.sets(host)
            .find_map(|set| self.choice_in(set, asked, segments))
    }

    fn choice_in(
        &self,
        set: u32,
        asked: Request<'_>,
        segments: &[Segment<'_>],
    ) -> Option<Choice<'_>> {
        let mut greedy = None;
        let exact = self.tree.walk(set, segments, |reach, slots| {
            match (reach, self.among(slots, asked)) {
                (Reach::Exact, Some(choice)) => return ControlFlow::Break(choice),
                (Reach::Greedy, Some(choice)) if greedy.is_none() => greedy = Some(choice),
                (Reach::Exact | Reach::Greedy, _) => {}
            }
            ControlFlow::Continue(())
        });
        let exact = exact.break_value().or(greedy);
        exact.or_else(|| self.default(set).map(Choice::Slot))
    }

    /// The slot for a request among those of a pattern.
    fn among<'a>(&'a self, slots: &'a [Slot], asked: Request<'_>) -> Option<Choice<'a>> {
        let slot = asked.method.among(slots)?;
        if slot.group == Slot::NO_GROUP {
            return Some(Choice::Slot(slot));
        }
        let choice = match asked.mcp {
            Mcp::Unknown => return Some(Choice::Slot(slot)),
            Mcp::Of(head) => self.mcp.choose(slot, &head.mcp()),
            Mcp::Other => self.mcp.general(slot).map(Choice::Slot),
        };
        choice.or_else(|| Asked::any(slots).map(Choice::Slot))
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
