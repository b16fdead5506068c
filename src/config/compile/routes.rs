//! Routes and the route table.

use super::claims::{Comparable, Variables, claim_rules, scopes};
use super::mcp::Requests;
use super::providers::Compiled as Providers;
use super::token_from::TokenPlaces;
use super::{Seen, authentication, cors, distinct_texts, mcp};
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::RouteProblem;
use crate::config::reader::{Field, List, Text};
use crate::config::written;
use crate::cors::CorsPolicy;
use crate::http::{HostPattern, PathRules, RoutePattern};
use crate::policy::routes::{
    BadTable, Clash, ClashKind, EntryRest, McpCondition, PatternPosition, RouteTraits, TableBuilder,
};
use crate::policy::{Access, Mode, ProviderId, Route, RouteId, RouteTable};
use crate::rules::RouteRules;

/// The routes and their table.
pub(super) struct Compiled {
    pub(super) list: Vec<Route>,
    /// Absent if two routes clash.
    pub(super) table: Option<RouteTable>,
}

/// A pattern that was read, and its position.
struct Pattern<'d> {
    at: Path<'d>,
    pattern: RoutePattern,
}

/// What routes depend on. It is compiled earlier.
pub(super) struct Known<'k, 'd> {
    pub(super) mode: Mode,
    pub(super) paths: &'k PathRules,
    pub(super) providers: &'k Providers<'d>,
    pub(super) token_places: &'k TokenPlaces,
    pub(super) cors: Option<&'k CorsPolicy>,
    /// Whether some provider accepts proofs of possession.
    pub(super) proofs: bool,
}

/// Compiles `routes`.
#[inline(never)]
pub(super) fn compile(
    written: Field<List<written::Route<'_>>>,
    known: &Known<'_, '_>,
    sink: &mut Sink,
) -> Compiled {
    let written = written.read().map(|list| list.items).unwrap_or_default();
    check_providers(&written, known.providers, sink);
    let mut list = Vec::with_capacity(written.len());
    let mut builder = TableBuilder::default();
    for (number, route) in written.iter().enumerate() {
        let patterns = patterns(route, known.paths, sink);
        let hosts = hosts(&route.hosts, sink);
        let requests = mcp::compile(&route.mcp, sink);
        let mcp = requests.condition();
        let compiled = compile_one(route, &patterns, mcp, known, sink);
        let are_known = !matches!(requests, Requests::Unknown) && patterns.can_be_mcp;
        // If a route's hosts or its requests could not be read, its clashes are unknown
        // and not reported.
        if let Some(hosts) = hosts.filter(|_| are_known) {
            let rest = EntryRest {
                hosts: builder.hosts(&hosts),
                mcp: mcp.map(|condition| builder.mcp(condition)),
                traits: traits(&compiled),
            };
            for (at, read) in patterns.read.iter().enumerate() {
                let route = RouteId(number);
                let place = PatternPosition { route, pattern: at };
                builder.add(place, &read.pattern, rest);
            }
        }
        list.push(compiled);
    }
    let table = table(builder, &written, &list, sink);
    Compiled { list, table }
}

fn check_providers(routes: &[written::Route<'_>], providers: &Providers<'_>, sink: &mut Sink) {
    let looks_at_tokens = |route: &&written::Route<'_>| match route.access {
        Field::Absent | Field::Is(Access::Required | Access::Optional) => true,
        Field::Is(Access::Public | Access::Denied) | Field::Unreadable => false,
    };
    if let Some(route) = routes.iter().find(looks_at_tokens)
        && !providers.are_present
    {
        let route = route.at.to_owned();
        sink.report(
            &Path::root().member("providers"),
            RouteProblem::NoProviders { route },
        );
    }
}

/// The patterns of one route.
struct Patterns<'d> {
    read: Vec<Pattern<'d>>,
    /// Whether all patterns could be read.
    complete: bool,
    /// Whether no pattern contradicts the route's `mcp`, if it has one.
    can_be_mcp: bool,
    /// The first, as written.
    name: &'d str,
}

fn patterns<'d>(route: &written::Route<'d>, paths: &PathRules, sink: &mut Sink) -> Patterns<'d> {
    let Field::Is(list) = &route.patterns else {
        return Patterns {
            read: Vec::new(),
            complete: false,
            can_be_mcp: true,
            name: "",
        };
    };
    let mut read = Vec::with_capacity(list.items.len());
    let mut only_post = true;
    for text in &list.items {
        match RoutePattern::parse(text.value, paths) {
            Ok(pattern) => {
                if route.mcp.is_present() {
                    only_post &= mcp::check_pattern(text, &pattern, sink);
                }
                read.push(Pattern {
                    at: text.at.clone(),
                    pattern,
                });
            }
            Err(reason) => sink.report(&text.at, RouteProblem::Pattern(text.excerpt(), reason)),
        }
    }
    Patterns {
        complete: list.complete && read.len() == list.items.len(),
        can_be_mcp: only_post,
        name: list.items.first().map_or("", |text| text.value),
        read,
    }
}

