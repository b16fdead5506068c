//! `mcp` of a route, as written.

use super::route::prefix;
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{Excerpt, ShapeProblem, Wanted};
use crate::config::reader::{Field, List, Node, Text, list, object, one_or_many, text};
use crate::config::value::Value;

/// `mcp`
pub(in crate::config) struct Mcp<'d> {
    pub(in crate::config) at: Path<'d>,
    pub(in crate::config) method: Field<List<Text<'d>>>,
    pub(in crate::config) name: Field<List<Name<'d>>>,
}

/// An element of `name`.
pub(in crate::config) enum Name<'d> {
    /// The whole name.
    Text(Text<'d>),
    /// `prefix`
    Prefix(Text<'d>),
}

/// Reads `mcp`.
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Mcp<'d>> {
    let members = object(node, &["method", "name"], Wanted::Object, sink)?;
    let method = "the method of a JSON-RPC message, such as `tools/call`";
    Some(Mcp {
        at: members.at.clone(),
        method: members.required("method", method, sink, one_or_many(text)),
        name: members.optional("name", sink, names),
    })
}

fn names<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<List<Name<'d>>> {
    if let Value::Text(bare) = node.value() {
        let found = Excerpt::of(bare);
        sink.report(&node.at, ShapeProblem::Bare { found });
        return None;
    }
    list(name)(node, sink)
}

fn name<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Name<'d>> {
    if !matches!(node.value(), Value::Object(_)) {
        return text(node, sink).map(Name::Text);
    }
    let members = object(node, &["prefix"], Wanted::RuleValue, sink)?;
    let write = "the beginning of a name, such as `{prefix: admin_}`";
    let prefix = members.required("prefix", write, sink, prefix);
    prefix.read().map(Name::Prefix)
}
