//! The routes of all paths that begin with the same segments.

use super::endpoint::Slot;
use super::sequences::index;
use super::tree::{Key, Tree};
use super::{RouteId, RouteTable};
use crate::http::Host;
use crate::http::path::Segment;
use std::ops::Range;

impl RouteTable {
    /// Calls `visit` for each route that can match a path of these segments or one that
    /// continues them, at this host. It may be called several times for a route. Takes
    /// time linear in the number of the patterns that it finds.
    pub fn each_under(
        &self,
        host: &Host<'_>,
        segments: &[Segment<'_>],
        mut visit: impl FnMut(RouteId),
    ) {
        let mut visit = |slots: &[Slot]| {
            for slot in slots {
                visit(RouteId(index(slot.route)));
                // A slot stands for all routes of its group.
                for slot in self.mcp.conditional(slot) {
                    visit(RouteId(index(slot.route)));
                }
            }
        };
        for set in self.sets(Some(host)) {
            self.tree.each_under(set, segments, &mut visit);
            visit(self.default(set).map_or(&[][..], std::slice::from_ref));
        }
    }
}

impl Tree {
    /// Calls `visit` with the slots of every pattern below `root` that matches a path of
    /// these segments or one that continues them.
    fn each_under(&self, root: u32, segments: &[Segment<'_>], visit: &mut impl FnMut(&[Slot])) {
        let mut pending = vec![(root, 0)];
        while let Some((node, depth)) = pending.pop() {
            let Some([this, after]) = self.node(node) else {
                continue;
            };
            let Some(depth) = self.follow_to_the_end(this.label..after.label, segments, depth)
            else {
                continue;
            };
            // `{name+}` stands for what is left of the segments, and for any more.
            visit(self.slots_in(this.greedy..after.exact));
            let children = this.children..after.children;
            let Some(segment) = segments.get(depth) else {
                visit(self.slots_in(this.exact..this.greedy));
                pending.extend(children.map(|child| (child, depth)));
                continue;
            };
            let (literals, variable) = self.by_kind(children);
            let literal = self.literal_child(literals, segment);
            pending.extend(
                literal
                    .into_iter()
                    .chain(variable)
                    .map(|child| (child, depth)),
            );
        }
    }

    /// Compares the segments from `depth` on with a label, as far as there are segments.
    /// Returns the index of the segment after it, or `None` if they differ.
    fn follow_to_the_end(
        &self,
        label: Range<u32>,
        segments: &[Segment<'_>],
        depth: usize,
    ) -> Option<usize> {
        let label = self.labels.get(index(label.start)..index(label.end));
        let mut depth = depth;
        for key in label.unwrap_or_default() {
            let Some(segment) = segments.get(depth) else {
                break;
            };
            let same = match *key {
                Key::VARIABLE => !segment.is_empty(),
                Key(literal) => self.literals.get(literal) == segment.key(),
            };
            if !same {
                return None;
            }
            depth = depth.checked_add(1)?;
        }
        Some(depth)
    }
}
