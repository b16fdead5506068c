//! Patterns as a tree, without what is the same in many of them.

use super::endpoint::Slot;
use super::sequences::{Sequences, find_in, index};
use crate::http::path::Segment;
use std::ops::{ControlFlow, Range};

/// The patterns of all sets of routes, each set from a root of its own.
///
/// Segments that no pattern leaves or ends between are one node, so that there
/// are fewer than two nodes for a pattern, however long. All lies in four
/// pieces of memory, and nothing to be taken down one in the other.
///
/// A look-up goes back where a literal led nowhere, since `GET /a/b` must not
/// hide `ANY /a/{x}` from a `POST`. It visits a node once at most, as each has
/// one parent, and two nodes of a level for each one above. So hostile requests
/// cannot make it slower than the patterns allow that have a literal and a
/// variable at one place: with none, a look-up is one step a segment, whatever
/// the number of routes.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// A node's children follow one another, and those of two neighbours do,
    /// too. After the last one stands what ends it.
    pub(super) nodes: Box<[Node]>,
    pub(super) labels: Box<[Key]>,
    pub(super) slots: Box<[Slot]>,
    pub(super) literals: Sequences<u8>,
}

/// Where what a node has begins; it ends where that of the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// The segments that lead here from the node above.
    pub(super) label: u32,
    /// Ordered by the first segments of their labels.
    pub(super) children: u32,
    /// The slots of the pattern that ends here.
    pub(super) exact: u32,
    /// The slots of the pattern that goes on with `{name+}`.
    pub(super) greedy: u32,
}

/// A segment of a pattern: the number of a literal, or what stands for any.
/// They are ordered as the patterns are by precedence.
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

/// What is left to do in a look-up.
enum Step<'a> {
    /// To go to a node, so many segments and so much of its label behind.
    Visit {
        node: u32,
        label: u32,
        depth: usize,
    },
    Greedy(&'a [Slot]),
}

impl Tree {
    /// Shows `visit` every pattern below `root` that matches, until it breaks.
    /// Among those of one reach the better comes first.
    pub(super) fn walk<'a, B>(
        &'a self,
        root: u32,
        segments: &[Segment<'_>],
        mut visit: impl FnMut(Reach, &'a [Slot]) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut pending = Vec::new();
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
            // Pushed from the last to the first that is to be done.
            if this.greedy != after.exact {
                pending.push(Step::Greedy(self.slots_in(this.greedy..after.exact)));
            }
            let children = this.children..after.children;
            let (literals, variable) = self.by_kind(children);
            if !segment.is_empty() {
                pending.extend(variable.and_then(|child| self.enter(child, depth)));
            }
            next = find_in(literals, |child| {
                self.first_literal(child).cmp(segment.key())
            })
            .and_then(|child| self.enter(child, depth));
        }
        ControlFlow::Continue(())
    }

    /// A node and the one after it.
    fn node(&self, number: u32) -> Option<&[Node; 2]> {
        self.nodes.get(index(number)..)?.first_chunk()
    }

    fn slots_in(&self, range: Range<u32>) -> &[Slot] {
        let range = index(range.start)..index(range.end);
        self.slots.get(range).unwrap_or_default()
    }

    /// Compares the segments from `depth` on with a part of a label, and tells
    /// which comes after it; none where they differ.
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

    /// Of children, those with a literal first, and the one with a variable.
    fn by_kind(&self, children: Range<u32>) -> (Range<u32>, Option<u32>) {
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

    /// The visit of a child whose label's first segment is the one at `depth`.
    fn enter<'a>(&self, node: u32, depth: usize) -> Option<Step<'a>> {
        let label = self.nodes.get(index(node))?.label.checked_add(1)?;
        let depth = depth.checked_add(1)?;
        Some(Step::Visit { node, label, depth })
    }
}
