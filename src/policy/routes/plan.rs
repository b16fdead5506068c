//! The layout of a table before it is built.

use super::builder::{Entry, counted};
use super::endpoint::{MethodNumber, Slot};
use super::mcp::{GatheredMcp, McpList, RouteTraits, Row, Target};
use super::sequences::{Gathered, Sequences, index};
use super::table::{Clash, ClashKind};
use super::tree::Key;
use super::{BadTable, MAX_CLASHES, PatternPosition, RouteId};
use crate::http::HostPattern;
use crate::order;
use std::collections::BTreeMap;
use std::ops::Range;

/// The patterns of all route sets in the order of precedence. Hosts with the
/// same routes share a set. Set 0 is for every host.
#[derive(Debug)]
pub(super) struct Plan {
    keys: Vec<Key>,
    entries: Vec<Entry>,
    hosts: Sequences<u8>,
    /// The set of each host.
    sets: Box<[u32]>,
    /// Numbers of entries, set by set. The entries of `$default` come first in
    /// each set.
    order: Vec<u32>,
    /// The range of each set in `order`.
    parts: Vec<Range<usize>>,
    /// The conditions of entries.
    mcp: GatheredMcp,
}

impl Plan {
    /// # Errors
    ///
    /// Too many segments.
    #[inline(never)]
    pub(super) fn new(
        keys: Vec<Key>,
        mut entries: Vec<Entry>,
        (hosts, mut lists): (Gathered<u8>, Gathered<u32>),
        mcp: GatheredMcp,
        limit: usize,
    ) -> Result<Self, BadTable> {
        let (hosts, numbers) = hosts.into_sequences();
        lists.change(|host| *host = numbers.get(index(*host)).copied().unwrap_or_default());
        lists.sort_each();
        let (lists, numbers) = lists.into_sequences();
        for entry in &mut entries {
            entry.list = numbers.get(index(entry.list)).copied().unwrap_or_default();
        }
        let (signatures, sets) = sets_of(&hosts, &lists);
        let mut plan = Self {
            keys,
            entries,
            hosts,
            sets,
            order: Vec::new(),
            parts: Vec::new(),
            mcp,
        };
        plan.arrange(&lists, &signatures, limit)?;
        Ok(plan)
    }

    /// Sorts the entries of each set. A set has the entries of the lists that
    /// its hosts are on.
    fn arrange(
        &mut self,
        lists: &Sequences<u32>,
        signatures: &Sequences<u32>,
        limit: usize,
    ) -> Result<(), BadTable> {
        let mut by_list: Vec<u32> = (0_u32..).take(self.entries.len()).collect();
        order::sort_numbers(&mut by_list, |one, other| {
            let key = |entry: u32| (self.entry(entry).list, entry);
            key(one).cmp(&key(other))
        });
        let everywhere = lists.find(|list| list.cmp(&[]));
        let of_set = || {
            let own = signatures.iter();
            std::iter::once(everywhere.as_slice()).chain(own)
        };
        let of_list = |list: &u32| -> &[u32] {
            let start = by_list.partition_point(|entry| self.entry(*entry).list < *list);
            let rest = by_list.get(start..).unwrap_or_default();
            let end = rest.partition_point(|entry| self.entry(*entry).list == *list);
            rest.get(..end).unwrap_or_default()
        };
        let entries = || of_set().flatten().flat_map(of_list);
        let mut segments = 0_usize;
        let mut count = 0_usize;
        for entry in entries() {
            segments = segments.saturating_add(counted(self.keys_of(*entry).len()));
            segments = segments.saturating_add(self.conditions_of(*entry).len());
            count = count.saturating_add(1);
            if segments > limit {
                return Err(BadTable::TooManySegments);
            }
        }
        let mut order = Vec::with_capacity(count);
        let mut parts = Vec::with_capacity(of_set().count());
        for set in of_set() {
            let start = order.len();
            order.extend(set.iter().flat_map(of_list));
            let part = order.get_mut(start..).unwrap_or_default();
            order::sort_numbers(part, |one, other| {
                self.precedence(one).cmp(&self.precedence(other))
            });
            parts.push(start..order.len());
        }
        self.order = order;
        self.parts = parts;
        Ok(())
    }

