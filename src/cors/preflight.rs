//! Preflights: recognised, and answered from a policy.
//!
//! Fetch, "CORS-preflight request". A browser refuses the actual request on
//! its own where the answer does not allow it; that a refused preflight is 403
//! here is for people who look at it.

use std::borrow::Cow;

use super::policy::{AllowedHeaders, Compiled, CorsPolicy, Methods, elements};
use super::response::{Allowed, Origin};
use crate::http::is_token;

/// `OPTIONS` with `Origin` and `Access-Control-Request-Method`, by which a
/// browser asks before it sends a request.
#[derive(Clone, Debug)]
pub struct Preflight<'a> {
    origin: Origin<'a>,
    method: Option<&'a str>,
    headers: Vec<&'a [u8]>,
    private_network: bool,
}

/// The methods of the routes that match the path, whatever their method, and
/// are under the policy that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMethods<'a> {
    /// In any order; repeated ones count once.
    pub named: Vec<&'a str>,
    /// A route with `ANY` or `$default` is among them.
    pub any: bool,
    /// The path has routes under other policies.
    pub others: bool,
}

/// What a preflight is answered, but for the body, which is the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreflightAnswer<'a> {
    /// 204: the request may be sent.
    Allowed {
        /// Names and values, each name once.
        headers: Vec<(&'static str, Cow<'a, str>)>,
    },
    /// 403: it may not.
    Refused {
        /// For logs; not told to the client.
        refusal: PreflightRefusal,
        /// `Vary` at most.
        headers: Vec<(&'static str, Cow<'a, str>)>,
    },
}

/// What a preflight asked for that the policy does not allow; the first thing
/// in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreflightRefusal {
    /// Its origin: not allowed, repeated or malformed.
    Origin,
    /// The method it asks for.
    Method,
    /// A header it asks for.
    Header,
}

/// The most elements of `Access-Control-Request-Headers` that are looked at,
/// empty ones included. Browsers name each header once and leave none empty;
/// a list of commas must not cost more than its length (CVE-2025-47908).
const MAX_REQUESTED_HEADERS: usize = 256;

const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

impl<'a> Preflight<'a> {
    /// The preflight that a request is, if it is one.
    ///
    /// Empty values count as present: such a request is a preflight that is
    /// refused, not an ordinary request.
    pub fn detect(
        method: &[u8],
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Option<Self> {
        if method != b"OPTIONS" {
            return None;
        }
        let mut origin = Origin::Absent;
        let mut methods = Vec::new();
        let mut requested = Vec::new();
        let mut private_network = false;
        for (name, value) in headers {
            if name.eq_ignore_ascii_case(b"origin") {
                origin = origin.and(value);
            } else if name.eq_ignore_ascii_case(b"access-control-request-method") {
                methods.push(value);
            } else if name.eq_ignore_ascii_case(b"access-control-request-headers") {
                requested.push(value);
            } else if name.eq_ignore_ascii_case(b"access-control-request-private-network") {
                private_network = value == b"true";
            }
        }
        let method = match methods.as_slice() {
            [] => return None,
            [one] => std::str::from_utf8(one)
                .ok()
                .filter(|method| is_token(method.as_bytes())),
            [_, _, ..] => None,
        };
        (origin != Origin::Absent).then_some(Self {
            origin,
            method,
            headers: requested,
            private_network,
        })
    }

    /// The method of the request to come, by which the route and so the policy
    /// is found. None if it is not a method or there are several: no route.
    #[must_use]
    pub fn requested_method(&self) -> Option<&'a str> {
        self.method
    }

