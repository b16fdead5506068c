//! `routes`, and the rules that routes and providers share, as written.

use std::time::Duration;

use super::cors::{self, Cors};
use super::mcp::{self, Mcp};
use super::mode;
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{Excerpt, ShapeProblem, ValueProblem, Wanted};
use crate::config::reader::{
    Field, List, Members, Node, Switch, Text, any_text, choice, duration, map, object, off_or,
    one_or_many, text, texts,
};
use crate::config::value::Value;
use crate::jwt::TokenUse;
use crate::policy::{Access, Mode};

/// One route.
pub(in crate::config) struct Route<'d> {
    pub(in crate::config) at: Path<'d>,
    pub(in crate::config) patterns: Field<List<Text<'d>>>,
    pub(in crate::config) hosts: Field<List<Text<'d>>>,
    pub(in crate::config) mcp: Field<Mcp<'d>>,
    pub(in crate::config) mode: Field<Mode>,
    pub(in crate::config) access: Field<Access>,
    pub(in crate::config) providers: Field<List<Text<'d>>>,
    pub(in crate::config) token_use: Field<TokenUse>,
    pub(in crate::config) authentication: Field<Authentication<'d>>,
    pub(in crate::config) scopes: Field<Requirement<Text<'d>>>,
    pub(in crate::config) claims: Field<ClaimRules<'d>>,
    pub(in crate::config) cors: Field<Switch<Cors<'d>>>,
}

/// `authentication`
pub(in crate::config) struct Authentication<'d> {
    pub(in crate::config) at: Path<'d>,
    pub(in crate::config) acr: Field<List<Text<'d>>>,
    pub(in crate::config) max_age: Field<Duration>,
}

/// `any_of`, `all_of` and `none_of`, or a list, which means `any_of`.
#[expect(
    clippy::struct_field_names,
    reason = "each is called what the document calls it"
)]
pub(in crate::config) struct Requirement<T> {
    pub(in crate::config) any_of: Field<List<T>>,
    pub(in crate::config) all_of: Field<List<T>>,
    pub(in crate::config) none_of: Field<List<T>>,
}

/// `claims`: the name of each claim and its requirement.
pub(in crate::config) type ClaimRules<'d> = Vec<(Text<'d>, Requirement<RuleValue<'d>>)>;

/// A value of a claim rule.
pub(in crate::config) enum RuleValue<'d> {
    /// A text.
    Text(Text<'d>),
    /// `prefix`
    Prefix(Text<'d>),
}

const MEMBERS: &[&str] = &[
    "match",
    "hosts",
    "mcp",
    "mode",
    "access",
    "providers",
    "token_use",
    "authentication",
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

/// The members of a claim rule. `prefix` is one, since a rule may be a single
/// value.
const RULE: &[&str] = &["any_of", "all_of", "none_of", "prefix"];

/// Reads one route.
#[inline(never)]
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Route<'d>> {
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    let patterns = "a pattern such as `GET /pets/{id}`, or `$default`";
    Some(Route {
        at: members.at.clone(),
        patterns: members.required("match", patterns, sink, one_or_many(text)),
        hosts: members.optional("hosts", sink, texts),
        mcp: members.optional("mcp", sink, mcp::read),
        mode: members.optional("mode", sink, mode::read),
        access: members.optional("access", sink, choice(ACCESS)),
        providers: members.optional("providers", sink, texts),
        token_use: members.optional("token_use", sink, token_use),
        authentication: members.optional("authentication", sink, authentication),
        scopes: members.optional("scopes", sink, scopes),
        claims: members.optional("claims", sink, claim_rules),
        cors: members.optional("cors", sink, off_or(cors::read)),
    })
}

/// Reads `token_use`, of a route or a provider.
pub(super) fn token_use(node: &Node<'_>, sink: &mut Sink) -> Option<TokenUse> {
    choice(&[("access", TokenUse::Access), ("id", TokenUse::Id)])(node, sink)
}

fn authentication<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Authentication<'d>> {
    const MEMBERS: &[&str] = &["acr", "max_age"];
    const MOST: Duration = Duration::from_hours(365 * 24);
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    if members.is_empty() {
        sink.report(&node.at, ShapeProblem::EmptyObject { known: MEMBERS });
        return None;
    }
    Some(Authentication {
        at: members.at.clone(),
        acr: members.optional("acr", sink, texts),
        max_age: members.optional("max_age", sink, duration(Duration::ZERO, MOST)),
    })
}

