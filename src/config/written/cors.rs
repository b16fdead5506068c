//! `cors` of the document or of a route, as written.

use std::time::Duration;

use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::Wanted;
use crate::config::reader::{Field, List, Node, Text, boolean, duration, object, texts};

/// A CORS policy.
pub(in crate::config) struct Cors<'d> {
    pub(in crate::config) at: Path<'d>,
    pub(in crate::config) allow_origins: Field<List<Text<'d>>>,
    pub(in crate::config) allow_methods: Field<List<Text<'d>>>,
    pub(in crate::config) allow_headers: Field<List<Text<'d>>>,
    pub(in crate::config) expose_headers: Field<List<Text<'d>>>,
    pub(in crate::config) allow_credentials: Field<bool>,
    pub(in crate::config) allow_private_network: Field<bool>,
    pub(in crate::config) max_age: Field<Duration>,
}

const MEMBERS: &[&str] = &[
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "allow_credentials",
    "allow_private_network",
    "max_age",
];

/// Reads a CORS policy.
#[inline(never)]
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Cors<'d>> {
    let members = object(node, MEMBERS, Wanted::ObjectOrOff, sink)?;
    let origins = "the allowed origins, such as `[https://app.example.com]`";
    // `cors` checks the range, since it knows which ages browsers accept.
    let any_duration = duration(Duration::ZERO, Duration::MAX);
    Some(Cors {
        at: members.at.clone(),
        allow_origins: members.required("allow_origins", origins, sink, texts),
        allow_methods: members.optional("allow_methods", sink, texts),
        allow_headers: members.optional("allow_headers", sink, texts),
        expose_headers: members.optional("expose_headers", sink, texts),
        allow_credentials: members.optional("allow_credentials", sink, boolean),
        allow_private_network: members.optional("allow_private_network", sink, boolean),
        max_age: members.optional("max_age", sink, any_duration),
    })
}
