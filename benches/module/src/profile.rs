//! The instructions of each function, by the functions that called it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::steps::{STEPS, step_of};

/// A tree of calls, with the instructions of each.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// The host is first. Each node comes after the one that calls it.
    nodes: Vec<Node>,
    /// The nodes by caller and function.
    known: HashMap<(usize, usize), usize>,
    current: usize,
    /// The number of instructions at the last call or return.
    before: u64,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    function: usize,
    caller: usize,
    calls: u64,
    /// The instructions without those of the functions that it calls.
    own: u64,
}

impl Profile {
    pub(crate) fn new() -> Self {
        let host = Node {
            function: usize::MAX,
            caller: 0,
            calls: 0,
            own: 0,
        };
        Self {
            nodes: vec![host],
            known: HashMap::new(),
            current: 0,
            before: 0,
        }
    }

    /// A function starts. `executed` is the number of instructions so far.
    pub(crate) fn enter(&mut self, function: usize, executed: u64) {
        self.charge(executed);
        let caller = self.current;
        let nodes = &mut self.nodes;
        self.current = *self.known.entry((caller, function)).or_insert_with(|| {
            nodes.push(Node {
                function,
                caller,
                calls: 0,
                own: 0,
            });
            nodes.len() - 1
        });
        self.nodes[self.current].calls += 1;
    }

    /// The last function that started ends.
    pub(crate) fn leave(&mut self, executed: u64) {
        self.charge(executed);
        self.current = self.nodes[self.current].caller;
    }

    fn charge(&mut self, executed: u64) {
        self.nodes[self.current].own += executed - self.before;
        self.before = executed;
    }

    /// The mean growth for one of several requests.
    pub(crate) fn since(&self, before: &Self, requests: u64) -> Self {
        let mut mean = self.clone();
        for (at, node) in mean.nodes.iter_mut().enumerate() {
            let (calls, own) = before.nodes.get(at).map_or((0, 0), |it| (it.calls, it.own));
            node.calls = (node.calls - calls) / requests;
            node.own = (node.own - own) / requests;
        }
        mean
    }

    /// All instructions.
    pub(crate) fn instructions(&self) -> u64 {
        self.nodes.iter().map(|node| node.own).sum()
    }

    /// The instructions of each function.
    pub(crate) fn functions<'n>(&self, names: &'n [String]) -> BTreeMap<&'n str, u64> {
        let mut functions = BTreeMap::new();
        for node in &self.nodes[1..] {
            *functions.entry(&*names[node.function]).or_default() += node.own;
        }
        functions
    }

    /// The instructions of each step. What a function of no step does belongs to the step of
    /// its caller.
    pub(crate) fn steps(&self, names: &[String]) -> BTreeMap<&'static str, u64> {
        let mut steps = BTreeMap::new();
        let mut of_nodes: Vec<&str> = vec!["no step"];
        for node in &self.nodes[1..] {
            let own = step_of(&names[node.function]).map(|step| STEPS[step].0);
            let step = own.unwrap_or(of_nodes[node.caller]);
            of_nodes.push(step);
            *steps.entry(step).or_default() += node.own;
        }
        steps
    }

    /// Each chain of calls with its instructions, in the format of flame graphs.
    pub(crate) fn stacks(&self, names: &[String]) -> String {
        let mut paths = vec![String::new()];
        let mut text = String::new();
        for node in &self.nodes[1..] {
            let path = format!("{};{}", paths[node.caller], names[node.function]);
            if node.own > 0 {
                let _ = writeln!(text, "{} {}", path.trim_start_matches(';'), node.own);
            }
            paths.push(path);
        }
        text
    }

    /// The number of calls of a function.
    pub(crate) fn calls(&self, names: &[String], function: &str) -> u64 {
        let is_it = |node: &&Node| names[node.function] == function;
        self.nodes[1..]
            .iter()
            .filter(is_it)
            .map(|node| node.calls)
            .sum()
    }
}
