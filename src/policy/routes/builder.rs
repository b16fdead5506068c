//! A table while its routes come.

use super::endpoint::MethodNumber;
use super::plan::Plan;
use super::route_match::Variable;
use super::sequences::{Gathered, index};
use super::tree::{Key, Tree};
use super::{BadTable, MAX_SEGMENTS, PatternPosition, RouteTable};
use crate::http::path::{PathPattern, PatternSegment};
use crate::http::{HostPattern, Method, MethodPattern, RoutePattern};
use std::collections::BTreeMap;

/// Takes the patterns of all routes and makes a [`RouteTable`] of them.
///
/// A pattern takes a few numbers here and its literals; what several have in
/// common is found when all are there, so that nothing is searched meanwhile.
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
    segments: usize,
    /// The most of them.
    limit: usize,
    /// Whether there are more than there may be: the rest is not taken in.
    full: bool,
}

/// A list of hosts that a builder knows.
#[derive(Debug, Clone, Copy)]
pub struct HostList(u32);

/// A pattern, to be put into the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Where its keys end; they begin where those of the one before it end.
    pub(super) end: u32,
    pub(super) method: MethodNumber,
    pub(super) list: u32,
    pub(super) route: u32,
    pub(super) pattern: u32,
    pub(super) variables: u32,
}

impl Entry {
    /// What `$default` has for a method.
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
    /// A builder that takes so many segments in all.
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
            segments: 0,
            limit,
            full: false,
        }
    }

    /// Makes room for so many patterns of so many segments and bytes in all.
    /// More may come: it spares moving what has come so far.
    pub fn reserve(&mut self, patterns: usize, segments: usize, bytes: usize) {
        let segments = segments.min(self.limit);
        self.entries.reserve_exact(patterns);
        self.variables.reserve(patterns, 0);
        self.keys.reserve_exact(segments);
        self.literals.reserve(segments, bytes);
    }

    /// Takes in the hosts of a route; none: every host.
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

    /// Takes in a pattern of a route that is for these hosts.
    pub fn add(&mut self, place: PatternPosition, pattern: &RoutePattern, hosts: HostList) {
        if !self.full && self.take(place, pattern, hosts).is_none() {
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
        hosts: HostList,
    ) -> Option<()> {
        let (method, variables) = match pattern {
            RoutePattern::Default => (Entry::DEFAULT, Vec::new()),
            RoutePattern::Path { method, path } => (self.method(method)?, self.path(path)?),
        };
        self.entries.push(Entry {
            end: u32::try_from(self.keys.len()).ok()?,
            method,
            list: hosts.0,
            route: u32::try_from(place.route.0).ok()?,
            pattern: u32::try_from(place.pattern).ok()?,
            variables: self.variables.add(variables)?,
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

    /// Takes in the keys of a path, and gives its variables.
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

    /// Makes the table. The order in which routes came has no meaning.
    ///
    /// # Errors
    ///
    /// Patterns that can never be told apart, or too many segments.
    pub fn build(self) -> Result<RouteTable, BadTable> {
        let Self {
            literals,
            names,
            mut variables,
            hosts,
            lists,
            methods,
            mut keys,
            mut entries,
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
        drop(numbers);
        let methods = in_order(methods, &mut entries);
        let plan = Plan::new(keys, entries, (hosts, lists), limit)?;
        let tree = Tree::plant(&plan, literals);
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
        })
    }
}

/// What a pattern counts for among the segments that there may be in all: `/`
/// and `$default` are not for nothing.
pub(super) fn counted(segments: usize) -> usize {
    segments.max(1)
}

/// A host as the table keeps it. Wildcards come after all exact hosts.
fn host_key(below: bool, name: &str) -> impl Iterator<Item = u8> {
    std::iter::once(below.into()).chain(name.bytes())
}

/// Every former number has a new one.
fn renumbered(numbers: &[u32], former: u32) -> u32 {
    numbers.get(index(former)).copied().unwrap_or_default()
}

/// The methods in order, and their numbers in the entries accordingly.
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