    /// Answers from the policy of the route that the requested method would
    /// reach.
    ///
    /// Where the policy takes its methods from the routes and the path has
    /// none at all, the method asked for is allowed: the request gets a 404 or
    /// 400, and the page can read it.
    #[must_use]
    pub fn answer<'p>(
        &self,
        policy: &'p CorsPolicy,
        path: &RouteMethods<'_>,
    ) -> PreflightAnswer<'p> {
        let policy = policy.compiled();
        match self.decide(policy, path) {
            Ok((origin, methods)) => PreflightAnswer::Allowed {
                headers: self.allowed_headers(policy, origin, methods),
            },
            Err(refusal) => PreflightAnswer::Refused {
                refusal,
                headers: vary(policy).into_iter().collect(),
            },
        }
    }

    fn decide(
        &self,
        policy: &Compiled,
        path: &RouteMethods<'_>,
    ) -> Result<(Allowed, String), PreflightRefusal> {
        let origin = match policy.origins.judge(self.origin) {
            Allowed::No => return Err(PreflightRefusal::Origin),
            allowed @ (Allowed::Named(_) | Allowed::Any) => allowed,
        };
        let methods = self
            .method
            .and_then(|asked| allowed_methods(&policy.methods, path, asked))
            .ok_or(PreflightRefusal::Method)?;
        if self.headers_are_allowed(&policy.headers) {
            Ok((origin, methods))
        } else {
            Err(PreflightRefusal::Header)
        }
    }

    fn headers_are_allowed(&self, allowed: &AllowedHeaders) -> bool {
        let mut requested = self.headers.iter().flat_map(|line| elements(line));
        requested
            .by_ref()
            .take(MAX_REQUESTED_HEADERS)
            .all(|name| name.is_empty() || allowed.allow(name))
            && requested.next().is_none()
    }

    fn allowed_headers<'p>(
        &self,
        policy: &'p Compiled,
        origin: Allowed,
        methods: String,
    ) -> Vec<(&'static str, Cow<'p, str>)> {
        let mut headers = Vec::with_capacity(7);
        let credentials = match origin {
            Allowed::Named(name) => {
                let name = name.as_ref().to_owned();
                headers.push(("access-control-allow-origin", Cow::Owned(name)));
                policy.credentials
            }
            Allowed::Any | Allowed::No => {
                headers.push(("access-control-allow-origin", Cow::Borrowed("*")));
                false
            }
        };
        if credentials {
            headers.push(("access-control-allow-credentials", Cow::Borrowed("true")));
        }
        headers.push(("access-control-allow-methods", Cow::Owned(methods)));
        if let Some(value) = &policy.headers.value {
            headers.push(("access-control-allow-headers", Cow::Borrowed(value)));
        }
        if let Some(value) = &policy.max_age {
            headers.push(("access-control-max-age", Cow::Borrowed(value)));
        }
        if self.private_network && policy.private_network {
            headers.push((
                "access-control-allow-private-network",
                Cow::Borrowed("true"),
            ));
        }
        headers.extend(vary(policy));
        headers
    }
}

fn vary(policy: &Compiled) -> Option<(&'static str, Cow<'static, str>)> {
    (!policy.origins.is_constant()).then_some(("vary", Cow::Borrowed(VARY)))
}

/// The whole list, if the method asked for is allowed.
fn allowed_methods(methods: &Methods, path: &RouteMethods<'_>, asked: &str) -> Option<String> {
    let (mut names, any): (Vec<&str>, bool) = match methods {
        Methods::Listed { names, any } => (names.iter().map(AsRef::as_ref).collect(), *any),
        Methods::OfRoutes => {
            let mut names = path.named.clone();
            names.sort_unstable();
            names.dedup();
            let no_route = names.is_empty() && !path.any && !path.others;
            (names, path.any || no_route)
        }
    };
    let listed = names.contains(&asked) || (asked == "HEAD" && names.contains(&"GET"));
    if !listed {
        if !any {
            return None;
        }
        names.push(asked);
    }
    Some(names.join(", "))
}

impl<'a> PreflightAnswer<'a> {
    /// 204 or 403.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Allowed { .. } => 204,
            Self::Refused { .. } => 403,
        }
    }

    /// All headers that CORS gives the answer; nothing is to be added to it
    /// when it passes as a response.
    #[must_use]
    pub fn headers(&self) -> &[(&'static str, Cow<'a, str>)] {
        match self {
            Self::Allowed { headers } | Self::Refused { headers, .. } => headers,
        }
    }
}
