//! The methods that one pattern has routes for.

use crate::http::Method;
use std::collections::BTreeSet;

/// A method's number in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MethodNumber(pub(super) u32);

impl MethodNumber {
    /// `ANY`, which comes after all named methods.
    pub(super) const ANY: Self = Self(u32::MAX);
}

/// The target of one method of a pattern. A pattern's slots are sorted by
/// method, and no two have the same method. If several routes have the same
/// pattern and differ in what an MCP request asks for, the slot stands for all of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) method: MethodNumber,
    pub(super) route: u32,
    /// The position in the route's `match`.
    pub(super) pattern: u32,
    /// The number of its list of variables in the table.
    pub(super) variables: u32,
    /// The number of its routes with conditions, or `NO_GROUP`.
    pub(super) group: u32,
}

/// The method of a request as a number, which is searched for in a pattern's
/// slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    named: Option<MethodNumber>,
    /// The method to use if the pattern has no slot for this one.
    instead: Option<MethodNumber>,
}

impl Asked {
    /// Looks a method up among the methods that routes name, which are sorted.
    pub(super) fn of(method: &[u8], known: &[Method]) -> Self {
        let number = |name: &[u8]| {
            let order = |one: &Method| one.as_str().as_bytes().cmp(name);
            let at = known.binary_search_by(order).ok()?;
            u32::try_from(at).ok().map(MethodNumber)
        };
        Self {
            named: number(method),
            instead: if method == b"HEAD" {
                number(b"GET")
            } else {
                None
            },
        }
    }

    /// The slot for the method among those of a pattern.
    pub(super) fn among(self, slots: &[Slot]) -> Option<&Slot> {
        let of = |number: MethodNumber| {
            let at = slots.binary_search_by_key(&number, |slot| slot.method);
            slots.get(at.ok()?)
        };
        let named = self.named.and_then(of);
        named
            .or_else(|| self.instead.and_then(of))
            .or_else(|| Self::any(slots))
    }

    /// The slot for every method among those of a pattern.
    pub(super) fn any(slots: &[Slot]) -> Option<&Slot> {
        slots.last().filter(|last| last.method == MethodNumber::ANY)
    }
}

/// The methods for which some pattern that matches a path has a route.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathMethods<'a> {
    /// The named methods. `HEAD` is among them only if a route names it.
    pub named: BTreeSet<&'a Method>,
    /// Whether some route accepts every method, `$default` included.
    pub any: bool,
}

impl<'a> PathMethods<'a> {
    /// Adds the methods of a pattern.
    pub(super) fn add(&mut self, slots: &[Slot], known: &'a [Method]) {
        for slot in slots {
            if slot.method == MethodNumber::ANY {
                self.any = true;
            } else {
                let at = super::sequences::index(slot.method.0);
                self.named.extend(known.get(at));
            }
        }
    }
}
