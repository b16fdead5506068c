//! The target of a request: method, path and host.

use super::{HostFault, Step, Trace};
use crate::cors::{CorsPolicy, RouteMethods};
use crate::http::{BadMcp, BadPath, Host, Method, NormalPath, RequestHead};
use crate::policy::routes::{Found, RouteMatch, RouteTraits};
use crate::policy::{Access, Policy, Route};
use crate::telemetry::Reason;

/// The route that a request reaches.
pub(super) enum Reached<'t, 'p> {
    Route(&'p Route, RouteMatch<'t>),
    /// The MCP headers, which would decide between several routes, cannot be trusted.
    BadMcp {
        /// One of the routes. It has the CORS policy of all of them.
        like: &'p Route,
        bad: BadMcp,
        traits: RouteTraits,
    },
}

/// The target of a request, without ambiguity: its method has one meaning, and path and
/// host are in normal form.
#[derive(Debug)]
pub struct Target<'r> {
    method: &'r [u8],
    path: NormalPath<'r>,
    host: Option<Host<'r>>,
}

impl<'r> Target<'r> {
    pub(super) fn find<T: Trace>(
        policy: &Policy,
        head: &'r RequestHead,
        trace: &mut T,
    ) -> Result<Self, Reason> {
        // The next hop would remove the identity header and forward the request.
        let owned = |option: &[u8]| policy.upstream.owns(option);
        let names_identity = head.headers().is_connection_option(owned);
        trace.step(Step::Connection { names_identity });
        if names_identity {
            return Err(Reason::BadConnection);
        }
        let method = head.method().unwrap_or_default();
        let has_one_reading = policy.table.has_one_reading(method);
        trace.step(Step::Method { has_one_reading });
        if !has_one_reading {
            return Err(Reason::BadMethod);
        }
        let path = head.path().ok_or(BadPath::NotAbsolute);
        let path = path.and_then(|raw| NormalPath::parse(raw, &policy.paths));
        trace.step(Step::Path(path.as_ref().map_err(|error| *error)));
        let path = path.map_err(|error| match error.allowed_by() {
            Some("allow_encoded") => Reason::BadPathEncoded,
            Some("allow_empty_segments") => Reason::BadPathEmptySegment,
            Some("allow_semicolons") => Reason::BadPathSemicolon,
            Some(_) | None => Reason::BadPath,
        })?;
        let host = if policy.uses_hosts() {
            let host = host(head);
            trace.step(Step::Host(match &host {
                Ok(host) => Ok(host.as_ref()),
                Err(fault) => Err(*fault),
            }));
            host.map_err(|_| Reason::BadHost)?
        } else {
            None
        };
        Ok(Self { method, path, host })
    }

    /// The method, which is never empty.
    #[must_use]
    pub const fn method(&self) -> &'r [u8] {
        self.method
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &NormalPath<'r> {
        &self.path
    }

    /// The host, if the request has one and [hosts matter](Policy::uses_hosts).
    #[must_use]
    pub const fn host(&self) -> Option<&Host<'r>> {
        self.host.as_ref()
    }

    /// The route of this request.
    pub(super) fn route<'t, 'p: 't>(
        &'t self,
        policy: &'p Policy,
        head: &RequestHead,
    ) -> Option<Reached<'t, 'p>> {
        let found = policy.table.find_of(self.host.as_ref(), head, &self.path)?;
        Some(match found {
            Found::Route(found) => Reached::Route(policy.route(found.route())?, found),
            Found::BadMcp {
                like,
                bad,
                mut traits,
                otherwise,
            } => {
                // With other headers the request would reach this route.
                let otherwise = otherwise.and_then(|route| policy.route(route));
                traits.is_enforced |= otherwise.is_some_and(Route::is_enforced);
                Reached::BadMcp {
                    like: policy.route(like.route())?,
                    bad,
                    traits,
                }
            }
        })
    }

    /// The route of a request with this method at this target, as far as a preflight
    /// tells: it has the CORS policy of the request's route.
    pub(super) fn reached<'t, 'p: 't>(
        &'t self,
        policy: &'p Policy,
        method: &[u8],
    ) -> Option<(RouteMatch<'t>, &'p Route)> {
        let found = policy.table.find(self.host.as_ref(), method, &self.path)?;
        let route = policy.route(found.route())?;
        Some((found, route))
    }

    /// The methods of this path's routes with one CORS policy. Browsers cache the methods
    /// in an answer and use them without another preflight.
    pub(super) fn methods<'p>(&self, policy: &'p Policy, cors: &CorsPolicy) -> RouteMethods<'p> {
        let methods = policy.table.methods_at(self.host.as_ref(), &self.path);
        let mut found = RouteMethods::default();
        let mut count = |method: &[u8]| {
            let (_, route) = self.reached(policy, method)?;
            let is_under = route.cors.as_ref() == Some(cors);
            found.others |= !is_under;
            found.mixed |= !is_under && route.access != Access::Denied;
            is_under.then_some(())
        };
        // No method has this name, so it represents the methods that no route names.
        let any = methods.any && count(b"").is_some();
        let named = methods.named.into_iter().map(Method::as_str);
        let named = named
            .filter(|method| count(method.as_bytes()).is_some())
            .collect();
        RouteMethods {
            named,
            any,
            ..found
        }
    }
}

fn host(head: &RequestHead) -> Result<Option<Host<'_>>, HostFault> {
    // With two `:authority` fields, the upstream would choose one.
    if head.headers().values(":authority").nth(1).is_some() {
        return Err(HostFault::Several);
    }
    Host::parse(head.authority()).map_err(HostFault::Bad)
}
