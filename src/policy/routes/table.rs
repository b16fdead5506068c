//! All routes of a configuration.

use super::endpoint::{PathMethods, TargetIndex};
use super::found::{Found, Target};
use super::tree::{Reach, Tree};
use crate::http::path::Segment;
use crate::http::{Host, HostPattern, NormalPath, RoutePattern};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// A route, by its position in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteId(pub usize);

/// One pattern of a route, by its position among the route's patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The route.
    pub route: RouteId,
    /// The position in its `match`.
    pub pattern: usize,
}

/// One pattern of a route, to be put into a table.
#[derive(Debug, Clone, Copy)]
pub struct RouteEntry<'a> {
    /// Where it is written.
    pub place: Place,
    /// What it matches.
    pub pattern: &'a RoutePattern,
    /// The hosts it is for; none: every host.
    pub hosts: &'a [HostPattern],
}

/// Two patterns that match the same requests, so that nothing tells which of
/// them a request has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The one written first.
    pub first: Place,
    /// The other one.
    pub second: Place,
    /// The first host for which both are written; `None`: both are for every
    /// host.
    pub host: Option<HostPattern>,
}

/// The routes, ready to be looked up.
#[derive(Debug, Default)]
pub struct RouteTable {
    targets: Vec<Target>,
    exact: BTreeMap<Box<str>, RouteSet>,
    below: BTreeMap<Box<str>, RouteSet>,
    everywhere: RouteSet,
}

/// The routes that are for the same hosts.
#[derive(Debug, Default)]
struct RouteSet {
    paths: Tree,
    default: Option<TargetIndex>,
}

impl RouteTable {
    /// Builds a table. The order of the entries has no meaning.
    ///
    /// # Errors
    /// Every pair of patterns that can never be told apart, each once.
    pub fn new<'a>(entries: impl IntoIterator<Item = RouteEntry<'a>>) -> Result<Self, Vec<Clash>> {
        let mut table = Self::default();
        let mut clashes = BTreeMap::new();
        for entry in entries {
            let index = table.targets.len();
            table.targets.push(Target::new(entry.place, entry.pattern));
            let hosts = entry.hosts.iter().map(Some);
            let every_host = entry.hosts.is_empty().then_some(None);
            for host in hosts.chain(every_host) {
                let held = table.set_of(host).claim(entry.pattern, index);
                if let Some(held) = held.and_then(|held| table.targets.get(held)) {
                    let first = held.place.min(entry.place);
                    let second = held.place.max(entry.place);
                    clashes
                        .entry((first, second))
                        .or_insert_with(|| host.cloned());
                }
            }
        }
        if clashes.is_empty() {
            return Ok(table);
        }
        let clash = |((first, second), host)| Clash {
            first,
            second,
            host,
        };
        Err(clashes.into_iter().map(clash).collect())
    }

    fn set_of(&mut self, host: Option<&HostPattern>) -> &mut RouteSet {
        match host {
            None => &mut self.everywhere,
            Some(HostPattern::Exact(host)) => self.exact.entry(host.clone()).or_default(),
            Some(HostPattern::Below(name)) => self.below.entry(name.clone()).or_default(),
        }
    }

    /// Whether some route names hosts, so that the request's host matters.
    #[must_use]
    pub fn uses_hosts(&self) -> bool {
        !self.exact.is_empty() || !self.below.is_empty()
    }

    /// The route of a request. `host` is `None` where the request names none,
    /// or where no route does.
    ///
    /// A path with empty segments has a route only if it has the same without
    /// them: an upstream that merges slashes must not find there what another
    /// route guards.
    #[must_use]
    pub fn find<'a>(
        &'a self,
        host: Option<&Host<'_>>,
        method: &[u8],
        path: &'a NormalPath<'_>,
    ) -> Option<Found<'a>> {
        let segments = path.segments()?;
        let target = self.target(host, method, segments)?;
        if let Some(merged) = path.without_empty_segments() {
            let other = self.target(host, method, merged.segments()?)?;
            if other != target {
                return None;
            }
        }
        Some(Found::new(self.targets.get(target)?, segments))
    }

    fn target(
        &self,
        host: Option<&Host<'_>>,
        method: &[u8],
        segments: &[Segment<'_>],
    ) -> Option<TargetIndex> {
        self.sets(host).find_map(|set| set.target(method, segments))
    }

    /// The methods for which this path has a route: those of every pattern that
    /// matches it, since a pattern hides another only from the methods it has.
    #[must_use]
    pub fn methods_at(&self, host: Option<&Host<'_>>, path: &NormalPath<'_>) -> PathMethods<'_> {
        let mut methods = PathMethods::default();
        if let Some(segments) = path.segments() {
            for set in self.sets(host) {
                set.add_methods(segments, &mut methods);
            }
        }
        methods
    }

    /// The sets of routes for a host, the closest first.
    fn sets<'a, 'h>(
        &'a self,
        host: Option<&'h Host<'h>>,
    ) -> impl Iterator<Item = &'a RouteSet> + use<'a, 'h> {
        let exact = host.and_then(|host| self.exact.get(host.as_str()));
        let below = host
            .into_iter()
            .flat_map(Host::parents)
            .filter_map(|name| self.below.get(name));
        exact.into_iter().chain(below).chain([&self.everywhere])
    }
}

impl RouteSet {
    /// Gives a pattern a target, or tells which one it has.
    fn claim(&mut self, pattern: &RoutePattern, target: TargetIndex) -> Option<TargetIndex> {
        match pattern {
            RoutePattern::Path { method, path } => self.paths.endpoint(path).claim(method, target),
            RoutePattern::Default => {
                let held = *self.default.get_or_insert(target);
                (held != target).then_some(held)
            }
        }
    }

    fn target(&self, method: &[u8], segments: &[Segment<'_>]) -> Option<TargetIndex> {
        let mut greedy = None;
        let exact = self.paths.walk(segments, |reach, endpoint| {
            match (reach, endpoint.target(method)) {
                (Reach::Exact, Some(target)) => return ControlFlow::Break(target),
                (Reach::Greedy, Some(target)) if greedy.is_none() => greedy = Some(target),
                (Reach::Exact | Reach::Greedy, _) => {}
            }
            ControlFlow::Continue(())
        });
        exact.break_value().or(greedy).or(self.default)
    }

    fn add_methods<'a>(&'a self, segments: &[Segment<'_>], methods: &mut PathMethods<'a>) {
        let _complete: ControlFlow<()> = self.paths.walk(segments, |_, endpoint| {
            endpoint.add_to(methods);
            ControlFlow::Continue(())
        });
        methods.any |= self.default.is_some();
    }
}
