//! The metadata document of a protected resource (RFC 9728 section 2).

use std::collections::BTreeMap;

use super::resources::Known;
use crate::crypto::{Algorithm, AlgorithmSet};
use crate::http::{Host, NormalPath};
use crate::json::push_string;
use crate::jwt::Binding;
use crate::policy::{Access, Provider, ProviderId, ResourceLocation, Route, TokenPlace};

/// Writes the documents of resources.
pub(super) struct Metadata<'k, 'd> {
    known: &'k Known<'k, 'd>,
    scopes: ScopesOfRoutes<'k>,
}

/// What a document describes.
pub(super) struct Described<'r> {
    pub(super) location: &'r ResourceLocation<'r>,
    /// The path of the resource, as requests are matched with routes.
    pub(super) path: &'r NormalPath<'r>,
    /// Absent: those that the routes under the path accept.
    pub(super) providers: Option<&'r [ProviderId]>,
    /// Absent: those that the routes under the path name.
    pub(super) scopes: Option<&'r [Box<str>]>,
    pub(super) advertised: &'r BTreeMap<Box<str>, Box<str>>,
    pub(super) name: Option<&'r str>,
    pub(super) documentation: Option<&'r str>,
}

/// The scopes that routes require, each once, and those of each route by number. A
/// thousand resources may each have 50,000 routes, so nothing is compared as text again.
struct ScopesOfRoutes<'k> {
    /// In order.
    names: Vec<&'k str>,
    /// The scopes of all routes, one route after the other.
    numbers: Vec<usize>,
    /// The end of each route's part of `numbers`.
    ends: Vec<usize>,
}

impl<'k, 'd> Metadata<'k, 'd> {
    pub(super) fn new(known: &'k Known<'k, 'd>) -> Self {
        let scopes = ScopesOfRoutes::of(&known.routes.list);
        Self { known, scopes }
    }

    /// The document of a resource, as JSON. Lists that are written keep their order; the
    /// others have the order of `providers`, and that of their text.
    pub(super) fn document(&self, described: &Described<'_>) -> String {
        let found = self.under(described.location.host(), described.path);
        let providers: Vec<&Provider> = match described.providers {
            Some(ids) => ids.iter().filter_map(|id| self.provider(*id)).collect(),
            None => found.providers,
        };
        let scopes = match described.scopes {
            Some(scopes) => scopes.iter().map(|scope| &**scope).collect(),
            None => found.scopes,
        };
        let advertised = |scope| match described.advertised.get(scope) {
            Some(written) => &**written,
            None => scope,
        };
        let mut scopes: Vec<&str> = scopes.into_iter().map(advertised).collect();
        if described.scopes.is_none() {
            crate::order::sort(&mut scopes, Ord::cmp);
        }
        let mut document = Object::new();
        document.text("resource", described.location.identifier());
        let issuers = providers.iter().map(|one| &*one.expectations.issuer);
        document.list("authorization_servers", issuers);
        document.list("scopes_supported", scopes);
        document.list("bearer_methods_supported", self.bearer_methods());
        if let Some(name) = described.name {
            document.text("resource_name", name);
        }
        if let Some(url) = described.documentation {
            document.text("resource_documentation", url);
        }
        document.sender_constraints(&providers);
        document.end()
    }

    fn provider(&self, id: ProviderId) -> Option<&'k Provider> {
        self.known.providers.list.get(id.index())
    }

    /// What the routes under a path accept at a host.
    fn under(&self, host: &Host<'_>, path: &NormalPath<'_>) -> Found<'k> {
        let Known {
            paths,
            providers,
            routes,
            ..
        } = *self.known;
        let mut named = vec![false; self.scopes.names.len()];
        let mut accepted = vec![false; providers.list.len()];
        let segments = match path.segments() {
            // Every path below the base is under a path above it.
            None if path.is_above_base(paths) => Some(&[][..]),
            segments => segments,
        };
        if let (Some(table), Some(segments)) = (&routes.table, segments) {
            table.each_under(host, segments, |id| {
                let Some(route) = routes.list.get(id.0) else {
                    return;
                };
                for number in self.scopes.of_route(id.0) {
                    mark(&mut named, *number);
                }
                accept(route, &mut accepted);
            });
        }
        Found {
            providers: marked(&providers.list, &accepted).collect(),
            scopes: marked(&self.scopes.names, &named).copied().collect(),
        }
    }

    /// The methods of RFC 6750 section 2 by which a token can be sent.
    fn bearer_methods(&self) -> impl Iterator<Item = &'static str> {
        let methods = self.known.token_places.iter().map(|place| match place {
            TokenPlace::Header { name, .. } if **name == *"authorization" => Some("header"),
            TokenPlace::Query(name) if **name == *"access_token" => Some("query"),
            TokenPlace::Header { .. } | TokenPlace::Query(_) | TokenPlace::Cookie(_) => None,
        });
        methods.flatten()
    }
}

