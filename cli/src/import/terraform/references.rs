//! Follows the references of a plan's configuration to the resources from which a value
//! comes.
//!
//! A plan has no expressions, only the list of what each refers to. So a value that is not
//! known before the apply comes from a certain resource only if nothing else in its
//! expression can change it.

use std::cell::Cell;

use super::address::{Step, begins, modules, steps};
use crate::tree::Node;

/// The most references that are followed for one value.
const MAX_REFERENCES: usize = 512;
/// The most references that may follow each other.
const MAX_DEPTH: usize = 32;

/// The configuration of a plan.
pub(super) struct Configuration<'n> {
    root: Option<&'n Node>,
    /// Whether a data source is read only during the apply.
    deferred: bool,
}

/// The part of a configuration in which references are read.
#[derive(Clone)]
pub(super) struct Site<'n> {
    /// The instance of the module.
    pub(super) modules: Vec<Step<'n>>,
    /// What `each` iterates over.
    pub(super) each: Option<&'n Node>,
}

/// From where a part of a value comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin<'n> {
    /// It is not known from where.
    Unknown,
    /// An attribute of a resource.
    Attribute(Target<'n>),
}

/// An attribute of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'n> {
    pub(super) modules: Vec<Step<'n>>,
    pub(super) kind: &'n str,
    pub(super) name: &'n str,
    /// `None`: it is not known which instance is meant, if there are several.
    pub(super) key: Option<&'n str>,
    /// `None`: it is not known which attribute is meant.
    pub(super) attribute: Option<&'n str>,
}

struct Walk<'n> {
    found: Vec<Origin<'n>>,
    remaining: Cell<usize>,
}

impl<'n> Configuration<'n> {
    /// The configuration of a plan.
    pub(super) fn of(plan: &'n Node) -> Self {
        let changes = plan.get("resource_changes").map_or(&[][..], Node::elements);
        let is_deferred = |change: &Node| {
            let is_data = change.get("mode").and_then(Node::text) == Some("data");
            let actions = change.descend(&["change", "actions"]);
            is_data && actions.is_none_or(|actions| actions.texts().contains(&"read"))
        };
        Self {
            root: plan.descend(&["configuration", "root_module"]),
            deferred: changes.iter().any(is_deferred),
        }
    }

