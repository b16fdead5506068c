//! `token_from`, as written.

use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{ShapeProblem, Wanted};
use crate::config::reader::{Field, Node, Text, object, text};

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

/// Reads one place of `token_from`.
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<TokenFrom<'d>> {
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
    if scheme.is_present() && !header.is_present() {
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
