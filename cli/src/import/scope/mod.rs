//! Reads values of a template, with `CloudFormation`'s functions evaluated.
//!
//! A value that cannot be evaluated is reported and is absent. Because nothing is written
//! if anything was reported, an absent value never weakens a rule.

mod condition;
mod text;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;

use super::parameters::Parameters;
use super::problems::Problems;
use crate::tree::{Member, Node, Value};

/// A template and what is needed to evaluate it.
pub(super) struct Scope<'t> {
    pub(super) problems: &'t Problems<'t>,
    pub(super) parameters: &'t Parameters,
    root: &'t Node,
    resources: BTreeMap<&'t str, &'t Member>,
    /// The results of conditions; `None` while one is being evaluated, or if it cannot be.
    conditions: RefCell<BTreeMap<String, Option<bool>>>,
    depth: Cell<usize>,
}

/// A resource of a template.
#[derive(Clone, Copy)]
pub(super) struct Resource<'t> {
    pub(super) name: &'t str,
    pub(super) at: &'t Range<usize>,
    pub(super) body: &'t Node,
}

impl<'t> Scope<'t> {
    pub(super) fn new(
        root: &'t Node,
        parameters: &'t Parameters,
        problems: &'t Problems<'t>,
    ) -> Self {
        let resources = root.get("Resources").map_or(&[][..], Node::members);
        Self {
            problems,
            parameters,
            root,
            resources: resources
                .iter()
                .map(|member| (&*member.name, member))
                .collect(),
            conditions: RefCell::default(),
            depth: Cell::new(0),
        }
    }