fn scopes<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Requirement<Text<'d>>> {
    match node.value() {
        Value::Object(_) => {
            let members = object(node, LISTS, Wanted::Requirement, sink)?;
            if members.is_empty() {
                sink.report(&node.at, ShapeProblem::EmptyObject { known: LISTS });
                return None;
            }
            Some(Requirement::of_members(&members, texts, sink))
        }
        Value::Text(_) | Value::List(_) => texts(node, sink).map(Requirement::of_list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Duplicate => {
            node.is_not(Wanted::Requirement, sink)
        }
    }
}

/// Reads `claims`, of a route or a provider.
pub(super) fn claim_rules<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<ClaimRules<'d>> {
    map(claim_rule)(node, sink)
}

fn claim_rule<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Requirement<RuleValue<'d>>> {
    match node.value() {
        Value::Object(_) => claim_rule_of_members(node, sink),
        Value::Null => node.is_not(Wanted::ClaimRule, sink),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Duplicate => {
            rule_values(node, sink).map(Requirement::of_list)
        }
    }
}

fn claim_rule_of_members<'d>(
    node: &Node<'d>,
    sink: &mut Sink,
) -> Option<Requirement<RuleValue<'d>>> {
    refuse_bare_braces(node, RULE, sink)?;
    let members = object(node, RULE, Wanted::ClaimRule, sink)?;
    if members.is_empty() {
        sink.report(&node.at, ShapeProblem::EmptyObject { known: RULE });
        return None;
    }
    let prefix = members.optional("prefix", sink, prefix);
    let lists = Requirement::of_members(&members, rule_values, sink);
    if !prefix.is_present() {
        return Some(lists);
    }
    let present = lists.present();
    if !present.is_empty() {
        for name in present {
            let problem = ShapeProblem::NotWith { member: "prefix" };
            sink.report(&node.at.member(name), problem);
        }
        return None;
    }
    let values = prefix.read().map(RuleValue::Prefix);
    Some(Requirement::of_list(List {
        complete: values.is_some(),
        items: values.into_iter().collect(),
    }))
}

/// Reads a list of values, or one value that stands for a list with it.
fn rule_values<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<List<RuleValue<'d>>> {
    match node.value() {
        Value::Object(_) => rule_value(node, sink).map(|value| List {
            items: vec![value],
            complete: true,
        }),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Duplicate => one_or_many(rule_value)(node, sink),
    }
}

fn rule_value<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<RuleValue<'d>> {
    match node.value() {
        Value::Object(_) => {
            const MEMBERS: &[&str] = &["prefix"];
            refuse_bare_braces(node, MEMBERS, sink)?;
            let members = object(node, MEMBERS, Wanted::RuleValue, sink)?;
            let write = "the beginning of a value, such as `{prefix: \"repo:org/\"}`";
            let prefix = members.required("prefix", write, sink, prefix);
            prefix.read().map(RuleValue::Prefix)
        }
        // A claim can have an empty text as its value.
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            any_text(node, sink).map(RuleValue::Text)
        }
        Value::Null | Value::List(_) | Value::Duplicate => node.is_not(Wanted::RuleValue, sink),
    }
}

/// Reads the beginning of a value.
pub(super) fn prefix<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Text<'d>> {
    let prefix = any_text(node, sink)?;
    if prefix.value.is_empty() {
        sink.report(&node.at, ValueProblem::EmptyPrefix);
        return None;
    }
    Some(prefix)
}

/// Refuses what YAML turns `{id}` without quotes into: an object whose only
/// member has no value.
fn refuse_bare_braces(node: &Node<'_>, known: &[&str], sink: &mut Sink) -> Option<()> {
    let Value::Object(object) = node.value() else {
        return Some(());
    };
    let mut members = object.iter();
    match (members.next(), members.next()) {
        (Some((name, Value::Null)), None) if !known.contains(&name) => {
            let found = Excerpt::of(&format!("{{{name}}}"));
            sink.report(&node.at, ValueProblem::UnquotedBraces(found));
            None
        }
        _ => Some(()),
    }
}

impl<T> Requirement<T> {
    fn of_list(list: List<T>) -> Self {
        Self {
            any_of: Field::Is(list),
            all_of: Field::Absent,
            none_of: Field::Absent,
        }
    }

    fn of_members<'d>(
        members: &Members<'d>,
        values: impl Fn(&Node<'d>, &mut Sink) -> Option<List<T>>,
        sink: &mut Sink,
    ) -> Self {
        Self {
            any_of: members.optional("any_of", sink, &values),
            all_of: members.optional("all_of", sink, &values),
            none_of: members.optional("none_of", sink, &values),
        }
    }

    /// The names of the lists that are present.
    fn present(&self) -> Vec<&'static str> {
        let lists = [&self.any_of, &self.all_of, &self.none_of];
        let named = LISTS.iter().zip(lists);
        named
            .filter_map(|(name, list)| list.is_present().then_some(*name))
            .collect()
    }
}