/// The hosts of a route; empty means every host. Absent if they could not be
/// read.
fn hosts(written: &Field<List<Text<'_>>>, sink: &mut Sink) -> Option<Vec<HostPattern>> {
    let list = match written {
        Field::Absent => return Some(Vec::new()),
        Field::Unreadable => return None,
        Field::Is(list) => list,
    };
    let mut seen = Seen::default();
    let mut hosts = Vec::with_capacity(list.items.len());
    for text in &list.items {
        match HostPattern::parse(text.value) {
            Ok(host) => {
                if seen.check(&text.at, host.clone(), sink) {
                    hosts.push(host);
                }
            }
            Err(reason) => sink.report(&text.at, RouteProblem::Host(text.excerpt(), reason)),
        }
    }
    (list.complete && hosts.len() == list.items.len()).then_some(hosts)
}

#[inline(never)]
fn compile_one(
    written: &written::Route<'_>,
    patterns: &Patterns<'_>,
    mcp: Option<&McpCondition>,
    known: &Known<'_, '_>,
    sink: &mut Sink,
) -> Route {
    check_access(written, sink);
    let names: Vec<(Path<'_>, Vec<&str>)> = match &written.claims {
        Field::Is(_) => patterns
            .read
            .iter()
            .map(|pattern| (pattern.at.clone(), pattern.pattern.variables().collect()))
            .collect(),
        Field::Absent | Field::Unreadable => Vec::new(),
    };
    let variables = if patterns.complete {
        Variables::OfPatterns(&names)
    } else {
        Variables::Unknown
    };
    let comparable = Comparable {
        variables,
        token_places: known.token_places,
    };
    let claims = written.claims.as_ref().read();
    let scopes_wanted = written.scopes.as_ref().read();
    Route {
        name: patterns.name.into(),
        mcp: mcp.cloned().map(Box::new),
        mode: written.mode.as_ref().read().copied().unwrap_or(known.mode),
        access: written.access.as_ref().read().copied().unwrap_or_default(),
        providers: allowed_providers(&written.providers, known.providers, sink),
        token_use: written.token_use.as_ref().read().copied(),
        rules: RouteRules {
            authentication: written
                .authentication
                .as_ref()
                .read()
                .map(|written| Box::new(authentication::compile(written, sink))),
            scopes: scopes_wanted
                .map(|wanted| scopes(wanted, sink))
                .unwrap_or_default(),
            claims: claims
                .map(|rules| claim_rules(rules, &comparable, sink))
                .unwrap_or_default(),
        },
        cors: cors::of_route(written, known.cors, known.proofs, sink),
    }
}

/// What counts of a route if the MCP headers of a request cannot decide between it and
/// others.
fn traits(route: &Route) -> RouteTraits {
    RouteTraits {
        admits_anonymous: matches!(route.access, Access::Public | Access::Optional),
        is_enforced: route.is_enforced(),
    }
}

/// Refuses rules that would never be evaluated: their author believes that the
/// route is protected.
fn check_access(written: &written::Route<'_>, sink: &mut Sink) {
    let (access, judges_providers) = match written.access {
        Field::Is(Access::Public) => (Access::Public, false),
        Field::Is(Access::Denied) => (Access::Denied, false),
        Field::Is(Access::Optional) => (Access::Optional, true),
        Field::Is(Access::Required) | Field::Absent | Field::Unreadable => return,
    };
    for (name, has_no_place) in [
        ("scopes", written.scopes.is_present()),
        ("claims", written.claims.is_present()),
        ("token_use", written.token_use.is_present()),
        ("authentication", written.authentication.is_present()),
        (
            "providers",
            written.providers.is_present() && !judges_providers,
        ),
    ] {
        if has_no_place {
            sink.report(
                &written.at.member(name),
                RouteProblem::NoTokenNeeded(access),
            );
        }
    }
}

fn allowed_providers(
    written: &Field<List<Text<'_>>>,
    providers: &Providers<'_>,
    sink: &mut Sink,
) -> Option<Vec<ProviderId>> {
    let Field::Is(list) = written else {
        return None;
    };
    distinct_texts(list, sink);
    Some(
        list.items
            .iter()
            .filter_map(|name| providers.find(name, sink))
            .collect(),
    )
}

#[inline(never)]
fn table(
    builder: TableBuilder,
    written: &[written::Route<'_>],
    compiled: &[Route],
    sink: &mut Sink,
) -> Option<RouteTable> {
    let cors = |route: RouteId| {
        let is_known = |route: &&written::Route<'_>| !matches!(route.cors, Field::Unreadable);
        written.get(route.0).filter(is_known)?;
        Some(compiled.get(route.0)?.cors.as_ref())
    };
    let same_cors = |one, other| match (cors(one), cors(other)) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    };
    let clashes = match builder.build(&same_cors) {
        Ok(table) => return Some(table),
        Err(BadTable::TooManySegments) => {
            sink.report(
                &Path::root().member("routes"),
                RouteProblem::TooManySegments,
            );
            return None;
        }
        Err(BadTable::Clashes(clashes)) => clashes,
    };
    let at = |place: PatternPosition| {
        let patterns = written.get(place.route.0)?.patterns.as_ref().read()?;
        Some(&patterns.items.get(place.pattern)?.at)
    };
    for Clash {
        first,
        second,
        host,
        kind,
    } in clashes
    {
        if let (Some(first), Some(second)) = (at(first), at(second)) {
            let with = first.to_owned();
            let problem = match kind {
                ClashKind::Alike => RouteProblem::Clash { with, host },
                ClashKind::Cors => RouteProblem::OtherCors { with },
            };
            sink.report(second, problem);
        }
    }
    None
}
