//! The compiled policy: everything a decision needs, parsed and cross-checked,
//! and never changed afterwards.
//!
//! `config` makes it; nothing here parses a document, and nothing here is
//! decided per request.

mod identity_headers;
mod key_source;
mod provider;
mod route;
pub mod routes;

pub use identity_headers::{ClaimFormat, ClaimHeader, IdentityHeaders};
pub use key_source::{BadUri, FetchUri, KeyLocation, KeySource, SourceId};
pub use provider::{Provider, ProviderId, ProviderKeys, Providers};
pub use route::{Access, Route};
pub use routes::{RouteId, RouteTable};

use crate::cors::CorsPolicy;
use crate::http::PathRules;
use crate::telemetry::FilterState;

/// What one listener enforces.
#[derive(Debug)]
pub struct Policy {
    /// The trusted issuers.
    pub providers: Providers,
    /// Where the providers' keys are fetched from, each place once.
    pub sources: Vec<KeySource>,
    /// Where a token may stand in a request.
    pub token_places: Vec<TokenPlace>,
    /// What the upstream learns.
    pub upstream: IdentityHeaders,
    /// What a path may look like.
    pub paths: PathRules,
    /// Which route a request reaches.
    pub table: RouteTable,
    /// The routes, by [`RouteId`].
    pub routes: Vec<Route>,
    /// The top-level CORS policy: for answers without a route.
    pub cors: Option<CorsPolicy>,
    /// How refusals look.
    pub responses: Responses,
    /// What is written to the filter state of requests; each entry once.
    pub filter_state: Vec<FilterState>,
    /// Verified tokens that a worker remembers; 0: none.
    pub max_tokens: usize,
}

/// The threads of a process share one policy, with the keys that are in it.
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

    /// The key source of this id.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&KeySource> {
        self.sources.get(id.index())
    }
}

/// A place in the request where a token may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header.
    Header {
        /// Its name, in lower case.
        name: Box<str>,
        /// The authentication scheme before the token, compared without
        /// case; absent: the value is the token, with or without `Bearer `.
        scheme: Option<Box<str>>,
    },
    /// A cookie of this name, compared after decoding.
    Cookie(Box<str>),
    /// A query parameter of this name, compared after decoding.
    Query(Box<str>),
}

/// How refusals look.
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
