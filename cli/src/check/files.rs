//! Files that are checked together, and the findings in each of them.

use crate::report::Finding;
use crate::source::Source;
use crate::subject::Document;
use crate::tree::Node;

/// Files of one check: one, or those of a folder.
pub(super) struct Files<'f> {
    pub(super) all: &'f [(Source, Document)],
}

impl<'f> Files<'f> {
    /// The documents of all files, each with the number of its file. A list of Kubernetes
    /// counts as its elements.
    pub(super) fn resources(&self) -> impl Iterator<Item = (usize, &'f Node)> + use<'f> {
        let files = self.all.iter().enumerate();
        files.flat_map(|(file, (_, document))| {
            document.roots.iter().flat_map(move |root| {
                let items = match root.get("kind").and_then(Node::text) {
                    Some(kind) if kind.ends_with("List") => root.get("items").map(Node::elements),
                    Some(_) | None => None,
                };
                let items = items.unwrap_or_else(|| std::slice::from_ref(root));
                items.iter().map(move |node| (file, node))
            })
        })
    }

    /// The resources of a kind.
    pub(super) fn of_kind(&self, kind: &str) -> Vec<(usize, &'f Node)> {
        let is_it = |node: &Node| node.get("kind").and_then(Node::text) == Some(kind);
        self.resources().filter(|(_, node)| is_it(node)).collect()
    }
}

/// The findings in each file, once each.
pub(super) struct Found<'f> {
    of: &'f mut [Vec<Finding>],
    /// The file with the configuration that is checked.
    own: usize,
}

impl<'f> Found<'f> {
    pub(super) const fn new(of: &'f mut [Vec<Finding>], own: usize) -> Self {
        Self { of, own }
    }

    /// Adds a finding in a file, unless it is known.
    pub(super) fn add(&mut self, file: usize, finding: Finding) {
        if let Some(known) = self.of.get_mut(file)
            && !known.contains(&finding)
        {
            known.push(finding);
        }
    }

    /// Adds a finding in the file with the configuration.
    pub(super) fn add_own(&mut self, finding: Finding) {
        self.add(self.own, finding);
    }
}
