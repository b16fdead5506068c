//! Trusted issuers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::claims::{Comparable, Variables, claim_rules};
use super::keys::{self, Owner};
use super::sources::Sources;
use super::token_from::TokenPlaces;
use super::{Seen, distinct_texts, dpop, revoked};
use crate::config::error::Sink;
use crate::config::problem::{Excerpt, ProviderProblem, RouteProblem};
use crate::config::reader::{Field, List, Text};
use crate::config::suggest::nearest;
use crate::config::written::{self, Audiences};
use crate::crypto::{Algorithm, AlgorithmSet};
use crate::jwt::{self, DEFAULT_SCOPE_CLAIMS, Expectations, TokenType};
use crate::policy::{DocumentSource, Provider, ProviderId};
use crate::rules::ClaimName;

const DEFAULT_CLOCK_SKEW: Duration = Duration::from_mins(1);

/// The longest name of a provider. Metrics contain the name.
const MAX_NAME: usize = 64;

/// The providers, and what routes need to know about them.
pub(super) struct Compiled<'d> {
    pub(super) list: Vec<Provider>,
    pub(super) sources: Vec<DocumentSource>,
    pub(super) names: BTreeMap<&'d str, ProviderId>,
    /// Whether `providers` is present.
    pub(super) are_present: bool,
    /// Whether every name could be read, so that any other name is unknown.
    pub(super) all_named: bool,
}

/// Compiles `providers`.
#[inline(never)]
pub(super) fn compile<'d>(
    written: Field<List<written::Provider<'d>>>,
    token_places: &TokenPlaces,
    sink: &mut Sink,
) -> Compiled<'d> {
    let mut compiled = Compiled {
        list: Vec::new(),
        sources: Vec::new(),
        names: BTreeMap::new(),
        are_present: written.is_present(),
        all_named: !matches!(written, Field::Unreadable),
    };
    let Some(written) = written.read() else {
        return compiled;
    };
    compiled.all_named = written.complete;
    let mut names = Seen::default();
    let mut sources = Sources::default();
    for (index, provider) in written.items.into_iter().enumerate() {
        match &provider.name {
            Field::Is(name) => {
                check_name(name, sink);
                if names.check(&name.at, name.value, sink) {
                    compiled.names.insert(name.value, ProviderId::new(index));
                }
            }
            Field::Absent | Field::Unreadable => compiled.all_named = false,
        }
        compiled
            .list
            .extend(compile_one(provider, token_places, &mut sources, sink));
    }
    dpop::keep_for_all(&mut compiled.list);
    compiled.sources = sources.into_policy();
    compiled
}

fn check_name(name: &Text<'_>, sink: &mut Sink) {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if name.value.len() > MAX_NAME || !name.value.bytes().all(allowed) {
        sink.report(&name.at, ProviderProblem::Name(name.excerpt()));
    }
}

#[inline(never)]
fn compile_one<'d>(
    written: written::Provider<'d>,
    token_places: &TokenPlaces,
    sources: &mut Sources<'d>,
    sink: &mut Sink,
) -> Option<Provider> {
    let algorithms = algorithms(written.algorithms, sink);
    let audiences = written
        .audiences
        .read()
        .map(|written| audiences(&written, sink));
    let claims = written.claims.read().unwrap_or_default();
    let comparable = Comparable {
        variables: Variables::None,
        token_places,
    };
    let claims = claim_rules(&claims, &comparable, sink);
    let token_types = token_types(written.token_types, sink);
    let scope_claims = scope_claims(written.scope_claims, sink);
    let dpop = written.dpop.read().map(|dpop| dpop::compile(dpop, sink));
    let name = written.name.read().map_or("", |name| name.value);
    let issuer = written.issuer.read();
    let owner = Owner {
        name,
        issuer: issuer.as_ref(),
        algorithms,
    };
    let keys = written
        .jwks
        .read()
        .and_then(|jwks| keys::compile(jwks, &owner, sources, sink));
    let revoked = match written.revoked {
        Field::Absent => None,
        Field::Unreadable => return None,
        Field::Is(written) => Some(revoked::compile(written, name, sources, sink)?),
    };
    Some(Provider {
        name: Arc::from(name),
        keys: keys?,
        revoked,
        algorithms: algorithms?,
        expectations: Expectations {
            issuer: issuer?.value.into(),
            audiences: audiences?,
            token_types,
            token_use: written.token_use.read(),
            claims,
            binding: written.binding.read().unwrap_or_default(),
            clock_skew: written.clock_skew.read().unwrap_or(DEFAULT_CLOCK_SKEW),
            max_lifetime: written.max_lifetime.read(),
        },
        scope_claims,
        dpop,
    })
}

