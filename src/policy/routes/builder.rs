//! Builds a route table.
//!
//! Its large steps are never inlined, for the same reason as those of `config`.

use super::endpoint::MethodNumber;
use super::mcp::{GatheredMcp, McpCondition, McpList, RouteTraits};
use super::plan::Plan;
use super::route_match::Variable;
use super::sequences::{Gathered, index};
use super::tree::{Key, Tree};
use super::{BadTable, MAX_SEGMENTS, PatternPosition, RouteId, RouteTable};
use crate::http::path::{PathPattern, PatternSegment};
use crate::http::{HostPattern, Method, MethodPattern, RoutePattern};
use std::collections::BTreeMap;

/// Takes the patterns of all routes and makes a [`RouteTable`] of them.
///
/// A pattern takes a few numbers and its literals here. Common parts are found
/// in `build`, when all patterns are known, so `add` searches nothing.
#[derive(Debug)]
pub struct TableBuilder {
    literals: Gathered<u8>,
    names: Gathered<u8>,
    variables: Gathered<Variable>,
    hosts: Gathered<u8>,
    lists: Gathered<u32>,
    methods: BTreeMap<Method, u32>,
    keys: Vec<Key>,
    entries: Vec<Entry>,
    mcp: GatheredMcp,
    mcp_texts: Gathered<u8>,
    segments: usize,
    /// The maximum number of segments.
    limit: usize,
    /// Whether the limit was exceeded. Further patterns are ignored.
    full: bool,
}

/// A list of hosts that a builder knows.
#[derive(Debug, Clone, Copy)]
pub struct HostList(u32);

/// What distinguishes a pattern from an equal one of another route.
#[derive(Debug, Clone, Copy)]
pub struct EntryRest {
    /// The hosts it is for.
    pub hosts: HostList,
    /// The MCP requests it is for; `None`: every request. The pattern then has a
    /// path.
    pub mcp: Option<McpList>,
    /// The traits of its route.
    pub traits: RouteTraits,
}

/// A pattern that will be inserted into the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Where its keys end. They begin where the keys of the previous pattern
    /// end.
    pub(super) end: u32,
    pub(super) method: MethodNumber,
    pub(super) list: u32,
    pub(super) route: u32,
    pub(super) pattern: u32,
    pub(super) variables: u32,
    /// Its condition, or `NONE`.
    pub(super) mcp: McpList,
    pub(super) traits: RouteTraits,
}

impl Entry {
    /// The method number of `$default`.
    pub(super) const DEFAULT: MethodNumber = MethodNumber(u32::MAX - 1);

    pub(super) fn place(&self) -> (u32, u32) {
        (self.route, self.pattern)
    }
}

impl Default for TableBuilder {
    fn default() -> Self {
        Self::with_limit(MAX_SEGMENTS)
    }
}

