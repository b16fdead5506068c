//! `token_from` and `upstream`, as written.

use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{ShapeProblem, Wanted};
use crate::config::reader::{Field, Node, Text, choice, map, object, text};
use crate::config::value::Value;
use crate::policy::ClaimFormat;

/// One place of `token_from`.
pub(in crate::config) enum TokenFrom<'d> {
    /// `header`, with its `scheme`.
    Header {
        at: Path<'d>,
        name: Text<'d>,
        scheme: Field<Text<'d>>,
    },
    /// `cookie`
    Cookie(Text<'d>),
    /// `query`
    Query(Text<'d>),
}

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

/// Reads one place of `token_from`.
pub(super) fn token_from<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<TokenFrom<'d>> {
    const PLACES: &[&str] = &["header", "cookie", "query"];
    let members = object(
        node,
        &["header", "scheme", "cookie", "query"],
        Wanted::Object,
        sink,
    )?;
    let one = members.exactly_one(PLACES, sink);
    let header = members.optional("header", sink, text);
    let scheme = members.optional("scheme", sink, text);
    let cookie = members.optional("cookie", sink, text);
    let query = members.optional("query", sink, text);
    one?;
    if scheme.is_there() && !header.is_there() {
        sink.report(
            &members.at.member("scheme"),
            ShapeProblem::OnlyWith { member: "header" },
        );
    }
    let at = members.at.clone();
    let header = header
        .read()
        .map(|name| TokenFrom::Header { at, name, scheme });
    header
        .or(cookie.read().map(TokenFrom::Cookie))
        .or(query.read().map(TokenFrom::Query))
}

/// Reads `upstream`.
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
