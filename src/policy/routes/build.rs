//! Builds the tree from sorted patterns.

use super::endpoint::Slot;
use super::mcp::{Group, McpTable, Target};
use super::plan::Plan;
use super::sequences::{Sequences, index};
use super::tree::{Key, Node, Tree};
use std::collections::VecDeque;

/// A node that is still to be built.
struct NodeSpec<'p> {
    label: &'p [Key],
    /// The entries of the pattern that ends here.
    exact: &'p [u32],
    /// The entries of the pattern that continues with `{name+}`.
    greedy: &'p [u32],
    children: usize,
}

impl Tree {
    /// Builds the trees of a plan's sets. The root of each has the set's number.
    ///
    /// It walks the plan twice, level by level. The first walk counts the memory
    /// needed, so that the tree takes no more, even while it grows.
    pub(super) fn build(
        plan: &Plan,
        literals: Sequences<u8>,
        mcp_texts: Sequences<u8>,
    ) -> (Self, McpTable) {
        let (mut nodes, mut labels, mut slots) = (1_usize, 0_usize, 0_usize);
        each_node_spec(plan, |spec| {
            nodes = nodes.saturating_add(1);
            labels = labels.saturating_add(spec.label.len());
            slots = slots.saturating_add(spec.exact.len());
            slots = slots.saturating_add(spec.greedy.len());
        });
        let mut builder = TreeBuilder {
            nodes: Vec::with_capacity(nodes),
            labels: Vec::with_capacity(labels),
            slots: Vec::with_capacity(slots),
            mcp: McpBuilder::default(),
            child: plan.paths().count(),
        };
        each_node_spec(plan, |spec| builder.add(plan, &spec));
        builder.end();
        let tree = Self {
            nodes: builder.nodes.into_boxed_slice(),
            labels: builder.labels.into_boxed_slice(),
            slots: builder.slots.into_boxed_slice(),
            literals,
        };
        (tree, builder.mcp.end(mcp_texts))
    }
}

/// The tree built so far.
struct TreeBuilder {
    nodes: Vec<Node>,
    labels: Vec<Key>,
    slots: Vec<Slot>,
    mcp: McpBuilder,
    /// The number of the next node's first child.
    child: usize,
}

impl TreeBuilder {
    fn add(&mut self, plan: &Plan, spec: &NodeSpec<'_>) {
        let exact = number(self.slots.len());
        self.add_slots(plan, spec.exact);
        self.nodes.push(Node {
            label: number(self.labels.len()),
            children: number(self.child),
            exact,
            greedy: number(self.slots.len()),
        });
        self.add_slots(plan, spec.greedy);
        self.labels.extend_from_slice(spec.label);
        self.child = self.child.saturating_add(spec.children);
    }

    /// Adds the slots of a pattern, one for each method.
    fn add_slots(&mut self, plan: &Plan, entries: &[u32]) {
        let method = |entry: &u32| plan.slot(*entry).method;
        for alike in entries.chunk_by(|one, other| method(one) == method(other)) {
            let Some(first) = alike.first() else {
                continue;
            };
            self.slots.push(Slot {
                group: self.mcp.group(plan, alike),
                ..plan.slot(*first)
            });
        }
    }

    /// Closes the last node.
    fn end(&mut self) {
        self.nodes.push(Node {
            label: number(self.labels.len()),
            children: number(self.child),
            exact: number(self.slots.len()),
            greedy: number(self.slots.len()),
        });
    }
}

/// The table of conditions built so far.
#[derive(Default)]
struct McpBuilder {
    groups: Vec<Group>,
    rows: Vec<Target>,
    slots: Vec<Slot>,
}

impl McpBuilder {
    /// Adds the entries of one pattern and method if some of them have conditions.
    /// Returns the number of their group, or `NO_GROUP`.
    fn group(&mut self, plan: &Plan, entries: &[u32]) -> u32 {
        let (general, conditional) = plan.by_condition(entries);
        if conditional.is_empty() {
            return Slot::NO_GROUP;
        }
        let (start, slot) = (self.rows.len(), number(self.slots.len()));
        let mut rows = plan.rows_of(conditional);
        rows.dedup_by_key(|(row, _)| *row);
        let target = |(row, entry): Target| (row, slot.saturating_add(entry));
        self.rows.extend(rows.into_iter().map(target));
        self.slots
            .extend(conditional.iter().map(|entry| plan.slot(*entry)));
        self.groups.push(Group {
            start: number(start),
            end: number(self.rows.len()),
            slots: slot,
            has_general: !general.is_empty(),
            traits: plan.traits(entries),
        });
        number(self.groups.len().saturating_sub(1))
    }

    fn end(self, texts: Sequences<u8>) -> McpTable {
        McpTable {
            groups: self.groups.into_boxed_slice(),
            rows: self.rows.into_boxed_slice(),
            slots: self.slots.into_boxed_slice(),
            texts,
        }
    }
}

/// Converts a count. The limit on segments keeps it far below `u32::MAX`.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Calls `visit` for all nodes, level by level from the roots.
fn each_node_spec<'p>(plan: &'p Plan, mut visit: impl FnMut(NodeSpec<'p>)) {
    let mut pending: VecDeque<(&[u32], u32)> = plan.paths().map(|set| (set, 0)).collect();
    while let Some((entries, depth)) = pending.pop_front() {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            visit(NodeSpec {
                label: &[],
                exact: &[],
                greedy: &[],
                children: 0,
            });
            continue;
        };
        let behind = |entry: u32| plan.keys_of(entry).get(index(depth)..).unwrap_or_default();
        let label = common(behind(*first), behind(*last));
        let end = index(depth).saturating_add(label.len());
        let key = |entry: &u32| plan.keys_of(*entry).get(end);
        let exact = entries.partition_point(|entry| key(entry).is_none());
        let (exact, longer) = entries.split_at_checked(exact).unwrap_or_default();
        let others = longer.partition_point(|entry| key(entry) < Some(&Key::GREEDY));
        let (others, greedy) = longer.split_at_checked(others).unwrap_or_default();
        let before = pending.len();
        let groups = others.chunk_by(|one, other| key(one) == key(other));
        pending.extend(groups.map(|group| (group, number(end))));
        visit(NodeSpec {
            label,
            exact,
            greedy,
            children: pending.len().saturating_sub(before),
        });
    }
}

/// The keys that the first and the last pattern have in common, and so all
/// patterns between them, without a final `{name+}`.
fn common<'p>(first: &'p [Key], last: &[Key]) -> &'p [Key] {
    let pairs = first.iter().zip(last);
    let same = pairs.take_while(|(one, other)| one == other && **one != Key::GREEDY);
    first.get(..same.count()).unwrap_or_default()
}
