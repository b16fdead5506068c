//! `resources`, as written.

use crate::config::error::Sink;
use crate::config::problem::Wanted;
use crate::config::reader::{Field, List, Node, Text, map, object, text, texts};

/// One protected resource.
pub(in crate::config) struct Resource<'d> {
    pub(in crate::config) identifier: Field<Text<'d>>,
    pub(in crate::config) providers: Field<List<Text<'d>>>,
    pub(in crate::config) scopes: Field<List<Text<'d>>>,
    pub(in crate::config) advertise: Field<Vec<(Text<'d>, Text<'d>)>>,
    pub(in crate::config) name: Field<Text<'d>>,
    pub(in crate::config) documentation: Field<Text<'d>>,
}

const MEMBERS: &[&str] = &[
    "resource",
    "providers",
    "scopes",
    "advertise",
    "name",
    "documentation",
];

/// Reads one resource.
#[inline(never)]
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Resource<'d>> {
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    let identifier = "the URL that clients use, such as `https://api.example.com/mcp`";
    Some(Resource {
        identifier: members.required("resource", identifier, sink, text),
        providers: members.optional("providers", sink, texts),
        scopes: members.optional("scopes", sink, texts),
        advertise: members.optional("advertise", sink, map(text)),
        name: members.optional("name", sink, text),
        documentation: members.optional("documentation", sink, text),
    })
}