    fn module(&self, path: &[Step<'_>]) -> Option<&'n Node> {
        path.iter().try_fold(self.root?, |module, step| {
            module.descend(&["module_calls", step.name, "module"])
        })
    }

    fn call(&self, path: &[Step<'_>]) -> Option<&'n Node> {
        let (last, before) = path.split_last()?;
        self.module(before)?.descend(&["module_calls", last.name])
    }

    /// The declaration of a resource.
    pub(super) fn resource(
        &self,
        modules: &[Step<'_>],
        kind: &str,
        name: &str,
    ) -> Option<&'n Node> {
        let of = |node: &Node, member: &str, text: &str| {
            node.get(member).and_then(Node::text) == Some(text)
        };
        let resources = self.module(modules)?.get("resources")?.elements();
        resources.iter().find(|one| {
            of(one, "mode", "managed") && of(one, "type", kind) && of(one, "name", name)
        })
    }

    /// From where the parts of a value come that are not known before the apply.
    pub(super) fn origins(&self, expression: &'n Node, site: &Site<'n>) -> Vec<Origin<'n>> {
        let mut walk = Walk {
            found: Vec::new(),
            remaining: Cell::new(MAX_REFERENCES),
        };
        self.follow(expression, site, None, MAX_DEPTH, &mut walk);
        walk.found
    }

    /// `attribute`: what is taken of the value.
    fn follow(
        &self,
        expression: &'n Node,
        site: &Site<'n>,
        attribute: Option<&'n str>,
        depth: usize,
        walk: &mut Walk<'n>,
    ) {
        let Some(depth) = depth.checked_sub(1) else {
            return walk.add(Origin::Unknown);
        };
        let Some(references) = expression.get("references") else {
            // A constant; a list is that of a block's expressions, which are not expected.
            if !expression.elements().is_empty() {
                walk.add(Origin::Unknown);
            }
            return;
        };
        for reference in heads(references) {
            let Some(remaining) = walk.remaining.get().checked_sub(1) else {
                return walk.add(Origin::Unknown);
            };
            walk.remaining.set(remaining);
            match steps(reference) {
                Some(steps) => self.reference(&steps, site, attribute, depth, walk),
                None => walk.add(Origin::Unknown),
            }
        }
    }

    fn reference(
        &self,
        steps: &[Step<'n>],
        site: &Site<'n>,
        attribute: Option<&'n str>,
        depth: usize,
        walk: &mut Walk<'n>,
    ) {
        let taken = |rest: &[Step<'n>]| rest.last().map(|step| step.name).or(attribute);
        match steps {
            // These are known in every plan.
            [first, ..] if matches!(first.name, "path" | "terraform" | "count") => {}
            [first, second, ..] if (first.name, second.name) == ("each", "key") => {}
            [first, second, rest @ ..] if (first.name, second.name) == ("each", "value") => {
                match site.each {
                    Some(each) => self.follow(each, site, taken(rest), depth, walk),
                    None => walk.add(Origin::Unknown),
                }
            }
            [first, variable, rest @ ..] if first.name == "var" => {
                self.variable(variable.name, site, taken(rest), depth, walk);
            }
            [first, module, output, rest @ ..] if first.name == "module" => {
                let mut modules = site.modules.clone();
                modules.push(*module);
                let of = self.module(&modules);
                let path = ["outputs", output.name, "expression"];
                match of.and_then(|of| of.descend(&path)) {
                    Some(expression) => {
                        let below = Site {
                            modules,
                            each: None,
                        };
                        self.follow(expression, &below, taken(rest), depth, walk);
                    }
                    None => walk.add(Origin::Unknown),
                }
            }
            [first, ..] if first.name == "data" => {
                if self.deferred {
                    walk.add(Origin::Unknown);
                }
            }
            [kind, name, rest @ ..]
                if kind.key.is_none()
                    && !matches!(kind.name, "local" | "module" | "each" | "self") =>
            {
                walk.add(Origin::Attribute(Target {
                    modules: site.modules.clone(),
                    kind: kind.name,
                    name: name.name,
                    key: name.key,
                    attribute: match rest {
                        [] => attribute,
                        [only] if only.key.is_none() => Some(only.name),
                        // A part of an attribute is no identifier.
                        _ => Some(""),
                    },
                }));
            }
            _ => walk.add(Origin::Unknown),
        }
    }
}

impl<'n> Configuration<'n> {
    /// A variable of the module of a site.
    fn variable(
        &self,
        name: &str,
        site: &Site<'n>,
        attribute: Option<&'n str>,
        depth: usize,
        walk: &mut Walk<'n>,
    ) {
        // Those of the root module are known.
        let Some((_, above)) = site.modules.split_last() else {
            return;
        };
        let Some(call) = self.call(&site.modules) else {
            return walk.add(Origin::Unknown);
        };
        // Without an expression, the variable has its default.
        if let Some(expression) = call.descend(&["expressions", name]) {
            let above = Site {
                modules: above.to_vec(),
                each: call.get("for_each_expression"),
            };
            self.follow(expression, &above, attribute, depth, walk);
        }
    }
}

impl<'n> Walk<'n> {
    fn add(&mut self, origin: Origin<'n>) {
        if !self.found.contains(&origin) {
            self.found.push(origin);
        }
    }
}

/// The references as they are written: a plan repeats each one without its last part, and
/// so on.
pub(super) fn heads(references: &Node) -> Vec<&str> {
    let mut found = Vec::new();
    let mut previous: Option<&str> = None;
    for reference in references.elements() {
        // What is no text is no address either.
        let text = reference.text().unwrap_or_default();
        if !previous.is_some_and(|longer| begins(text, longer)) {
            found.push(text);
        }
        previous = Some(text);
    }
    found
}

/// The instance of a module and of a resource that an address names.
pub(super) fn target(address: &str) -> Option<Target<'_>> {
    let steps = steps(address)?;
    let (modules, rest) = modules(&steps);
    let (kind, name, attribute) = match rest {
        [kind, name] => (kind, name, None),
        [kind, name, attribute] if attribute.key.is_none() => (kind, name, Some(attribute.name)),
        _ => return None,
    };
    Some(Target {
        modules,
        kind: kind.name,
        name: name.name,
        key: name.key,
        attribute,
    })
}

impl Target<'_> {
    /// Whether an instance may be meant: a key that is not written matches each.
    pub(super) fn matches(&self, instance: &Target<'_>) -> bool {
        let same = |wanted: Option<&str>, key: Option<&str>| wanted.is_none() || wanted == key;
        self.kind == instance.kind
            && self.name == instance.name
            && same(self.key, instance.key)
            && self.modules.len() == instance.modules.len()
            && self
                .modules
                .iter()
                .zip(&instance.modules)
                .all(|(wanted, step)| wanted.name == step.name && same(wanted.key, step.key))
    }
}
