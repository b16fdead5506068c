//! Compiles the written form to the [`Policy`]: it resolves names, interprets
//! texts and refuses contradictions.
//!
//! Every step continues after an error. The policy is returned only if nothing
//! was reported, so a step may use any placeholder for a value that it could not
//! read.
//!
//! The large steps here and in `written` are never inlined. Each has one caller, so
//! that the compiler would make one function of them all. A compiler such as V8's
//! takes disproportionately long for a large function: this one took a sixth of
//! the time in which V8 compiles the module.

mod authentication;
mod claims;
mod cors;
mod dpop;
mod header_name;
mod keys;
mod mcp;
mod metadata;
mod providers;
mod reserved;
mod resources;
mod revoked;
mod routes;
mod sources;
mod template;
mod token_from;
mod upstream;

use std::collections::BTreeMap;

use super::error::Sink;
use super::path::Path;
use super::problem::{HeaderProblem, RouteProblem, ShapeProblem};
use super::reader::{Field, List, Located, Text};
use super::written::{Document, Paths, Responses};
use crate::crypto::DEFAULT_TABLE_BUDGET;
use crate::http::{EncodedCharacter, EncodedSet, McpHeader, PathFlags, PathRules};
use crate::policy::{BodyStyle, Policy, Providers, Route};
use crate::rules::ClaimRule;
use crate::telemetry::FilterState;

/// How many verified tokens a worker caches by default.
const DEFAULT_MAX_TOKENS: usize = 20_000;

/// The default realm of challenges.
const DEFAULT_REALM: &str = "api";

/// Compiles a document.
#[inline(never)]
pub(super) fn compile(document: Document<'_>, sink: &mut Sink) -> Option<Policy> {
    let token_places = token_from::compile(document.token_from, sink);
    let upstream = upstream::compile(document.upstream, &token_places, sink);
    let providers = providers::compile(document.providers, &token_places, sink);
    let paths = paths(document.paths, sink);
    let proofs = providers.list.iter().any(|one| one.dpop.is_some());
    let cors = cors::top_level(document.cors, document.routes.as_ref(), proofs, sink);
    let mode = document.mode.read().unwrap_or_default();
    let known = routes::Known {
        mode,
        paths: &paths,
        providers: &providers,
        token_places: &token_places,
        cors: cors.as_ref(),
        proofs,
    };
    let routes = routes::compile(document.routes, &known, sink);
    let known = resources::Known {
        paths: &paths,
        providers: &providers,
        token_places: &token_places,
        routes: &routes,
    };
    let resources = resources::compile(document.resources, &known, sink);
    let responses = responses(document.responses, sink);
    let rules = providers
        .list
        .iter()
        .flat_map(|one| &one.expectations.claims);
    let rules = rules.chain(routes.list.iter().flat_map(|route| &route.rules.claims));
    let compared = rules.flat_map(ClaimRule::headers);
    let judged = compared.chain(token_places.fields());
    let upstream = upstream.with_judged(judged.chain(mcp_headers(&routes.list).iter().copied()));
    Some(Policy {
        mode,
        providers: Providers::new(providers.list),
        sources: providers.sources,
        token_places: token_places.into_policy(),
        upstream,
        paths,
        table: routes.table?,
        routes: routes.list,
        resources,
        scope_implies: claims::scope_implies(document.scope_implies, sink),
        cors,
        responses,
        filter_state: filter_state(document.filter_state, sink),
        max_tokens: document.max_tokens.read().unwrap_or(DEFAULT_MAX_TOKENS),
        table_budget: &DEFAULT_TABLE_BUDGET,
    })
}

/// The headers that conditions about MCP requests read.
fn mcp_headers(routes: &[Route]) -> &'static [&'static str] {
    const NAMES: &[&str] = &[
        McpHeader::Version.name(),
        McpHeader::Method.name(),
        McpHeader::Name.name(),
    ];
    if routes.iter().any(|route| route.mcp.is_some()) {
        NAMES
    } else {
        &[]
    }
}

