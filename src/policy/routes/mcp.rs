//! The routes of one pattern that differ in what an MCP request asks for.

use super::endpoint::Slot;
use super::sequences::{Sequences, index};
use crate::http::{BadMcp, McpFault, McpHeader, McpRequest};
use std::ops::Range;

/// The condition of a route about MCP requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpCondition {
    /// The methods of JSON-RPC messages, of which a request has one.
    pub methods: Vec<Box<str>>,
    /// The names, of which a request has one; empty: any name, or none.
    pub names: Vec<McpName>,
}

/// The name of a tool or a prompt, or the URI of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum McpName {
    /// This name.
    Exact(Box<str>),
    /// Every name that begins like this.
    Prefix(Box<str>),
}

/// One method of a condition, and one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    /// The number of its text.
    pub(super) method: u32,
    pub(super) kind: Kind,
    /// The number of its text; 0 if the kind is `Any`.
    pub(super) name: u32,
}

/// A row and the number of its slot.
pub(super) type Target = (Row, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// With any name, or none.
    Any,
    Exact,
    Prefix,
}

/// All patterns with such routes.
#[derive(Debug, Default)]
pub(super) struct McpTable {
    pub(super) groups: Box<[Group]>,
    /// The rows of each group, sorted. No two of a group are equal.
    pub(super) rows: Box<[Target]>,
    /// The targets of rows, by the number beside each.
    pub(super) slots: Box<[Slot]>,
    pub(super) texts: Sequences<u8>,
}

/// The routes of one pattern for `POST`, of which some have a condition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Where its slots start. They end where those of the next group start.
    pub(super) slots: u32,
    /// Whether the slot in the tree is a route without a condition.
    pub(super) has_general: bool,
    pub(super) traits: RouteTraits,
}

/// What counts of routes if a request's MCP headers cannot decide between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteTraits {
    /// Whether one of them lets requests without a token pass.
    pub admits_anonymous: bool,
    /// Whether one of them refuses requests, rather than only reporting them.
    pub is_enforced: bool,
}

/// The result of looking a request up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice<'a> {
    Slot(&'a Slot),
    /// The request's headers cannot be trusted. The slot is one of those that they
    /// would decide between.
    Bad(&'a Slot, BadMcp),
}

impl Slot {
    /// The group number of a slot whose pattern has no conditions.
    pub(super) const NO_GROUP: u32 = u32::MAX;
}

impl McpTable {
    fn group(&self, slot: &Slot) -> Option<&Group> {
        self.groups.get(index(slot.group))
    }

    /// The traits of the routes of a slot's group.
    pub(super) fn traits(&self, slot: &Slot) -> RouteTraits {
        let group = self.group(slot);
        group.map(|group| group.traits).unwrap_or_default()
    }

    /// The slot in the tree, if it is a route without a condition.
    pub(super) fn general<'a>(&self, general: &'a Slot) -> Option<&'a Slot> {
        let group = self.group(general)?;
        group.has_general.then_some(general)
    }

    /// The slots of a slot's group whose routes have a condition.
    pub(super) fn conditional(&self, slot: &Slot) -> &[Slot] {
        let group = self.group(slot);
        let slots = group.and_then(|group| {
            let next = self.groups.get(index(slot.group).saturating_add(1));
            let end = next.map_or(self.slots.len(), |next| index(next.slots));
            self.slots.get(index(group.slots)..end)
        });
        slots.unwrap_or_default()
    }

    /// Chooses among the routes of a slot's group; `None` if none of them is for this
    /// request. `general` is the slot in the tree.
    #[inline(never)]
    pub(super) fn choose<'a>(
        &'a self,
        general: &'a Slot,
        request: &Result<McpRequest<'_>, BadMcp>,
    ) -> Option<Choice<'a>> {
        let group = self.group(general)?;
        let request = match request {
            Ok(request) => request,
            Err(bad) => return Some(Choice::Bad(general, *bad)),
        };
        let rows = self.rows.get(index(group.start)..index(group.end));
        let rows = self.with_method(rows.unwrap_or_default(), &request.method);
        let (any, named) = split(rows, Kind::Any);
        let found = if named.is_empty() {
            any.first()
        } else if let Some(name) = &request.name {
            let (exact, prefixes) = split(named, Kind::Exact);
            self.exactly(exact, name)
                .or_else(|| self.longest_prefix(prefixes, name))
                .or(any.first())
        } else {
            // Without its name, the request would reach a route for other names.
            return Some(Choice::Bad(general, McpHeader::Name.is(McpFault::Absent)));
        };
        match found {
            Some((_, slot)) => self.slots.get(index(*slot)).map(Choice::Slot),
            None => self.general(general).map(Choice::Slot),
        }
    }

    fn with_method<'r>(&self, rows: &'r [Target], method: &[u8]) -> &'r [Target] {
        let Some(number) = self.texts.find(|text| text.cmp(method)) else {
            return &[];
        };
        let start = rows.partition_point(|(row, _)| row.method < number);
        let end = rows.partition_point(|(row, _)| row.method <= number);
        rows.get(start..end).unwrap_or_default()
    }

    fn exactly<'r>(&self, rows: &'r [Target], name: &[u8]) -> Option<&'r Target> {
        let order = |(row, _): &Target| self.texts.get(row.name).cmp(name);
        rows.get(rows.binary_search_by(order).ok()?)
    }

    /// The longest of these prefixes with which a name begins. The greatest prefix that
    /// is not greater than the name is the longest, or what both have in common is all
    /// that another one can have. So each round shortens the name.
    fn longest_prefix<'r>(&self, rows: &'r [Target], mut name: &[u8]) -> Option<&'r Target> {
        loop {
            let after = rows.partition_point(|(row, _)| self.texts.get(row.name) <= name);
            let nearest = rows.get(after.checked_sub(1)?)?;
            let prefix = self.texts.get(nearest.0.name);
            let pairs = prefix.iter().zip(name);
            let common = pairs.take_while(|(one, other)| one == other).count();
            if common == prefix.len() {
                return Some(nearest);
            }
            name = name.get(..common)?;
        }
    }
}

