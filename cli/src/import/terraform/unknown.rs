//! What a plan knows about the values of a resource.

use super::Resource;
use super::attributes::Attribute;
use super::references::Target;
use super::values::at;
use crate::tree::{Node, Value};

/// Why an attribute has no value.
pub(super) enum State {
    /// It has one, or is null.
    Known,
    /// The provider chooses it, because the configuration does not.
    Computed,
    /// It is known after the apply.
    Unknown,
}

/// A planned resource, and what the configuration says about it.
pub(super) struct Planned<'n> {
    pub(super) target: Target<'n>,
    /// The marks of the unknown values (`after_unknown`).
    pub(super) unknown: &'n Node,
    pub(super) declared: Option<&'n Node>,
}

/// Whether an attribute of a resource is known.
pub(super) fn state(
    resource: &Resource<'_>,
    planned: &Planned<'_>,
    attribute: &Attribute,
) -> State {
    if is_marked(planned.unknown, attribute.path) {
        let name = attribute.path.first().copied().unwrap_or_default();
        let expressions = planned.declared.and_then(|one| one.get("expressions"));
        let configured = expressions.is_none_or(|all| all.get(name).is_some());
        return if configured {
            State::Unknown
        } else {
            State::Computed
        };
    }
    let refers = expression(planned, attribute).is_some_and(|one| one.get("references").is_some());
    if refers && at(&resource.values, attribute.path).is_none() {
        State::Unknown
    } else {
        State::Known
    }
}

/// Whether a value, or a block around it, is marked as unknown.
fn is_marked(unknown: &Node, path: &[&str]) -> bool {
    let mut reached = unknown;
    for name in path {
        if reached.value == Value::Bool(true) {
            return true;
        }
        let Some(next) = reached.get(name) else {
            return false;
        };
        reached = next;
        if Some(name) != path.last() {
            reached = next.elements().first().unwrap_or(next);
        }
    }
    is_unknown(Some(reached))
}

/// Whether a value, or a part of it, is known only after the apply.
pub(super) fn is_unknown(node: Option<&Node>) -> bool {
    node.is_some_and(|node| match &node.value {
        Value::Bool(value) => *value,
        Value::List(elements) => elements.iter().any(|one| is_unknown(Some(one))),
        Value::Object(members) => members.iter().any(|member| is_unknown(Some(&member.value))),
        // Nothing else is a mark, so nothing is known about the value.
        Value::Null | Value::Number(_) | Value::Text(_) => true,
    })
}

/// The expression of an attribute.
pub(super) fn expression<'n>(planned: &Planned<'n>, attribute: &Attribute) -> Option<&'n Node> {
    at(planned.declared?.get("expressions")?, attribute.path)
}
