//! The steps of a decision, reported as they are taken.

use super::candidates::Candidates;
use super::form::Form;
use super::{Credentials, Target, TokenFault};
use crate::cors::{Preflight, PreflightFault};
use crate::http::{BadHost, BadMcp, BadPath, Host, NormalPath};
use crate::jwk::{KeySet, Lookup};
use crate::jwt::{TokenError, ValidClaims, VerifiedJwt};
use crate::policy::routes::RouteMatch;
use crate::policy::{Provider, Resource, Route};
use crate::rules::{Missing, RequestParts};

/// Receives the steps of a decision, in their order.
///
/// The step that refuses a request is the last one, with two exceptions: a
/// request is checked for a preflight after its path was refused, and a token
/// that one provider refuses is judged by the next.
pub trait Trace {
    /// Called for each step.
    fn step(&mut self, step: Step<'_>);
}

/// No trace. The steps then cost nothing.
impl Trace for () {
    #[inline]
    fn step(&mut self, _: Step<'_>) {}
}

/// One step of a decision, with its input and result.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    /// The options of `Connection` were checked.
    Connection {
        /// Whether an option names a header that only the filter may set. The
        /// next hop would remove that header, so the request is refused.
        names_identity: bool,
    },
    /// The method was checked.
    Method {
        /// Whether all upstreams read it alike. Otherwise the request is
        /// refused.
        has_one_reading: bool,
    },
    /// The path was normalized.
    Path(Result<&'a NormalPath<'a>, BadPath>),
    /// The host was read, if some route names hosts.
    Host(Result<Option<&'a Host<'a>>, HostFault>),
    /// The path is one at which metadata of resources may be.
    Metadata {
        /// The resource whose metadata are there.
        resource: Option<&'a Resource>,
        /// Whether the request is answered with them. Otherwise it goes on.
        is_answered: bool,
    },
    /// Whether the request is a preflight.
    Preflight(PreflightStep<'a>),
    /// The route was looked up. Without one, the request is refused.
    Route {
        /// Method, path and host.
        target: &'a Target<'a>,
        /// The route that was found.
        reached: Option<(&'a RouteMatch<'a>, &'a Route)>,
    },
    /// The target has routes for MCP requests, and this request's MCP headers cannot be
    /// trusted. The request is refused.
    BadMcp {
        /// Method, path and host.
        target: &'a Target<'a>,
        /// What is wrong with the headers.
        bad: BadMcp,
        /// Whether the request is refused in the next step, for the lack of a token.
        lacks_token: bool,
    },
    /// The token was searched for, on a route that requires or allows one.
    Credentials(&'a Credentials<'a>, &'a Route),
    /// The token with this text is not well-formed. The request is refused.
    Malformed(&'a [u8], TokenError),
    /// The token was read and the providers that may trust it were found. If
    /// there are none, the request is refused.
    Form(&'a Form<'a>, &'a Candidates<'a>),
    /// A key of a provider was searched for and tried.
    Key(&'a Provider, &'a Form<'a>, KeyStep<'a>),
    /// The claims of a token were checked, after a key of the provider verified
    /// it.
    Claims {
        /// The provider of the token.
        provider: &'a Provider,
        /// The route, which may ask for a `token_use`.
        route: &'a Route,
        /// The token.
        jwt: &'a VerifiedJwt,
        /// The parts of the request for the provider's rules.
        request: &'a dyn RequestParts,
        /// Why the claims are not valid, or `Ok`.
        result: Result<(), TokenFault>,
    },
    /// The revocation list of the token's provider was consulted, if it has one. This is after
    /// the claims were checked, and before the sender is. [`Step::Claims`] follows if the token
    /// is not refused here.
    Revocation(&'a Provider, RevocationOutcome),
    /// The scopes and claims that the route requires were checked.
    Rules {
        /// The provider of the token.
        provider: &'a Provider,
        /// The route.
        route: &'a Route,
        /// The token's claims.
        claims: ValidClaims<'a>,
        /// The parts of the request for the route's rules.
        request: &'a dyn RequestParts,
        /// What is missing, or `Ok`.
        result: Result<(), Missing>,
    },
}

/// Why a host cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// There are several `:authority` fields.
    Several,
    /// It is not one valid host.
    Bad(BadHost),
}

/// Whether a request is a preflight, and which policy answers it.
#[derive(Clone, Copy)]
pub enum PreflightStep<'a> {
    /// It is not a preflight.
    Ordinary,
    /// It is a preflight, but this route, or the top level if there is no route,
    /// has no CORS policy. It is treated as an ordinary request.
    NoPolicy(&'a Preflight<'a>, Option<&'a Route>),
    /// The policy of this route, or the top-level one, answers it.
    Answered(&'a Preflight<'a>, Option<&'a Route>, &'a [PreflightFault]),
}

/// The search for a token's key.
#[derive(Clone, Copy)]
pub enum KeyStep<'a> {
    /// The provider accepts no token with this `alg` or `typ`, so no key was searched
    /// for.
    NotLookedFor(TokenFault),
    /// The provider has no keys now, so the token waits for them.
    NoKeys,
    /// The keys were searched.
    LookedFor {
        /// All keys of the provider.
        set: &'a KeySet,
        /// The keys that fit the token.
        lookup: &'a Lookup<'a>,
        /// The result.
        outcome: KeyOutcome,
    },
}

/// The result of trying the keys that fit a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOutcome {
    /// One of the keys signed it.
    Signed,
    /// None of the keys signed it, and no newer key can have done so.
    Refused(TokenFault),
    /// None of the keys has its `kid`, but newer keys may. The token waits for them.
    Awaited,
}

/// The result of looking a token up in a revocation list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// The list, with this number of entries, does not name the token.
    NotNamed(usize),
    /// The list names the token, so it is refused.
    Revoked,
    /// There is no current list, so the token waits for one.
    NoList,
}