    /// The resources of a type that exist under the template's conditions.
    pub(super) fn resources(&self, of: &str) -> Vec<Resource<'t>> {
        let resources = self.root.get("Resources").map_or(&[][..], Node::members);
        let typed = |member: &&Member| member.value.get("Type").and_then(Node::text) == Some(of);
        resources
            .iter()
            .filter(typed)
            .filter(|member| self.exists(&member.value))
            .map(|member| Resource {
                name: &member.name,
                at: &member.name_span,
                body: &member.value,
            })
            .collect()
    }

    /// The type of a resource.
    pub(super) fn type_of(&self, name: &str) -> Option<&'t str> {
        let member = self.resources.get(name)?;
        member.value.get("Type").and_then(Node::text)
    }

    fn exists(&self, resource: &Node) -> bool {
        let Some(name) = resource.get("Condition") else {
            return true;
        };
        if let Some(text) = name.text() {
            return self.condition(text, &name.span) == Some(true);
        }
        self.problems
            .report(&name.span, "the condition is not a name; write one");
        false
    }

    /// A value with its outer functions evaluated: conditions, parameters, mappings and
    /// lists. References to resources stay as they are. `None`: it is absent.
    pub(super) fn resolve<'n>(&self, node: &'n Node) -> Option<Cow<'n, Node>> {
        let Some((function, argument)) = function(node) else {
            return Some(Cow::Borrowed(node));
        };
        match function {
            "Fn::If" => self.resolve(self.branch(argument)?),
            "Ref" => match argument.text() {
                Some("AWS::NoValue") => None,
                Some(name) if self.parameter(name).is_some() => {
                    let value = self.parameter_value(name, &node.span)?;
                    let span = node.span.clone();
                    Some(Cow::Owned(Node { span, value }))
                }
                Some(_) | None => Some(Cow::Borrowed(node)),
            },
            "Fn::FindInMap" => self.in_map(argument).map(Cow::Owned),
            "Fn::Select" => self.selected(argument).map(Cow::Owned),
            "Fn::Split" => self.split(argument).map(Cow::Owned),
            _ => Some(Cow::Borrowed(node)),
        }
    }

    /// The branch that an `Fn::If` takes.
    pub(super) fn branch<'n>(&self, argument: &'n Node) -> Option<&'n Node> {
        let [name, yes, no] = argument.elements() else {
            self.problems.report(
                &argument.span,
                "`Fn::If` has a condition and two values; write three elements",
            );
            return None;
        };
        let Some(condition) = name.text() else {
            self.problems
                .report(&name.span, "the condition is not a name; write one");
            return None;
        };
        Some(if self.condition(condition, &name.span)? {
            yes
        } else {
            no
        })
    }

    /// A member of an object. The object itself is already resolved.
    pub(super) fn get<'n>(&self, node: &'n Node, name: &str) -> Option<Cow<'n, Node>> {
        self.is_plain(node);
        self.resolve(node.get(name)?)
    }

    /// A member whose name's letter case does not matter, as in SAM's properties, which
    /// exist in the spelling of `CloudFormation` and of `OpenAPI`.
    pub(super) fn any_case<'n>(&self, node: &'n Node, name: &str) -> Option<Cow<'n, Node>> {
        self.is_plain(node);
        let members = node.members().iter();
        let mut found = members.filter(|member| member.name.eq_ignore_ascii_case(name));
        let first = found.next()?;
        if let Some(second) = found.next() {
            self.problems.report(
                &second.name_span,
                &format!("`{}` is written twice; remove one", second.name),
            );
        }
        self.resolve(&first.value)
    }

    /// The value at the end of a path of names.
    pub(super) fn descend<'n>(&self, node: &'n Node, names: &[&str]) -> Option<Cow<'n, Node>> {
        let mut reached = self.resolve(node)?;
        for name in names {
            reached = match reached {
                Cow::Borrowed(node) => self.get(node, name)?,
                Cow::Owned(node) => Cow::Owned(self.get(&node, name)?.into_owned()),
            };
        }
        Some(reached)
    }

    /// The members of an object with their values. Absent ones are left out.
    pub(super) fn members<'n>(&self, node: &'n Node) -> Vec<(&'n Member, Cow<'n, Node>)> {
        self.is_plain(node);
        let members = node.members().iter();
        members
            .filter_map(|member| Some((member, self.resolve(&member.value)?)))
            .collect()
    }

    /// The elements of a list. Absent ones are left out.
    pub(super) fn elements<'n>(&self, node: &'n Node) -> Vec<Cow<'n, Node>> {
        let elements = node.elements().iter();
        elements
            .filter_map(|element| self.resolve(element))
            .collect()
    }

    /// The texts of a list, or a single text in place of a list.
    pub(super) fn texts(&self, node: &Node) -> Vec<String> {
        match &node.value {
            Value::List(elements) => elements
                .iter()
                .filter(|element| self.resolve(element).is_some())
                .filter_map(|element| self.text(element))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                self.text(node).into_iter().collect()
            }
        }
    }

    /// A boolean, also as text.
    pub(super) fn flag(&self, node: &Node) -> bool {
        match self.text(node).as_deref() {
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => {
                self.problems
                    .report(&node.span, "is not a boolean; write `true` or `false`");
                false
            }
            None => false,
        }
    }

    /// Reports a value whose members are not known: no object, a reference, or an object
    /// that a function changes, such as `Fn::Transform` or `Fn::ForEach`. A member that is
    /// not seen could restrict access.
    pub(super) fn is_plain(&self, node: &Node) {
        let reference = matches!(function(node), Some(("Ref", name)) if name.text().is_some());
        if reference || !matches!(node.value, Value::Object(_) | Value::Null) {
            self.problems
                .report(&node.span, "is not an object; write its members here");
        }
        for member in node.members() {
            if member.name.starts_with("Fn::") {
                self.problems.report(
                    &member.name_span,
                    &format!(
                        "`{}` cannot be evaluated here; import the processed template (`aws \
                         cloudformation get-template --template-stage Processed`)",
                        member.name
                    ),
                );
            }
        }
    }

    /// The name that a value refers to: a resource, a parameter, `NAME.ATTRIBUTE`, or the
    /// text itself.
    pub(super) fn reference(&self, node: &Node) -> Option<String> {
        match function(node) {
            Some(("Fn::If", argument)) => self.reference(self.branch(argument)?),
            Some(("Ref", argument)) if argument.text() == Some("AWS::NoValue") => None,
            Some(("Ref", argument)) => argument.text().map(str::to_owned),
            Some(("Fn::GetAtt", argument)) => self.attribute(argument),
            Some(_) | None => self.text(node),
        }
    }
}

/// The function that an object stands for, with its argument.
pub(super) fn function(node: &Node) -> Option<(&str, &Node)> {
    match node.members() {
        [only] if only.name == "Ref" || only.name.starts_with("Fn::") => {
            Some((&only.name, &only.value))
        }
        _ => None,
    }
}
