//! `upstream`, as written.

use crate::config::error::Sink;
use crate::config::problem::Wanted;
use crate::config::reader::{Field, Node, Text, choice, map, object, text};
use crate::config::value::Value;
use crate::policy::ClaimFormat;

/// `upstream`
pub(in crate::config) struct Upstream<'d> {
    pub(in crate::config) keep_token: Field<bool>,
    pub(in crate::config) claims: Field<Vec<(Text<'d>, ClaimSource<'d>)>>,
    pub(in crate::config) payload: Field<Text<'d>>,
    pub(in crate::config) context: Field<Text<'d>>,
}

/// The claim that is sent in a header.
pub(in crate::config) struct ClaimSource<'d> {
    pub(in crate::config) claim: Field<Text<'d>>,
    pub(in crate::config) format: Field<ClaimFormat>,
}

/// Reads `upstream`.
#[inline(never)]
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Upstream<'d>> {
    let members = object(
        node,
        &["token", "claims", "payload", "context"],
        Wanted::Object,
        sink,
    )?;
    Some(Upstream {
        keep_token: members.optional("token", sink, choice(&[("remove", false), ("keep", true)])),
        claims: members.optional("claims", sink, map(claim_source)),
        payload: members.optional("payload", sink, text),
        context: members.optional("context", sink, text),
    })
}

fn claim_source<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<ClaimSource<'d>> {
    const FORMAT: &[(&str, ClaimFormat)] =
        &[("json", ClaimFormat::Json), ("csv", ClaimFormat::Csv)];
    match node.value() {
        Value::Object(_) => {
            let members = object(node, &["claim", "format"], Wanted::ClaimSource, sink)?;
            Some(ClaimSource {
                claim: members.required("claim", "the name of a claim, such as `sub`", sink, text),
                format: members.optional("format", sink, choice(FORMAT)),
            })
        }
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            let claim = text(node, sink)?;
            Some(ClaimSource {
                claim: Field::Is(claim),
                format: Field::Absent,
            })
        }
        Value::Null | Value::List(_) | Value::Duplicate => node.is_not(Wanted::ClaimSource, sink),
    }
}