/// What some routes accept, each once.
struct Found<'k> {
    providers: Vec<&'k Provider>,
    scopes: Vec<&'k str>,
}

/// Marks the providers that a route accepts.
fn accept(route: &Route, accepted: &mut [bool]) {
    match (route.access, &route.providers) {
        (Access::Public | Access::Denied, _) => {}
        (Access::Required | Access::Optional, None) => accepted.fill(true),
        (Access::Required | Access::Optional, Some(ids)) => {
            for id in ids {
                mark(accepted, id.index());
            }
        }
    }
}

fn mark(marks: &mut [bool], index: usize) {
    if let Some(mark) = marks.get_mut(index) {
        *mark = true;
    }
}

fn marked<'a, T>(list: &'a [T], marks: &[bool]) -> impl Iterator<Item = &'a T> {
    let both = list.iter().zip(marks);
    both.filter_map(|(one, is_marked)| is_marked.then_some(one))
}

impl<'k> ScopesOfRoutes<'k> {
    fn of(routes: &'k [Route]) -> Self {
        let scopes = |route: &'k Route| {
            let scopes = &route.rules.scopes;
            scopes.any_of.iter().chain(&scopes.all_of)
        };
        let mut names: Vec<&str> = routes.iter().flat_map(scopes).map(|name| &**name).collect();
        crate::order::sort(&mut names, Ord::cmp);
        names.dedup();
        let (mut numbers, mut ends) = (Vec::new(), Vec::with_capacity(routes.len()));
        for route in routes {
            let scopes = scopes(route).map(|name| &**name);
            numbers.extend(scopes.filter_map(|name| names.binary_search(&name).ok()));
            ends.push(numbers.len());
        }
        Self {
            names,
            numbers,
            ends,
        }
    }

    fn of_route(&self, route: usize) -> &[usize] {
        let start = route
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied());
        let range = start.zip(self.ends.get(route).copied());
        range
            .and_then(|(start, end)| self.numbers.get(start..end))
            .unwrap_or_default()
    }
}

/// A JSON object that is being written.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, name);
        self.0.push(':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        push_string(&mut self.0, text);
    }

    /// Writes a list with each text once. An empty list is left out (RFC 9728 section
    /// 3.2).
    fn list<'t>(&mut self, name: &str, texts: impl IntoIterator<Item = &'t str>) {
        let mut seen = std::collections::BTreeSet::new();
        for text in texts {
            if !seen.insert(text) {
                continue;
            }
            if seen.len() == 1 {
                self.name(name);
                self.0.push('[');
            } else {
                self.0.push(',');
            }
            push_string(&mut self.0, text);
        }
        if !seen.is_empty() {
            self.0.push(']');
        }
    }

    /// Writes how tokens are bound to their holders (RFC 9449 section 5.1, RFC 8705 section
    /// 3.3).
    fn sender_constraints(&mut self, providers: &[&Provider]) {
        let rules = providers.iter().filter_map(|one| one.dpop.as_ref());
        let algorithms: AlgorithmSet = rules.flat_map(|rules| rules.algorithms.iter()).collect();
        let names = algorithms.iter().map(Algorithm::name);
        self.list("dpop_signing_alg_values_supported", names);
        let binding = |one: &Provider| one.expectations.binding;
        let needs_proof = |one: &Provider| one.dpop.is_some() && binding(one) == Binding::Required;
        if !providers.is_empty() && providers.iter().all(|one| needs_proof(one)) {
            self.yes("dpop_bound_access_tokens_required");
        }
        if providers.iter().any(|one| binding(one) != Binding::Ignore) {
            self.yes("tls_client_certificate_bound_access_tokens");
        }
    }

    fn yes(&mut self, name: &str) {
        self.name(name);
        self.0.push_str("true");
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