#[inline(never)]
fn paths(written: Field<Paths<'_>>, sink: &mut Sink) -> PathRules {
    let readable = !matches!(written, Field::Unreadable);
    let Some(written) = written.read() else {
        // The accepted paths are unknown, so no pattern is reported.
        let flags = if readable {
            PathFlags::default()
        } else {
            everything_opened()
        };
        return PathRules::new(flags);
    };
    let flags = PathFlags {
        allow_encoded: encoded(written.allow_encoded, sink),
        allow_empty_segments: written.allow_empty_segments.read().unwrap_or(false),
        allow_semicolons: written.allow_semicolons.read().unwrap_or(false),
        ignore_case: written.ignore_case.read().unwrap_or(false),
    };
    let Some(base) = written.base.read() else {
        return PathRules::new(flags);
    };
    PathRules::with_base(flags, base.value).unwrap_or_else(|reason| {
        sink.report(&base.at, RouteProblem::Base(base.excerpt(), reason));
        PathRules::new(flags)
    })
}

fn everything_opened() -> PathFlags {
    PathFlags {
        allow_encoded: EncodedCharacter::ALL.into_iter().collect(),
        allow_empty_segments: true,
        allow_semicolons: true,
        ignore_case: false,
    }
}

fn encoded(written: Field<List<Text<'_>>>, sink: &mut Sink) -> EncodedSet {
    let written = match written {
        Field::Absent => return EncodedSet::default(),
        Field::Unreadable => return everything_opened().allow_encoded,
        Field::Is(written) => written,
    };
    let mut seen = Seen::default();
    let mut set = EncodedSet::default();
    for text in &written.items {
        let is_written = |character: &EncodedCharacter| {
            let mut buffer = [0; 4];
            *character.plain().encode_utf8(&mut buffer) == *text.value
        };
        seen.check(&text.at, text.value, sink);
        if let Some(character) = EncodedCharacter::ALL.into_iter().find(is_written) {
            set = set.with(character);
        } else {
            sink.report(&text.at, RouteProblem::Encoded(text.excerpt()));
            set = everything_opened().allow_encoded;
        }
    }
    if !written.complete {
        return everything_opened().allow_encoded;
    }
    set
}

#[inline(never)]
fn responses(written: Field<Responses<'_>>, sink: &mut Sink) -> crate::policy::Responses {
    let written = written.read();
    let (realm, body) = match written {
        Some(written) => (written.realm.read(), written.body.read()),
        None => (None, None),
    };
    if let Some(realm) = &realm {
        let unsafe_one = realm
            .value
            .chars()
            .find(|character| !is_quotable(*character));
        if let Some(character) = unsafe_one {
            sink.report(&realm.at, HeaderProblem::Realm(realm.excerpt(), character));
        }
    }
    crate::policy::Responses {
        realm: realm.map_or(DEFAULT_REALM, |realm| realm.value).into(),
        body: body.unwrap_or(BodyStyle::Aws),
    }
}

fn filter_state(
    written: Field<List<Located<'_, FilterState>>>,
    sink: &mut Sink,
) -> Vec<FilterState> {
    let mut seen = Seen::default();
    let mut entries = written.read().map(|list| list.items).unwrap_or_default();
    entries.retain(|entry| seen.check(&entry.at, entry.value, sink));
    entries.into_iter().map(|entry| entry.value).collect()
}

/// Whether a character may stand inside a quoted string of a challenge without
/// an escape, since RFC 6750 section 3 allows no escapes.
const fn is_quotable(character: char) -> bool {
    matches!(character, ' '..='~') && character != '"' && character != '\\'
}

/// The elements of a list so far, to find duplicates.
struct Seen<'d, K>(BTreeMap<K, Path<'d>>);

impl<K> Default for Seen<'_, K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'d, K: Ord> Seen<'d, K> {
    /// Records an element, and reports it if it is a duplicate.
    fn check(&mut self, at: &Path<'d>, key: K, sink: &mut Sink) -> bool {
        if let Some(first) = self.0.get(&key) {
            let first = first.to_owned();
            sink.report(at, ShapeProblem::Repeated { first });
            return false;
        }
        self.0.insert(key, at.clone());
        true
    }
}

/// Reports duplicate elements of a list.
fn check_distinct(list: &List<Text<'_>>, sink: &mut Sink) {
    if list.items.len() < 2 {
        return;
    }
    let mut seen = Seen::default();
    for text in &list.items {
        seen.check(&text.at, text.value, sink);
    }
}

/// The texts of a list without duplicates, which are reported.
fn distinct_texts(list: &List<Text<'_>>, sink: &mut Sink) -> Vec<Box<str>> {
    check_distinct(list, sink);
    list.items.iter().map(|text| text.value.into()).collect()
}