/// Splits rows of one method, of which none is of a lesser kind, into those of this kind
/// and the others.
fn split(rows: &[Target], kind: Kind) -> (&[Target], &[Target]) {
    rows.split_at(rows.partition_point(|(row, _)| row.kind <= kind))
}

/// The rows of a new table.
#[derive(Debug, Default)]
pub(super) struct GatheredMcp {
    rows: Vec<Row>,
    lists: Vec<Range<usize>>,
}

/// The condition of a route that a builder knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct McpList(pub(super) u32);

impl McpList {
    /// For an entry whose route has no condition.
    pub(super) const NONE: Self = Self(u32::MAX);
}

impl GatheredMcp {
    /// Adds the rows of a condition. `number` returns the number of a text.
    pub(super) fn add(
        &mut self,
        condition: &McpCondition,
        mut number: impl FnMut(&str) -> Option<u32>,
    ) -> Option<McpList> {
        let start = self.rows.len();
        for method in &condition.methods {
            let method = number(method)?;
            if condition.names.is_empty() {
                let kind = Kind::Any;
                let name = 0;
                self.rows.push(Row { method, kind, name });
            }
            for name in &condition.names {
                let (kind, text) = match name {
                    McpName::Exact(text) => (Kind::Exact, text),
                    McpName::Prefix(text) => (Kind::Prefix, text),
                };
                let name = number(text)?;
                self.rows.push(Row { method, kind, name });
            }
        }
        let list = u32::try_from(self.lists.len()).ok()?;
        self.lists.push(start..self.rows.len());
        Some(McpList(list)).filter(|list| *list != McpList::NONE)
    }

    /// Replaces the numbers of texts.
    pub(super) fn renumber(&mut self, new: impl Fn(u32) -> u32) {
        for row in &mut self.rows {
            row.method = new(row.method);
            if row.kind != Kind::Any {
                row.name = new(row.name);
            }
        }
    }

    /// The rows of a condition.
    pub(super) fn of(&self, list: McpList) -> &[Row] {
        let range = self.lists.get(index(list.0)).cloned();
        range
            .and_then(|range| self.rows.get(range))
            .unwrap_or_default()
    }
}