fn audiences(written: &Audiences<'_>, sink: &mut Sink) -> jwt::Audiences {
    match written {
        Audiences::Any => jwt::Audiences::Any,
        Audiences::AnyOf(list) => jwt::Audiences::AnyOf(distinct_texts(list, sink)),
    }
}

/// Absent if some element could not be read, so that no key is reported because
/// of it.
fn algorithms(written: Field<List<Text<'_>>>, sink: &mut Sink) -> Option<AlgorithmSet> {
    match written {
        Field::Absent => Some(AlgorithmSet::asymmetric()),
        Field::Unreadable => None,
        Field::Is(list) => listed_algorithms(&list, |_| None, sink),
    }
}

/// The algorithms of a list. `refuse` makes the problem of one that is not allowed there.
/// Absent if some element could not be read or is refused.
pub(super) fn listed_algorithms(
    list: &List<Text<'_>>,
    refuse: impl Fn(Algorithm) -> Option<ProviderProblem>,
    sink: &mut Sink,
) -> Option<AlgorithmSet> {
    let mut seen = Seen::default();
    let mut set = AlgorithmSet::EMPTY;
    let mut known = list.complete;
    for name in &list.items {
        if let Some(algorithm) = Algorithm::parse(name.value) {
            // `ES256` and `ESP256` are the same algorithm.
            if let Some(problem) = refuse(algorithm) {
                known = false;
                sink.report(&name.at, problem);
            } else {
                seen.check(&name.at, algorithm, sink);
                set.insert(algorithm);
            }
            continue;
        }
        known = false;
        let problem = if name.value.eq_ignore_ascii_case("none") {
            ProviderProblem::AlgorithmNone
        } else {
            ProviderProblem::Algorithm(name.excerpt())
        };
        sink.report(&name.at, problem);
    }
    known.then_some(set)
}

fn token_types(written: Field<List<Text<'_>>>, sink: &mut Sink) -> Vec<Option<TokenType>> {
    let Some(list) = written.read() else {
        return Expectations::default_token_types();
    };
    let mut seen = Seen::default();
    let mut types = Vec::with_capacity(list.items.len());
    for text in &list.items {
        let typ = Some(TokenType::new(text.value)).filter(|typ| typ.as_str() != "none");
        if seen.check(&text.at, typ.clone(), sink) {
            types.push(typ);
        }
    }
    types
}

fn scope_claims(written: Field<List<Text<'_>>>, sink: &mut Sink) -> Vec<ClaimName> {
    match written.read() {
        Some(list) => distinct_texts(&list, sink)
            .into_iter()
            .map(ClaimName::new)
            .collect(),
        None => DEFAULT_SCOPE_CLAIMS
            .into_iter()
            .map(ClaimName::new)
            .collect(),
    }
}

impl Compiled<'_> {
    /// The provider of this name. An unknown name is reported.
    pub(super) fn find(&self, name: &Text<'_>, sink: &mut Sink) -> Option<ProviderId> {
        let found = self.names.get(name.value).copied();
        if found.is_none() && self.all_named {
            let near = |name: &str| nearest(name, self.names.keys()).map(Excerpt::of);
            let nearest = (!sink.is_crowded()).then(|| near(name.value)).flatten();
            let problem = RouteProblem::NoSuchProvider {
                name: name.excerpt(),
                nearest,
            };
            sink.report(&name.at, problem);
        }
        found
    }
}
