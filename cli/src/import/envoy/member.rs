//! Members of protobuf messages in JSON: `snake_case` or `camelCase`.

use std::borrow::Cow;

use crate::tree::{Node, Value};

/// A member in one of its two notations.
pub(super) fn get<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.get(name).or_else(|| node.get(&camel(name)))
}

pub(super) fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    get(node, name).and_then(Node::text)
}

pub(super) fn elements<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    get(node, name).map_or(&[], Node::elements)
}

pub(super) fn texts<'n>(node: &'n Node, name: &str) -> Vec<&'n str> {
    elements(node, name).iter().filter_map(Node::text).collect()
}

pub(super) fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.value == Value::Bool(true))
}

/// Whether an `Any` has a type whose name ends so.
pub(super) fn is_of_type(node: &Node, name: &str) -> bool {
    let kind = node.get("@type").and_then(Node::text);
    kind.is_some_and(|kind| kind.ends_with(name))
}

/// Whether a message has only these members. The names are `snake_case`.
pub(super) fn has_only(node: &Node, names: &[&str]) -> bool {
    let known = |name: &str| {
        names
            .iter()
            .any(|known| *known == name || camel(known) == name)
    };
    node.members()
        .iter()
        .all(|member| member.name == "@type" || known(&member.name))
}

fn camel(name: &str) -> Cow<'_, str> {
    if !name.contains('_') {
        return Cow::Borrowed(name);
    }
    let mut out = String::new();
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if upper => {
                out.push(letter.to_ascii_uppercase());
                upper = false;
            }
            letter => out.push(letter),
        }
    }
    Cow::Owned(out)
}
