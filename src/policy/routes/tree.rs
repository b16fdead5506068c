//! Patterns as a tree that shares their common parts.

use super::endpoint::Slot;
use super::sequences::{Sequences, find_in, index};
use crate::http::path::Segment;
use std::ops::{ControlFlow, Range};

/// The patterns of all route sets. Each set has a root of its own.
///
/// Consecutive segments at which no pattern branches or ends are one node. So
/// there are fewer than two nodes for each pattern, however long. The tree is
/// four allocations, and dropping it needs no recursion.
///
/// A look-up backtracks if a literal leads nowhere, since `GET /a/b` must not
/// hide `ANY /a/{x}` for a `POST`. It visits a node once at most, as each has
/// one parent, and at most two nodes of a level for each one above. So hostile
/// requests can slow it down only as far as patterns have a literal and a
/// variable at the same place. Without such patterns, a look-up takes one step for
/// each segment, for any number of routes.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// A node's children are adjacent, and so are the children of two adjacent
    /// nodes. An end marker follows the last node.
    pub(super) nodes: Box<[Node]>,
    pub(super) labels: Box<[Key]>,
    pub(super) slots: Box<[Slot]>,
    pub(super) literals: Sequences<u8>,
}

/// The start of each part of a node. Its end is the start of the next node's
/// part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// The segments that lead here from the node above.
    pub(super) label: u32,
    /// The children, sorted by the first segments of their labels.
    pub(super) children: u32,
    /// The slots of the pattern that ends here.
    pub(super) exact: u32,
    /// The slots of the pattern that continues with `{name+}`.
    pub(super) greedy: u32,
}

/// A segment of a pattern: the number of a literal, or a variable. The order of
/// keys is the precedence of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) u32);

impl Key {
    /// `{name}`, after all literals.
    pub(super) const VARIABLE: Self = Self(u32::MAX - 1);
    /// `{name+}`, after all others. No label has it.
    pub(super) const GREEDY: Self = Self(u32::MAX);
}

/// How a pattern matches a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Segment by segment.
    Exact,
    /// With `{name+}` for the rest.
    Greedy,
}

/// A pending step of a look-up.
enum Step<'a> {
    /// Visit a node after this many segments, with this much of its label
    /// matched.
    Visit {
        node: u32,
        label: u32,
        depth: usize,
    },
    Greedy(&'a [Slot]),
}

/// The pending steps of a look-up; the last one is next. Most look-ups have one step at a
/// time, which needs no allocation.
#[derive(Default)]
struct Pending<'a> {
    last: Option<Step<'a>>,
    earlier: Vec<Step<'a>>,
}

impl<'a> Pending<'a> {
    fn push(&mut self, step: Step<'a>) {
        self.earlier.extend(self.last.replace(step));
    }

    fn pop(&mut self) -> Option<Step<'a>> {
        self.last.take().or_else(|| self.earlier.pop())
    }
}

impl Tree {
    /// Calls `visit` for every pattern below `root` that matches, until it
    /// breaks. Among those of one reach, the better pattern comes first.
    pub(super) fn walk<'a, B>(
        &'a self,
        root: u32,
        segments: &[Segment<'_>],
        mut visit: impl FnMut(Reach, &'a [Slot]) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut pending = Pending::default();
        let mut next = self.nodes.get(index(root)).map(|node| Step::Visit {
            node: root,
            label: node.label,
            depth: 0,
        });
        while let Some(step) = next.take().or_else(|| pending.pop()) {
            let (node, label, depth) = match step {
                Step::Visit { node, label, depth } => (node, label, depth),
                Step::Greedy(slots) => {
                    visit(Reach::Greedy, slots)?;
                    continue;
                }
            };
            let Some([this, after]) = self.node(node) else {
                continue;
            };
            let Some(depth) = self.follow(label..after.label, segments, depth) else {
                continue;
            };
            let Some(segment) = segments.get(depth) else {
                if this.exact != this.greedy {
                    visit(Reach::Exact, self.slots_in(this.exact..this.greedy))?;
                }
                continue;
            };
            // Pushed in reverse: the last one pushed is visited first.
            if this.greedy != after.exact {
                pending.push(Step::Greedy(self.slots_in(this.greedy..after.exact)));
            }
            let children = this.children..after.children;
            let (literals, variable) = self.by_kind(children);
            if !segment.is_empty()
                && let Some(step) = variable.and_then(|child| self.enter(child, depth))
            {
                pending.push(step);
            }
            next = self
                .literal_child(literals, segment)
                .and_then(|child| self.enter(child, depth));
        }
        ControlFlow::Continue(())
    }

    /// The one of these children whose label begins with this segment.
    #[inline]
    pub(super) fn literal_child(&self, literals: Range<u32>, segment: &Segment<'_>) -> Option<u32> {
        find_in(literals, |child| {
            self.first_literal(child).cmp(segment.key())
        })
    }

    /// A node and the one after it.
    pub(super) fn node(&self, number: u32) -> Option<&[Node; 2]> {
        self.nodes.get(index(number)..)?.first_chunk()
    }

    pub(super) fn slots_in(&self, range: Range<u32>) -> &[Slot] {
        let range = index(range.start)..index(range.end);
        self.slots.get(range).unwrap_or_default()
    }

    /// Compares the segments from `depth` on with a part of a label. Returns the
    /// index of the segment after it, or `None` if they differ.
    fn follow(&self, label: Range<u32>, segments: &[Segment<'_>], depth: usize) -> Option<usize> {
        let label = index(label.start)..index(label.end);
        let label = self.labels.get(label).unwrap_or_default();
        let mut rest = segments.get(depth..)?.iter();
        for key in label {
            let segment = rest.next()?;
            let same = match *key {
                Key::VARIABLE => !segment.is_empty(),
                Key(literal) => self.literals.get(literal) == segment.key(),
            };
            if !same {
                return None;
            }
        }
        depth.checked_add(label.len())
    }

    /// Splits children into those with a literal and the one with a variable.
    pub(super) fn by_kind(&self, children: Range<u32>) -> (Range<u32>, Option<u32>) {
        let last = children.end.checked_sub(1);
        match last.filter(|last| *last >= children.start) {
            Some(last) if self.first_key(last) == Some(Key::VARIABLE) => {
                (children.start..last, Some(last))
            }
            Some(_) | None => (children, None),
        }
    }

    fn first_key(&self, node: u32) -> Option<Key> {
        let node = self.nodes.get(index(node))?;
        self.labels.get(index(node.label)).copied()
    }

    fn first_literal(&self, node: u32) -> &[u8] {
        self.first_key(node)
            .map_or(&[], |Key(literal)| self.literals.get(literal))
    }

    /// The visit of a child whose label's first segment matches the one at
    /// `depth`.
    fn enter<'a>(&self, node: u32, depth: usize) -> Option<Step<'a>> {
        let label = self.nodes.get(index(node))?.label.checked_add(1)?;
        let depth = depth.checked_add(1)?;
        Some(Step::Visit { node, label, depth })
    }
}
