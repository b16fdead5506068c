//! Readers of lists, maps, and members that can be switched off.

use super::{List, Located, Node, Switch, Text, choice, text};
use crate::config::error::Sink;
use crate::config::problem::{Excerpt, ShapeProblem, ValueProblem, Wanted};
use crate::config::value::Value;

/// Reads a list with `read` for each element. An empty list is refused.
pub(in crate::config) fn list<'d, T>(
    read: impl Fn(&Node<'d>, &mut Sink) -> Option<T>,
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<List<T>> {
    move |node, sink| match node.value {
        Value::List(values) => elements(node, values, &read, sink),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Object(_)
        | Value::Duplicate => node.refuse(Wanted::List, sink),
    }
}

/// Reads a list of texts. A single text is refused.
pub(in crate::config) fn texts<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<List<Text<'d>>> {
    not_bare(node, sink)?;
    list(text)(node, sink)
}

/// Reads a list of given words. A single word is refused.
pub(in crate::config) fn choices<'d, T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<List<Located<'d, T>>> {
    let word = choice(words);
    let read = list(move |node: &Node<'d>, sink: &mut Sink| Some(node.locate(word(node, sink)?)));
    move |node, sink| {
        not_bare(node, sink)?;
        read(node, sink)
    }
}

fn not_bare(node: &Node<'_>, sink: &mut Sink) -> Option<()> {
    if let Value::Text(bare) = node.value {
        let found = Excerpt::of(bare);
        sink.report(&node.at, ShapeProblem::Bare { found });
        return None;
    }
    Some(())
}

/// Reads a list of at most `limit` elements.
pub(in crate::config) fn list_up_to<'d, T>(
    limit: usize,
    read: impl Fn(&Node<'d>, &mut Sink) -> Option<T>,
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<List<T>> {
    let read = list(read);
    move |node, sink| match node.value {
        Value::List(values) if values.len() > limit => {
            sink.report(&node.at, ShapeProblem::TooMany { limit });
            None
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Object(_)
        | Value::Duplicate => read(node, sink),
    }
}

/// Reads a list, or one value that stands for a list with it.
pub(in crate::config) fn one_or_many<'d, T>(
    read: impl Fn(&Node<'d>, &mut Sink) -> Option<T>,
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<List<T>> {
    move |node, sink| match node.value {
        Value::List(values) => elements(node, values, &read, sink),
        Value::Null | Value::Object(_) => node.refuse(Wanted::TextOrList, sink),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Duplicate => {
            Some(List::collect(std::iter::once(read(node, sink))))
        }
    }
}

fn elements<'d, T>(
    node: &Node<'d>,
    values: &'d [Value<'d>],
    read: impl Fn(&Node<'d>, &mut Sink) -> Option<T>,
    sink: &mut Sink,
) -> Option<List<T>> {
    if values.is_empty() {
        sink.report(&node.at, ShapeProblem::EmptyList);
        return None;
    }
    Some(List::collect(values.iter().enumerate().map(
        |(index, value)| {
            Node::enter(node.at.element(index), value, sink).and_then(|node| read(&node, sink))
        },
    )))
}

/// Reads an object whose member names the author chooses. An empty object is
/// refused.
pub(in crate::config) fn map<'d, T>(
    read: impl Fn(&Node<'d>, &mut Sink) -> Option<T>,
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<Vec<(Text<'d>, T)>> {
    move |node, sink| {
        let Value::Object(object) = node.value else {
            return node.refuse(Wanted::Object, sink);
        };
        if object.is_empty() {
            sink.report(&node.at, ShapeProblem::EmptyMap);
            return None;
        }
        let mut entries = Vec::with_capacity(object.len());
        for (name, value) in object.iter() {
            let at = node.at.member(name);
            let Some(inside) = Node::enter(at.clone(), value, sink) else {
                continue;
            };
            if name.is_empty() {
                sink.report(&at, ValueProblem::EmptyText);
                continue;
            }
            if let Some(value) = read(&inside, sink) {
                entries.push((Located { at, value: name }, value));
            }
        }
        Some(entries)
    }
}

/// Reads `off`, or a value with `read`.
pub(in crate::config) fn off_or<'d, T>(
    read: impl Fn(&Node<'d>, &mut Sink) -> Option<T>,
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<Switch<T>> {
    move |node, sink| match node.value {
        Value::Bool(false) => Some(Switch::Off),
        Value::Text(text) if text == "off" => Some(Switch::Off),
        Value::Object(_) => read(node, sink).map(Switch::On),
        Value::Null
        | Value::Bool(true)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Duplicate => node.refuse(Wanted::ObjectOrOff, sink),
    }
}
