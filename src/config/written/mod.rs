//! The configuration as written: the form of its members is checked, but nothing
//! is resolved, compared or interpreted yet.
//!
//! A value that could not be read is
//! [`Field::Unreadable`](super::reader::Field), so that `compile` continues with
//! the rest and does not report it again.

mod cors;
mod mcp;
mod mode;
mod narrowing;
mod provider;
mod resource;
mod route;
mod token_from;
mod upstream;

pub(super) use cors::Cors;
pub(super) use mcp::{Mcp, Name as McpName};
pub(super) use narrowing::{ShortForm, is_document, short_form};
pub(super) use provider::{Audiences, Dpop, InlineKeys, Jwks, Provider, Revoked, Times};
pub(super) use resource::Resource;
pub(super) use route::{Authentication, ClaimRules, Requirement, Route, RuleValue};
pub(super) use token_from::TokenFrom;
pub(super) use upstream::Upstream;

use super::error::Sink;
use super::problem::Wanted;
use super::reader::{
    Field, List, Located, Node, Switch, Text, boolean, choice, choices, count, list, list_up_to,
    map, object, off_or, text, texts,
};
use super::{MAX_CACHED_TOKENS, MAX_PROVIDERS, MAX_RESOURCES, MAX_ROUTES};
use crate::policy::{BodyStyle, Mode};
use crate::telemetry::FilterState;

/// The members of a document.
const MEMBERS: &[&str] = &[
    "mode",
    "providers",
    "token_from",
    "upstream",
    "paths",
    "routes",
    "resources",
    "cors",
    "scope_implies",
    "responses",
    "telemetry",
    "token_cache",
];

/// A whole configuration.
pub(super) struct Document<'d> {
    pub(super) mode: Field<Mode>,
    pub(super) providers: Field<List<Provider<'d>>>,
    pub(super) token_from: Field<List<TokenFrom<'d>>>,
    pub(super) upstream: Field<Upstream<'d>>,
    pub(super) paths: Field<Paths<'d>>,
    pub(super) routes: Field<List<Route<'d>>>,
    pub(super) resources: Field<List<Resource<'d>>>,
    pub(super) cors: Field<Switch<Cors<'d>>>,
    pub(super) scope_implies: Field<Vec<(Text<'d>, List<Text<'d>>)>>,
    pub(super) responses: Field<Responses<'d>>,
    pub(super) filter_state: Field<List<Located<'d, FilterState>>>,
    pub(super) max_tokens: Field<usize>,
}

/// `paths`
pub(super) struct Paths<'d> {
    pub(super) base: Field<Text<'d>>,
    pub(super) allow_encoded: Field<List<Text<'d>>>,
    pub(super) allow_empty_segments: Field<bool>,
    pub(super) allow_semicolons: Field<bool>,
    pub(super) ignore_case: Field<bool>,
}

/// `responses`
pub(super) struct Responses<'d> {
    pub(super) realm: Field<Text<'d>>,
    pub(super) body: Field<BodyStyle>,
}

/// Reads a whole configuration.
#[inline(never)]
pub(super) fn document<'d>(root: &Node<'d>, sink: &mut Sink) -> Option<Document<'d>> {
    let members = object(root, MEMBERS, Wanted::Object, sink)?;
    let routes = "at least one route, such as `[{match: GET /pets, scopes: [pets:read]}]`";
    Some(Document {
        mode: members.optional("mode", sink, mode::read),
        providers: members.optional("providers", sink, list_up_to(MAX_PROVIDERS, provider::read)),
        token_from: members.optional("token_from", sink, list(token_from::read)),
        upstream: members.optional("upstream", sink, upstream::read),
        paths: members.optional("paths", sink, paths),
        routes: members.required("routes", routes, sink, list_up_to(MAX_ROUTES, route::read)),
        resources: members.optional("resources", sink, list_up_to(MAX_RESOURCES, resource::read)),
        cors: members.optional("cors", sink, off_or(cors::read)),
        scope_implies: members.optional("scope_implies", sink, map(texts)),
        responses: members.optional("responses", sink, responses),
        filter_state: flatten(members.optional("telemetry", sink, telemetry)),
        max_tokens: flatten(members.optional("token_cache", sink, token_cache)),
    })
}

fn paths<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Paths<'d>> {
    const MEMBERS: &[&str] = &[
        "base",
        "allow_encoded",
        "allow_empty_segments",
        "allow_semicolons",
        "ignore_case",
    ];
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    Some(Paths {
        base: members.optional("base", sink, text),
        allow_encoded: members.optional("allow_encoded", sink, texts),
        allow_empty_segments: members.optional("allow_empty_segments", sink, boolean),
        allow_semicolons: members.optional("allow_semicolons", sink, boolean),
        ignore_case: members.optional("ignore_case", sink, boolean),
    })
}

fn responses<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Responses<'d>> {
    const BODY: &[(&str, BodyStyle)] = &[("aws", BodyStyle::Aws), ("problem", BodyStyle::Problem)];
    let members = object(node, &["realm", "body"], Wanted::Object, sink)?;
    Some(Responses {
        realm: members.optional("realm", sink, text),
        body: members.optional("body", sink, choice(BODY)),
    })
}

fn telemetry<'d>(
    node: &Node<'d>,
    sink: &mut Sink,
) -> Option<Field<List<Located<'d, FilterState>>>> {
    let members = object(node, &["filter_state"], Wanted::Object, sink)?;
    let entries = choices(&FilterState::NAMES);
    Some(members.optional("filter_state", sink, entries))
}

fn token_cache(node: &Node<'_>, sink: &mut Sink) -> Option<Field<usize>> {
    let members = object(node, &["max_tokens"], Wanted::Object, sink)?;
    Some(members.optional("max_tokens", sink, count(MAX_CACHED_TOKENS)))
}

fn flatten<T>(field: Field<Field<T>>) -> Field<T> {
    match field {
        Field::Is(field) => field,
        Field::Absent => Field::Absent,
        Field::Unreadable => Field::Unreadable,
    }
}
