//! Finds the patterns that overlap with a pattern and are not contained in it.

use std::collections::BTreeMap;

use edge_authz::http::path::PatternSegment;

/// Patterns by their segments.
#[derive(Debug, Default)]
pub(super) struct Index {
    branches: Vec<Branch>,
}

#[derive(Debug, Default)]
struct Branch {
    literals: BTreeMap<Box<[u8]>, usize>,
    variable: Option<usize>,
    /// The patterns that end here.
    exact: Vec<usize>,
    /// The patterns whose `{name+}` begins here.
    greedy: Vec<usize>,
}

/// A search, which ends when its steps are used up.
pub(super) struct Search<'i> {
    index: &'i Index,
    /// How many branches may still be visited.
    pub(super) steps: usize,
    pub(super) found: Vec<usize>,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            branches: vec![Branch::default()],
        }
    }

    /// Adds the pattern with this number.
    pub(super) fn add(&mut self, segments: &[PatternSegment], number: usize) {
        let mut at = 0_usize;
        for segment in segments {
            let next = self.branches.len();
            let Some(branch) = self.branches.get_mut(at) else {
                return;
            };
            let child = match segment {
                PatternSegment::Literal(text) => {
                    *branch.literals.entry(text.clone()).or_insert(next)
                }
                PatternSegment::Variable(_) => *branch.variable.get_or_insert(next),
                PatternSegment::Greedy(_) => return branch.greedy.push(number),
            };
            if child == next {
                self.branches.push(Branch::default());
            }
            at = child;
        }
        if let Some(branch) = self.branches.get_mut(at) {
            branch.exact.push(number);
        }
    }
}

impl<'i> Search<'i> {
    pub(super) const fn new(index: &'i Index, steps: usize) -> Self {
        Self {
            index,
            steps,
            found: Vec::new(),
        }
    }

    /// Finds the patterns that share a path with this one and also match other paths.
    /// `false`: the steps are used up.
    pub(super) fn run(&mut self, segments: &[PatternSegment]) -> bool {
        self.found.clear();
        self.walk(0, segments, false);
        self.steps > 0
    }

    /// `wider`: a segment before was more general than that of the given pattern.
    fn walk(&mut self, at: usize, rest: &[PatternSegment], wider: bool) {
        let Some(branch) = self.index.branches.get(at).filter(|_| self.steps > 0) else {
            return;
        };
        self.steps = self.steps.saturating_sub(1);
        let Some((segment, rest)) = rest.split_first() else {
            if wider {
                self.found.extend(&branch.exact);
            }
            return;
        };
        match segment {
            PatternSegment::Literal(text) => {
                self.found.extend(&branch.greedy);
                if let Some(child) = branch.literals.get(text) {
                    self.walk(*child, rest, wider);
                }
                if let Some(child) = branch.variable {
                    self.walk(child, rest, true);
                }
            }
            PatternSegment::Variable(_) => {
                self.found.extend(&branch.greedy);
                for child in branch.literals.values().chain(&branch.variable) {
                    self.walk(*child, rest, wider);
                }
            }
            // Everything below is contained, unless something before was wider.
            PatternSegment::Greedy(_) if wider => self.below(at),
            PatternSegment::Greedy(_) => {}
        }
    }

    fn below(&mut self, at: usize) {
        let Some(branch) = self.index.branches.get(at).filter(|_| self.steps > 0) else {
            return;
        };
        self.steps = self.steps.saturating_sub(1);
        self.found.extend(&branch.greedy);
        for child in branch.literals.values().chain(&branch.variable) {
            if let Some(branch) = self.index.branches.get(*child) {
                self.found.extend(&branch.exact);
            }
            self.below(*child);
        }
    }
}