    /// The sort key of an entry in its set.
    fn precedence(&self, number: u32) -> impl Ord + use<'_> {
        let entry = self.entry(number);
        (
            entry.method != Entry::DEFAULT,
            self.keys_of(number),
            entry.method,
            entry.mcp != McpList::NONE,
            entry.place(),
        )
    }

    fn entry(&self, number: u32) -> &Entry {
        const NONE: &Entry = &Entry {
            end: 0,
            method: Entry::DEFAULT,
            list: 0,
            route: 0,
            pattern: 0,
            variables: 0,
            mcp: McpList::NONE,
            traits: RouteTraits {
                admits_anonymous: false,
                is_enforced: false,
            },
        };
        self.entries.get(index(number)).unwrap_or(NONE)
    }

    /// The keys of an entry's pattern.
    pub(super) fn keys_of(&self, number: u32) -> &[Key] {
        let start = match number.checked_sub(1) {
            None => 0,
            Some(before) => self.entry(before).end,
        };
        let end = self.entry(number).end;
        self.keys.get(index(start)..index(end)).unwrap_or_default()
    }

    /// The entries with a path, set by set.
    pub(super) fn paths(&self) -> impl Iterator<Item = &[u32]> {
        self.parts.iter().map(|part| {
            let part = self.order.get(part.clone()).unwrap_or_default();
            let start = part.partition_point(|number| self.is_default(*number));
            part.get(start..).unwrap_or_default()
        })
    }

    /// The target of `$default` in each set.
    pub(super) fn defaults(&self) -> Box<[Option<Slot>]> {
        let first = |part: &Range<usize>| self.order.get(part.clone())?.first().copied();
        let default = |part| first(part).filter(|number| self.is_default(*number));
        let slots = self.parts.iter().map(default);
        slots
            .map(|number| number.map(|number| self.slot(number)))
            .collect()
    }

    fn is_default(&self, number: u32) -> bool {
        self.entry(number).method == Entry::DEFAULT
    }

    /// The target of an entry.
    pub(super) fn slot(&self, number: u32) -> Slot {
        let entry = self.entry(number);
        Slot {
            method: match entry.method {
                Entry::DEFAULT => MethodNumber::ANY,
                method => method,
            },
            route: entry.route,
            pattern: entry.pattern,
            variables: entry.variables,
            group: Slot::NO_GROUP,
        }
    }

    /// The hosts and the set of each.
    #[inline(never)]
    pub(super) fn into_hosts(self) -> (Sequences<u8>, Box<[u32]>) {
        (self.hosts, self.sets)
    }

    /// Splits entries with one pattern and method into those without a condition and
    /// the others.
    pub(super) fn by_condition<'e>(&self, entries: &'e [u32]) -> (&'e [u32], &'e [u32]) {
        let without = |entry: &u32| self.entry(*entry).mcp == McpList::NONE;
        entries.split_at(entries.partition_point(without))
    }

    /// The traits of these entries' routes.
    pub(super) fn traits(&self, entries: &[u32]) -> RouteTraits {
        let any = |has: fn(&RouteTraits) -> bool| {
            let mut entries = entries.iter();
            entries.any(|entry| has(&self.entry(*entry).traits))
        };
        RouteTraits {
            admits_anonymous: any(|traits| traits.admits_anonymous),
            is_enforced: any(|traits| traits.is_enforced),
        }
    }

    /// The conditions of entries, sorted, each with the index of its entry.
    pub(super) fn rows_of(&self, entries: &[u32]) -> Vec<Target> {
        let of = |entry: &u32| self.conditions_of(*entry);
        let count = entries.iter().map(|entry| of(entry).len());
        let mut rows = Vec::with_capacity(count.fold(0, usize::saturating_add));
        for (number, entry) in (0..).zip(entries) {
            rows.extend(of(entry).iter().map(|row| (*row, number)));
        }
        order::sort(&mut rows, Ord::cmp);
        rows
    }

    fn conditions_of(&self, number: u32) -> &[Row] {
        self.mcp.of(self.entry(number).mcp)
    }

    /// Pairs of patterns between which nothing decides, and of routes that a preflight
    /// does not distinguish and for which `same_cors` does not hold.
    pub(super) fn clashes(&self, same_cors: &dyn Fn(RouteId, RouteId) -> bool) -> Vec<Clash> {
        let mut found = BTreeMap::new();
        for (set, part) in (0..).zip(&self.parts) {
            let part = self.order.get(part.clone()).unwrap_or_default();
            let same = |one: &u32, other: &u32| {
                self.entry(*one).method == self.entry(*other).method
                    && self.keys_of(*one) == self.keys_of(*other)
            };
            let mut add = |first: u32, second: u32, kind: ClashKind| {
                let pair = (self.entry(first).place(), self.entry(second).place());
                if found.len() < MAX_CLASHES && pair.0 != pair.1 {
                    found.entry(pair).or_insert((set, kind));
                }
            };
            for group in part.chunk_by(same).filter(|group| group.len() > 1) {
                self.clashes_among(group, same_cors, &mut add);
            }
        }
        let clash = |((first, second), (set, kind))| Clash {
            first: place(first),
            second: place(second),
            host: self.host_of(set),
            kind,
        };
        found.into_iter().map(clash).collect()
    }

    /// The clashes among entries with one pattern and method.
    fn clashes_among(
        &self,
        group: &[u32],
        same_cors: &dyn Fn(RouteId, RouteId) -> bool,
        add: &mut dyn FnMut(u32, u32, ClashKind),
    ) {
        let (general, conditional) = self.by_condition(group);
        if let Some((first, others)) = general.split_first() {
            for second in others {
                add(*first, *second, ClashKind::Alike);
            }
        }
        let entry = |(_, number): &Target| conditional.get(index(*number)).copied();
        let rows = self.rows_of(conditional);
        for alike in rows.chunk_by(|(one, _), (other, _)| one == other) {
            let mut entries = alike.iter().filter_map(entry);
            let Some(first) = entries.next() else {
                continue;
            };
            for second in entries {
                add(first, second, ClashKind::Alike);
            }
        }
        let id = |entry: u32| place(self.entry(entry).place()).route;
        let mut cors = conditional.iter().chain(general);
        let Some(first) = cors.next() else { return };
        for second in cors.filter(|second| !same_cors(id(*first), id(**second))) {
            let (first, second) = if self.entry(*first).place() < self.entry(*second).place() {
                (first, second)
            } else {
                (second, first)
            };
            add(*first, *second, ClashKind::Cors);
        }
    }

    /// The first host that has a set; `None` for the set of every host.
    fn host_of(&self, set: u32) -> Option<HostPattern> {
        let at = self.sets.iter().position(|known| *known == set)?;
        let (below, name) = self.hosts.get(u32::try_from(at).ok()?).split_first()?;
        let name = std::str::from_utf8(name).ok()?.into();
        Some(match below {
            0 => HostPattern::Exact(name),
            _ => HostPattern::Below(name),
        })
    }
}

fn place((route, pattern): (u32, u32)) -> PatternPosition {
    PatternPosition {
        route: RouteId(index(route)),
        pattern: index(pattern),
    }
}

/// For each set from 1, the lists that its hosts are on; and the set of each
/// host.
fn sets_of(hosts: &Sequences<u8>, lists: &Sequences<u32>) -> (Sequences<u32>, Box<[u32]>) {
    let count = lists
        .iter()
        .map(<[u32]>::len)
        .fold(0, usize::saturating_add);
    let mut mentions: Vec<(u32, u32)> = Vec::with_capacity(count);
    for (number, list) in (0..).zip(lists.iter()) {
        mentions.extend(list.iter().map(|host| (*host, number)));
    }
    order::sort(&mut mentions, Ord::cmp);
    mentions.dedup();
    let mut signatures = Gathered::default();
    signatures.reserve(hosts.len(), mentions.len());
    for of_host in mentions.chunk_by(|(one, _), (other, _)| one == other) {
        signatures.add(of_host.iter().map(|(_, list)| *list));
    }
    let (signatures, mut sets) = signatures.into_sequences();
    for set in &mut sets {
        *set = set.saturating_add(1);
    }
    (signatures, sets)
}
