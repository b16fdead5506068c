//! `providers`, as written.

use std::time::Duration;

use super::route::{ClaimRules, claim_rules, token_use};
use crate::config::error::{Fetching, Sink};
use crate::config::path::Path;
use crate::config::problem::{ProviderProblem, Wanted};
use crate::config::reader::{
    Field, List, Located, Members, Node, Text, any_text, choice, duration, map, object, text, texts,
};
use crate::config::value::Value;
use crate::jwt::{Binding, TokenUse};

/// One provider.
pub(in crate::config) struct Provider<'d> {
    pub(in crate::config) name: Field<Text<'d>>,
    pub(in crate::config) issuer: Field<Text<'d>>,
    pub(in crate::config) audiences: Field<Audiences<'d>>,
    pub(in crate::config) jwks: Field<Jwks<'d>>,
    pub(in crate::config) algorithms: Field<List<Text<'d>>>,
    pub(in crate::config) token_types: Field<List<Text<'d>>>,
    pub(in crate::config) token_use: Field<TokenUse>,
    pub(in crate::config) claims: Field<ClaimRules<'d>>,
    pub(in crate::config) scope_claims: Field<List<Text<'d>>>,
    pub(in crate::config) binding: Field<Binding>,
    pub(in crate::config) dpop: Field<Dpop<'d>>,
    pub(in crate::config) revoked: Field<Revoked<'d>>,
    pub(in crate::config) clock_skew: Field<Duration>,
    pub(in crate::config) max_lifetime: Field<Duration>,
}

/// `audiences`
pub(in crate::config) enum Audiences<'d> {
    /// `any`
    Any,
    /// A list.
    AnyOf(List<Text<'d>>),
}

/// `dpop`
pub(in crate::config) struct Dpop<'d> {
    pub(in crate::config) origins: Field<List<Text<'d>>>,
    pub(in crate::config) algorithms: Field<List<Text<'d>>>,
    pub(in crate::config) max_age: Field<Duration>,
    pub(in crate::config) nonce: Field<Duration>,
}

/// `jwks`
pub(in crate::config) struct Jwks<'d> {
    /// Exactly one of `cluster` and `inline` is present, or at most one if the host fetches
    /// directly.
    pub(in crate::config) cluster: Field<Text<'d>>,
    pub(in crate::config) inline: Field<InlineKeys<'d>>,
    pub(in crate::config) uri: Field<Text<'d>>,
    pub(in crate::config) hosts: Field<Vec<(Text<'d>, Text<'d>)>>,
    pub(in crate::config) times: Times<'d>,
}

/// `revoked`
pub(in crate::config) struct Revoked<'d> {
    pub(in crate::config) cluster: Field<Text<'d>>,
    pub(in crate::config) uri: Field<Text<'d>>,
    pub(in crate::config) times: Times<'d>,
}

/// The time settings for fetching a document.
pub(in crate::config) struct Times<'d> {
    /// The object that has them.
    pub(in crate::config) at: Path<'d>,
    pub(in crate::config) timeout: Field<Duration>,
    pub(in crate::config) refresh: Field<Duration>,
    pub(in crate::config) max_stale: Field<Duration>,
}

/// `inline`
pub(in crate::config) enum InlineKeys<'d> {
    /// The key set's text.
    Text(Text<'d>),
    /// The key set itself.
    Tree(Located<'d, &'d Value<'d>>),
}

const MEMBERS: &[&str] = &[
    "name",
    "issuer",
    "audiences",
    "jwks",
    "algorithms",
    "token_types",
    "token_use",
    "claims",
    "scope_claims",
    "clock_skew",
    "max_lifetime",
    "binding",
    "dpop",
    "revoked",
];

const BINDING: &[(&str, Binding)] = &[
    ("any", Binding::Any),
    ("required", Binding::Required),
    ("ignore", Binding::Ignore),
];

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Reads one provider.
#[inline(never)]
pub(super) fn read<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Provider<'d>> {
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    Some(Provider {
        name: members.required("name", "a name of a–z, 0–9, `_` and `-`", sink, text),
        issuer: members.required("issuer", "the `iss` of its tokens, exactly", sink, text),
        audiences: members.required(
            "audiences",
            "the accepted audiences, or `audiences: any` to disable the check",
            sink,
            audiences,
        ),
        jwks: members.required("jwks", "`{cluster: …}` or `{inline: …}`", sink, jwks),
        algorithms: members.optional("algorithms", sink, texts),
        token_types: members.optional("token_types", sink, texts),
        token_use: members.optional("token_use", sink, token_use),
        claims: members.optional("claims", sink, claim_rules),
        scope_claims: members.optional("scope_claims", sink, texts),
        binding: members.optional("binding", sink, choice(BINDING)),
        dpop: members.optional("dpop", sink, dpop),
        revoked: members.optional("revoked", sink, revoked),
        clock_skew: members.optional("clock_skew", sink, duration(Duration::ZERO, DAY)),
        max_lifetime: members.optional(
            "max_lifetime",
            sink,
            duration(Duration::from_secs(1), YEAR),
        ),
    })
}

