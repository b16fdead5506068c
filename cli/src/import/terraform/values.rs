//! Values at a path of names, in which each name but the last is that of a block.

use super::Resource;
use crate::tree::{Member, Node, Value};

/// The value at a path of names.
pub(super) fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    let (last, blocks) = path.split_last()?;
    let mut reached = node;
    for name in blocks {
        let block = reached.get(name)?;
        reached = block.elements().first().unwrap_or(block);
    }
    reached.get(last)
}

/// Sets a value at a path.
pub(super) fn set(resource: &mut Resource<'_>, path: &[&str], value: Value) {
    let span = resource.at.clone();
    put(resource.values.to_mut(), path, Node { span, value });
}

fn put(node: &mut Node, path: &[&str], value: Node) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if let Value::List(elements) = &mut node.value {
        if let Some(first) = elements.first_mut() {
            put(first, path, value);
        }
        return;
    }
    let span = node.span.clone();
    if !matches!(node.value, Value::Object(_)) {
        node.value = Value::Object(Vec::new());
    }
    let Value::Object(members) = &mut node.value else {
        return;
    };
    let at = members.iter().position(|member| member.name == **name);
    let empty = || Node {
        span: span.clone(),
        value: Value::Null,
    };
    if at.is_none() {
        members.push(Member {
            name: (*name).to_owned(),
            name_span: span.clone(),
            value: empty(),
        });
    }
    let at = at.unwrap_or(members.len().saturating_sub(1));
    let Some(member) = members.get_mut(at) else {
        return;
    };
    if rest.is_empty() {
        member.value = value;
    } else {
        if member.value.elements().is_empty() {
            member.value.value = Value::List(vec![empty()]);
        }
        put(&mut member.value, rest, value);
    }
}
