//! Patterns as a tree, a level for each segment.

use super::endpoint::Endpoint;
use crate::http::path::{PathPattern, PatternSegment, Segment};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The patterns of one set of routes.
///
/// A look-up goes back where a literal led nowhere, since `GET /a/b` must not
/// hide `ANY /a/{x}` from a `POST`. It visits a node once at most, as each has
/// one parent, and two nodes of a level for each one above. So hostile requests
/// cannot make it slower than the patterns allow that have a literal and a
/// variable at one place: with none, a look-up is one step a segment, whatever
/// the number of routes.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    literals: BTreeMap<Box<[u8]>, Box<Node>>,
    variable: Option<Box<Node>>,
    /// What the pattern that ends here has.
    exact: Endpoint,
    /// What the pattern has that goes on with `{name+}`.
    greedy: Option<Endpoint>,
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
    Visit(&'a Node, usize),
    Greedy(&'a Endpoint),
}

impl Tree {
    /// The place of a pattern, made if there is none.
    pub(super) fn endpoint(&mut self, pattern: &PathPattern) -> &mut Endpoint {
        let mut node = &mut self.root;
        for segment in pattern.segments() {
            node = match segment {
                PatternSegment::Literal(key) => node.literals.entry(key.clone()).or_default(),
                PatternSegment::Variable(_) => node.variable.get_or_insert_default(),
                // Always the last.
                PatternSegment::Greedy(_) => return node.greedy.get_or_insert_default(),
            };
        }
        &mut node.exact
    }

    /// Shows `visit` every pattern that matches, until it breaks. Among those
    /// of one reach the better comes first.
    pub(super) fn walk<'a, B>(
        &'a self,
        segments: &[Segment<'_>],
        mut visit: impl FnMut(Reach, &'a Endpoint) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut pending = Vec::new();
        let mut next = Some(Step::Visit(&self.root, 0));
        while let Some(step) = next.take().or_else(|| pending.pop()) {
            let (node, depth) = match step {
                Step::Visit(node, depth) => (node, depth),
                Step::Greedy(endpoint) => {
                    visit(Reach::Greedy, endpoint)?;
                    continue;
                }
            };
            let Some(segment) = segments.get(depth) else {
                visit(Reach::Exact, &node.exact)?;
                continue;
            };
            let deeper = depth.saturating_add(1);
            // Pushed from the last to the first that is to be done.
            pending.extend(node.greedy.as_ref().map(Step::Greedy));
            if let Some(variable) = node.variable.as_deref()
                && !segment.is_empty()
            {
                pending.push(Step::Visit(variable, deeper));
            }
            next = node
                .literals
                .get(segment.key())
                .map(|literal| Step::Visit(literal, deeper));
        }
        ControlFlow::Continue(())
    }
}

/// Without recursion, which a pattern of a million segments would turn into a
/// trap.
impl Drop for Tree {
    fn drop(&mut self) {
        let mut pending = vec![std::mem::take(&mut self.root)];
        while let Some(node) = pending.pop() {
            pending.extend(node.literals.into_values().map(|node| *node));
            pending.extend(node.variable.map(|node| *node));
        }
    }
}
