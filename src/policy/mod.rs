//! The compiled policy: everything a decision needs, parsed and cross-checked.
//! It never changes afterwards.
//!
//! `config` makes it. This module parses no document and decides about no
//! request.

mod document_source;
mod identity_headers;
mod mode;
mod narrowing;
mod provider;
mod resource;
mod resource_location;
mod route;
pub mod routes;

pub use document_source::{BadUri, DocumentLocation, DocumentSource, FetchUri, SourceId};
pub use identity_headers::{ClaimFormat, ClaimHeader, IdentityHeaders};
pub use mode::Mode;
pub use narrowing::Narrowing;
pub use provider::{Provider, ProviderId, ProviderKeys, Providers};
pub use resource::{Resource, Resources, WELL_KNOWN};
pub use resource_location::{BadResource, MAX_IDENTIFIER, ResourceLocation};
pub use route::{Access, Route};
pub use routes::{RouteId, RouteTable};

use std::sync::Arc;

use crate::cors::CorsPolicy;
use crate::http::PathRules;
use crate::memory::Budget;
use crate::rules::ScopeImplications;
use crate::telemetry::FilterState;

/// What one listener enforces.
#[derive(Debug)]
pub struct Policy {
    /// Whether requests are refused that reach no route.
    pub mode: Mode,
    /// The trusted issuers.
    pub providers: Providers,
    /// Where the providers' keys and revocation lists are fetched from, each source once.
    pub sources: Vec<DocumentSource>,
    /// Where a request may have a token.
    pub token_places: Vec<TokenPlace>,
    /// The identity headers for the upstream.
    pub upstream: IdentityHeaders,
    /// Which paths are accepted.
    pub paths: PathRules,
    /// Finds the route of a request.
    pub table: RouteTable,
    /// The routes, by [`RouteId`].
    pub routes: Vec<Route>,
    /// The protected resources that clients can find metadata of.
    pub resources: Resources,
    /// Which scopes a token has because it has others.
    pub scope_implies: ScopeImplications,
    /// The top-level CORS policy, for requests without a route.
    pub cors: Option<CorsPolicy>,
    /// The format of refusals.
    pub responses: Responses,
    /// What is written to the filter state of requests; each entry once.
    pub filter_state: Vec<FilterState>,
    /// How many verified tokens a worker caches; 0: none.
    pub max_tokens: usize,
    /// What the precomputed tables of its keys may take, together with those of
    /// other policies: the host gives it.
    pub table_budget: &'static Budget,
}

/// The threads of a process share one policy and its inline keys.
const _: () = {
    const fn is_send_sync<T: Send + Sync>() {}
    is_send_sync::<Policy>();
    is_send_sync::<crate::jwk::KeySet>();
};

impl Policy {
    /// The route of this id.
    #[must_use]
    pub fn route(&self, id: RouteId) -> Option<&Route> {
        self.routes.get(id.0)
    }

    /// Whether requests are judged by their host: some route names hosts, or several
    /// resources have the same path.
    #[must_use]
    pub fn uses_hosts(&self) -> bool {
        self.table.uses_hosts() || self.resources.uses_hosts()
    }

    /// The key source of this id.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&DocumentSource> {
        self.sources.get(id.index())
    }
}

/// A place in the request that may hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header.
    Header {
        /// Its name, in lower case.
        name: Arc<str>,
        /// The authentication scheme before the token, compared without case. If
        /// absent, the whole value is the token, with or without `Bearer `.
        scheme: Option<Box<str>>,
    },
    /// A cookie of this name, compared after decoding.
    Cookie(Box<str>),
    /// A query parameter of this name, compared after decoding.
    Query(Box<str>),
}

/// The format of refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responses {
    /// The `realm` of challenges; safe inside a quoted string.
    pub realm: Box<str>,
    /// The form of the body.
    pub body: BodyStyle,
}

/// The form of a refusal's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyStyle {
    /// API Gateway's: `{"message":"Unauthorized"}`.
    Aws,
    /// RFC 9457 problem details.
    Problem,
}
