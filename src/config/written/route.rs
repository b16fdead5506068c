//! `routes`, and the rules that routes and providers share, as written.

use super::cors::{self, Cors};
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{ShapeProblem, Wanted};
use crate::config::reader::{
    Field, List, Node, Switch, Text, any_text, choice, map, object, off_or, one_or_many, text,
    texts,
};
use crate::config::value::Value;
use crate::jwt::TokenUse;
use crate::policy::Access;

/// One route.
pub(in crate::config) struct Route<'d> {
    pub(in crate::config) at: Path<'d>,
    pub(in crate::config) patterns: Field<List<Text<'d>>>,
    pub(in crate::config) hosts: Field<List<Text<'d>>>,
    pub(in crate::config) access: Field<Access>,
    pub(in crate::config) providers: Field<List<Text<'d>>>,
    pub(in crate::config) token_use: Field<TokenUse>,
    pub(in crate::config) scopes: Field<Requirement<'d>>,
    pub(in crate::config) claims: Field<ClaimRules<'d>>,
    pub(in crate::config) cors: Field<Switch<Cors<'d>>>,
}

/// `any_of`, `all_of` and `none_of`, or the list that stands for `any_of`.
#[expect(
    clippy::struct_field_names,
    reason = "each is called what the document calls it"
)]
pub(in crate::config) struct Requirement<'d> {
    pub(in crate::config) any_of: Field<List<Text<'d>>>,
    pub(in crate::config) all_of: Field<List<Text<'d>>>,
    pub(in crate::config) none_of: Field<List<Text<'d>>>,
}

/// `claims`: names and what each claim must be.
pub(in crate::config) type ClaimRules<'d> = Vec<(Text<'d>, Requirement<'d>)>;

const MEMBERS: &[&str] = &[
    "match",
    "hosts",
    "access",
    "providers",
    "token_use",
    "scopes",
    "claims",
    "cors",
];

const ACCESS: &[(&str, Access)] = &[
    ("public", Access::Public),
    ("optional", Access::Optional),
    ("required", Access::Required),
    ("denied", Access::Denied),
];

const LISTS: &[&str] = &["any_of", "all_of", "none_of"];

/// Reads one route.
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Route<'d>> {
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    let patterns = "a pattern such as `GET /pets/{id}`, or `$default`";
    Some(Route {
        at: members.at.clone(),
        patterns: members.required("match", patterns, sink, one_or_many(text)),
        hosts: members.optional("hosts", sink, texts),
        access: members.optional("access", sink, choice(ACCESS)),
        providers: members.optional("providers", sink, texts),
        token_use: members.optional("token_use", sink, token_use),
        scopes: members.optional("scopes", sink, scopes),
        claims: members.optional("claims", sink, claim_rules),
        cors: members.optional("cors", sink, off_or(cors::read)),
    })
}

/// Reads `token_use`, of a route or a provider.
pub(super) fn token_use(node: &Node<'_>, sink: &mut Sink) -> Option<TokenUse> {
    choice(&[("access", TokenUse::Access), ("id", TokenUse::Id)])(node, sink)
}

fn scopes<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Requirement<'d>> {
    match node.value() {
        Value::Object(_) => requirement(node, texts, Wanted::Requirement, sink),
        Value::Text(_) | Value::List(_) => texts(node, sink).map(Requirement::of_list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Twice => {
            node.is_not(Wanted::Requirement, sink)
        }
    }
}

/// Reads `claims`, of a route or a provider.
pub(super) fn claim_rules<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<ClaimRules<'d>> {
    map(claim_rule)(node, sink)
}

fn claim_rule<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Requirement<'d>> {
    // An empty text is a value that a claim can have.
    let values = one_or_many(any_text);
    match node.value() {
        Value::Object(_) => requirement(node, values, Wanted::ClaimRule, sink),
        Value::Null => node.is_not(Wanted::ClaimRule, sink),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Twice => {
            values(node, sink).map(Requirement::of_list)
        }
    }
}

fn requirement<'d>(
    node: &Node<'d>,
    values: impl Fn(&Node<'d>, &mut Sink) -> Option<List<Text<'d>>>,
    wanted: Wanted,
    sink: &mut Sink,
) -> Option<Requirement<'d>> {
    let members = object(node, LISTS, wanted, sink)?;
    if members.is_empty() {
        sink.report(&node.at, ShapeProblem::EmptyObject { known: LISTS });
        return None;
    }
    Some(Requirement {
        any_of: members.optional("any_of", sink, &values),
        all_of: members.optional("all_of", sink, &values),
        none_of: members.optional("none_of", sink, &values),
    })
}

impl<'d> Requirement<'d> {
    fn of_list(list: List<Text<'d>>) -> Self {
        Self {
            any_of: Field::Is(list),
            all_of: Field::Absent,
            none_of: Field::Absent,
        }
    }
}