impl TableBuilder {
    /// A builder that accepts at most this many segments in all.
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            literals: Gathered::default(),
            names: Gathered::default(),
            variables: Gathered::default(),
            hosts: Gathered::default(),
            lists: Gathered::default(),
            methods: BTreeMap::new(),
            keys: Vec::new(),
            entries: Vec::new(),
            mcp: GatheredMcp::default(),
            mcp_texts: Gathered::default(),
            segments: 0,
            limit,
            full: false,
        }
    }

    /// Adds the hosts of a route; an empty list means every host.
    pub fn hosts(&mut self, hosts: &[HostPattern]) -> HostList {
        let mut numbers = Vec::with_capacity(hosts.len());
        for host in hosts {
            let number = match host {
                HostPattern::Exact(name) => self.hosts.add(host_key(false, name)),
                HostPattern::Below(name) => self.hosts.add(host_key(true, name)),
            };
            numbers.extend(number);
        }
        self.full |= numbers.len() != hosts.len();
        HostList(self.lists.add(numbers).unwrap_or_else(|| {
            self.full = true;
            0
        }))
    }

    /// Adds the condition of a route about MCP requests.
    pub fn mcp(&mut self, condition: &McpCondition) -> McpList {
        let texts = &mut self.mcp_texts;
        let list = self.mcp.add(condition, |text| texts.add(text.bytes()));
        list.unwrap_or_else(|| {
            self.full = true;
            McpList::NONE
        })
    }

    /// Adds a pattern of a route.
    pub fn add(&mut self, place: PatternPosition, pattern: &RoutePattern, rest: EntryRest) {
        if !self.full && self.take(place, pattern, rest).is_none() {
            *self = Self {
                full: true,
                ..Self::default()
            };
        }
    }

    fn take(
        &mut self,
        place: PatternPosition,
        pattern: &RoutePattern,
        rest: EntryRest,
    ) -> Option<()> {
        let (method, variables) = match pattern {
            RoutePattern::Default => (Entry::DEFAULT, Vec::new()),
            RoutePattern::Path { method, path } => (self.method(method)?, self.path(path)?),
        };
        self.entries.push(Entry {
            end: u32::try_from(self.keys.len()).ok()?,
            method,
            list: rest.hosts.0,
            route: u32::try_from(place.route.0).ok()?,
            pattern: u32::try_from(place.pattern).ok()?,
            variables: self.variables.add(variables)?,
            mcp: rest.mcp.unwrap_or(McpList::NONE),
            traits: rest.traits,
        });
        Some(())
    }

    fn method(&mut self, method: &MethodPattern) -> Option<MethodNumber> {
        let MethodPattern::Named(method) = method else {
            return Some(MethodNumber::ANY);
        };
        if let Some(known) = self.methods.get(method) {
            return Some(MethodNumber(*known));
        }
        let number = u32::try_from(self.methods.len()).ok()?;
        self.methods.insert(method.clone(), number);
        Some(MethodNumber(number))
    }

    /// Adds the keys of a path, and returns its variables.
    fn path(&mut self, path: &PathPattern) -> Option<Vec<Variable>> {
        self.segments = self.segments.saturating_add(counted(path.segments().len()));
        if self.segments > self.limit {
            return None;
        }
        let mut variables = Vec::new();
        for (at, segment) in path.segments().iter().enumerate() {
            let (name, greedy) = match segment {
                PatternSegment::Literal(text) => {
                    self.keys
                        .push(Key(self.literals.add(text.iter().copied())?));
                    continue;
                }
                PatternSegment::Variable(name) => (name, false),
                PatternSegment::Greedy(name) => (name, true),
            };
            self.keys
                .push(if greedy { Key::GREEDY } else { Key::VARIABLE });
            variables.push(Variable {
                name: self.names.add(name.bytes())?,
                at: u16::try_from(at).ok()?,
                greedy,
            });
        }
        Some(variables)
    }

    /// Builds the table. The order in which routes were added has no meaning.
    /// `same_cors` says whether two routes have the same CORS policy.
    ///
    /// # Errors
    ///
    /// Patterns that match the same requests, routes that a preflight does not
    /// distinguish with different CORS policies, or too many segments.
    pub fn build(
        self,
        same_cors: &dyn Fn(RouteId, RouteId) -> bool,
    ) -> Result<RouteTable, BadTable> {
        let Self {
            literals,
            names,
            mut variables,
            hosts,
            lists,
            methods,
            mut keys,
            mut entries,
            mut mcp,
            mcp_texts,
            segments: _,
            limit,
            full,
        } = self;
        if full {
            return Err(BadTable::TooManySegments);
        }
        let (literals, numbers) = literals.into_sequences();
        for key in &mut keys {
            if *key < Key::VARIABLE {
                *key = Key(renumbered(&numbers, key.0));
            }
        }
        let (names, numbers) = names.into_sequences();
        variables.change(|variable| variable.name = renumbered(&numbers, variable.name));
        let (variables, numbers) = variables.into_sequences();
        for entry in &mut entries {
            entry.variables = renumbered(&numbers, entry.variables);
        }
        let (mcp_texts, numbers) = mcp_texts.into_sequences();
        mcp.renumber(|text| renumbered(&numbers, text));
        drop(numbers);
        let methods = in_order(methods, &mut entries);
        let plan = Plan::new(keys, entries, (hosts, lists), mcp, limit)?;
        let clashes = plan.clashes(same_cors);
        if !clashes.is_empty() {
            return Err(BadTable::Clashes(clashes));
        }
        let (tree, mcp) = Tree::build(&plan, literals, mcp_texts);
        let defaults = plan.defaults();
        let (hosts, sets) = plan.into_hosts();
        Ok(RouteTable {
            tree,
            methods,
            names,
            variables,
            defaults,
            hosts,
            sets,
            mcp,
        })
    }
}

/// How many segments a pattern counts for in the limit. `/` and `$default` count
/// as one.
pub(super) fn counted(segments: usize) -> usize {
    segments.max(1)
}

/// The sort key of a host. Wildcards come after all exact hosts.
fn host_key(below: bool, name: &str) -> impl Iterator<Item = u8> {
    std::iter::once(below.into()).chain(name.bytes())
}

/// The new number for each former number.
fn renumbered(numbers: &[u32], former: u32) -> u32 {
    numbers.get(index(former)).copied().unwrap_or_default()
}

/// Sorts the methods, and renumbers them in the entries.
#[inline(never)]
fn in_order(methods: BTreeMap<Method, u32>, entries: &mut [Entry]) -> Box<[Method]> {
    let mut numbers = vec![0; methods.len()];
    for (number, former) in (0..).zip(methods.values()) {
        if let Some(place) = numbers.get_mut(index(*former)) {
            *place = number;
        }
    }
    for entry in entries {
        if entry.method < Entry::DEFAULT {
            entry.method = MethodNumber(renumbered(&numbers, entry.method.0));
        }
    }
    methods.into_keys().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::path::PathRules;

    /// A builder with this limit that was given these patterns.
    fn given(limit: usize, patterns: &[&str]) -> TableBuilder {
        let mut builder = TableBuilder::with_limit(limit);
        for (route, text) in (0..).map(RouteId).zip(patterns) {
            let host = HostPattern::parse("a.example").unwrap();
            let rest = EntryRest {
                hosts: builder.hosts(&[host]),
                mcp: None,
                traits: RouteTraits::default(),
            };
            let pattern = RoutePattern::parse(text, &PathRules::default()).unwrap();
            builder.add(PatternPosition { route, pattern: 0 }, &pattern, rest);
        }
        builder
    }

    #[test]
    fn a_builder_with_too_many_segments_keeps_no_pattern_and_takes_no_other() {
        let patterns = ["GET /a/b", "GET /c/d", "GET /e"];
        let enough = given(5, &patterns);
        assert!(!enough.full);
        assert_eq!((enough.keys.len(), enough.entries.len()), (5, 3));
        for limit in 0..5 {
            let full = given(limit, &patterns);
            assert!(full.full, "{limit}");
            assert_eq!((full.keys.len(), full.entries.len()), (0, 0), "{limit}");
            let refused = full.build(&|_, _| true).unwrap_err();
            assert_eq!(refused, BadTable::TooManySegments, "{limit}");
        }
    }
}
