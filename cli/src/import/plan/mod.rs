//! A configuration before it is written: providers, and routes whose access is decided.

mod bind;
mod providers;
mod shadow;
mod shape;

use std::collections::BTreeMap;
use std::ops::Range;

use super::model::{Api, Claim, Cors, Issuer, Kind, Note, Place, Route, Scopes};
use super::problems::Problems;
pub(super) use shape::{Part, Shape, written};

/// A configuration before it is written.
#[derive(Debug)]
pub(super) struct Plan {
    /// The name of the API.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) providers: Vec<Provider>,
    /// Where tokens are; empty: in the default place.
    pub(super) places: Vec<Place>,
    pub(super) base: Option<String>,
    pub(super) routes: Vec<Bound>,
    /// The paths that the source has, also without methods.
    pub(super) paths: Vec<Shape>,
    pub(super) cors: Option<Cors>,
    pub(super) left_out: Vec<Note>,
    pub(super) keeps_token: bool,
    /// Headers for the upstream, each with its claim.
    pub(super) headers: Vec<(String, String)>,
    /// Names for places of the source, by the byte at which a place starts.
    pub(super) labels: BTreeMap<usize, String>,
}

/// A provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    /// The authorizer from which it comes.
    pub(super) authorizer: String,
    pub(super) at: Range<usize>,
    pub(super) issuer: Issuer,
}

/// A route whose access is decided.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) pattern: String,
    /// Empty: every host.
    pub(super) hosts: Vec<String>,
    pub(super) shape: Shape,
    pub(super) at: Range<usize>,
    pub(super) access: Access,
    /// Why it is as it is.
    pub(super) reason: Option<String>,
    /// Whether the import has added it.
    pub(super) added: bool,
}

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    Public,
    Denied,
    /// No token, or one of these providers.
    Optional(Vec<String>),
    Token(Token),
}

/// What a token must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The names of providers.
    pub(super) providers: Vec<String>,
    /// Cognito's `token_use`.
    pub(super) usage: Option<&'static str>,
    pub(super) scopes: Scopes,
    pub(super) claims: Vec<Claim>,
}

impl Plan {
    /// Decides the access of all routes of an API.
    pub(super) fn of(mut api: Api, problems: &Problems<'_>) -> Self {
        // A SAM template and the processed one have their routes in different orders.
        api.routes
            .sort_by(|one, other| order(one).cmp(&order(other)));
        let (providers, bound) = bind::routes(&api, problems);
        let mut routes = bind::merged(bound);
        let paths = shadow::paths(&api, &routes);
        if !matches!(api.kind, Kind::Http | Kind::Proxy) {
            routes.extend(shadow::added(&routes, &paths));
        }
        let mut left_out = api.left_out;
        left_out.extend(api.restricted);
        Self {
            name: api.name,
            kind: api.kind,
            places: providers::places(&api.authorizers, &providers),
            providers,
            base: api.base,
            routes,
            paths: paths.into_iter().map(|(shape, _)| shape).collect(),
            cors: api.cors,
            left_out,
            keeps_token: api.keeps_token,
            headers: api.headers,
            labels: api.labels,
        }
    }
}

/// By path and method; `$default` is last.
fn order(route: &Route) -> (bool, &str, &str) {
    match route.pattern.split_once(' ') {
        Some((method, path)) => (false, path, method),
        None => (true, &route.pattern, ""),
    }
}