fn audiences<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Audiences<'d>> {
    match node.value() {
        Value::Text(word) if word == "any" => Some(Audiences::Any),
        Value::Text(_) | Value::List(_) => texts(node, sink).map(Audiences::AnyOf),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Duplicate => {
            node.is_not(Wanted::ListOrAny, sink)
        }
    }
}

#[inline(never)]
fn dpop<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Dpop<'d>> {
    const MEMBERS: &[&str] = &["origins", "algorithms", "max_age", "nonce"];
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    Some(Dpop {
        origins: members.required(
            "origins",
            "the origins of the API as clients write them, such as `https://api.example.com`",
            sink,
            texts,
        ),
        algorithms: members.optional("algorithms", sink, texts),
        max_age: members.optional("max_age", sink, duration(Duration::from_secs(1), HOUR)),
        nonce: members.optional("nonce", sink, duration(Duration::from_secs(1), HOUR)),
    })
}

#[inline(never)]
fn jwks<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Jwks<'d>> {
    const MEMBERS: &[&str] = &[
        "cluster",
        "uri",
        "hosts",
        "timeout",
        "refresh",
        "max_stale",
        "inline",
    ];
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    let is_good = match (members.has("cluster"), members.has("inline")) {
        (false, false) if sink.fetching() == Fetching::Direct => true,
        (false, false) => {
            sink.report(&members.at, ProviderProblem::NoCluster);
            false
        }
        _ => members.exactly_one(&["cluster", "inline"], sink).is_some(),
    };
    let jwks = Jwks {
        cluster: members.optional("cluster", sink, text),
        inline: members.optional("inline", sink, inline_keys),
        uri: members.optional("uri", sink, text),
        hosts: members.optional("hosts", sink, map(text)),
        times: times(&members, sink),
    };
    is_good.then_some(jwks)
}

fn revoked<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Revoked<'d>> {
    const MEMBERS: &[&str] = &["cluster", "uri", "timeout", "refresh", "max_stale"];
    let members = object(node, MEMBERS, Wanted::Object, sink)?;
    let cluster = if sink.fetching() == Fetching::Direct {
        members.optional("cluster", sink, text)
    } else {
        let write = "the Envoy cluster that reaches the server of the list";
        members.required("cluster", write, sink, text)
    };
    Some(Revoked {
        cluster,
        uri: members.required("uri", "the URL of the list", sink, text),
        times: times(&members, sink),
    })
}

fn times<'d>(members: &Members<'d>, sink: &mut Sink) -> Times<'d> {
    Times {
        at: members.at.clone(),
        timeout: members.optional("timeout", sink, duration(Duration::from_millis(1), HOUR)),
        refresh: members.optional("refresh", sink, duration(Duration::from_secs(1), YEAR)),
        max_stale: members.optional("max_stale", sink, duration(Duration::from_secs(1), YEAR)),
    }
}

fn inline_keys<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<InlineKeys<'d>> {
    match node.value() {
        Value::Text(_) => any_text(node, sink).map(InlineKeys::Text),
        Value::Object(_) => Some(InlineKeys::Tree(Located {
            at: node.at.clone(),
            value: node.value(),
        })),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Duplicate => {
            node.is_not(Wanted::KeySet, sink)
        }
    }
}
