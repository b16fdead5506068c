//! Detects preflights, and answers them from a policy.
//!
//! Fetch, "CORS-preflight request". If the answer does not allow the actual
//! request, the browser refuses it and names the method or header in its
//! console. It does so only if the answer is successful and allows the origin:
//! for a 403 it blames the origin in any case.

use std::borrow::Cow;

use super::fault::{self, HeaderFaults, PreflightFault};
use super::policy::{AllowedHeaders, Compiled, CorsPolicy, Methods, elements};
use super::response::{Allowed, Origin};
use crate::http::is_token;

/// `OPTIONS` with `Origin` and `Access-Control-Request-Method`, which a browser
/// sends before the actual request.
#[derive(Clone, Debug)]
pub struct Preflight<'a> {
    origin: Origin<'a>,
    method: Option<&'a str>,
    headers: Vec<&'a [u8]>,
    private_network: bool,
}

/// The methods of the routes that match the path with any method, and
/// that have the policy that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMethods<'a> {
    /// In any order; duplicates count once.
    pub named: Vec<&'a str>,
    /// One of these routes has `ANY` or is `$default`.
    pub any: bool,
    /// The path has routes with other policies.
    pub others: bool,
    /// Some of those other routes can be reached, so browsers must not cache the
    /// answer. They cache it for the URL. For another method they would then
    /// send a request with the headers that this policy allows, without asking
    /// that method's policy.
    pub mixed: bool,
}

/// The answer to a preflight without its body, which the caller adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreflightAnswer<'a> {
    /// 204 for any allowed origin: the browser compares the request with the
    /// lists, and reports to the page's developer what is missing. 403 for an
    /// origin that is not allowed, which may not read anything.
    pub status: u16,
    /// Names and values, each name once: all CORS headers of the answer.
    pub headers: Vec<(&'static str, Cow<'a, str>)>,
    /// What is requested and not allowed. If empty, the actual request may be
    /// sent.
    pub faults: Vec<PreflightFault>,
}

/// The most elements of `Access-Control-Request-Headers` that are checked, empty
/// ones included. Browsers name each header once and leave none empty. A list of
/// commas must not cost more than its length (CVE-2025-47908).
const MAX_REQUESTED_HEADERS: usize = 256;

const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

impl<'a> Preflight<'a> {
    /// The preflight, if the request is one.
    ///
    /// Empty values count as present: such a request is a preflight, not an
    /// ordinary request.
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

    /// The method of the actual request, by which the route and its policy are
    /// found. `None` if it is not a method or there are several: then there is
    /// no route.
    #[must_use]
    pub fn requested_method(&self) -> Option<&'a str> {
        self.method
    }

    /// Answers from the policy of the route that the requested method would
    /// reach.
    ///
    /// If the policy takes its methods from the routes and the path has none at
    /// all, the requested method is allowed: the actual request gets a 404 or
    /// 400, and the page can read it.
    #[must_use]
    pub fn answer<'p>(
        &self,
        policy: &'p CorsPolicy,
        path: &RouteMethods<'_>,
    ) -> PreflightAnswer<'p> {
        let policy = policy.compiled();
        let origin = match policy.origins.judge(self.origin) {
            Allowed::No => return self.refuse_origin(policy),
            allowed @ (Allowed::Named(_) | Allowed::Any) => allowed,
        };
        let (methods, is_allowed) = self.judge_method(&policy.methods, path);
        let mut faults = Vec::new();
        if !is_allowed {
            let allowed = fault::list(methods.iter().copied());
            faults.push(PreflightFault::method(self.method, &allowed));
        }
        faults.extend(self.judge_headers(&policy.headers));
        PreflightAnswer {
            status: 204,
            headers: self.allowed_headers(policy, origin, methods.join(", "), path.mixed),
            faults,
        }
    }

    fn refuse_origin<'p>(&self, policy: &'p Compiled) -> PreflightAnswer<'p> {
        let asked = match self.origin {
            Origin::One(origin) => Some(origin),
            Origin::Absent | Origin::Repeated => None,
        };
        // This answer is the same for every origin.
        let constant = ("access-control-allow-origin", Cow::Borrowed("*"));
        PreflightAnswer {
            status: 403,
            headers: vec![vary(policy).unwrap_or(constant)],
            faults: vec![PreflightFault::origin(asked, &policy.origins.shown)],
        }
    }

    /// The whole list, and whether it contains the requested method.
    fn judge_method<'m>(
        &self,
        methods: &'m Methods,
        path: &RouteMethods<'m>,
    ) -> (Vec<&'m str>, bool)
    where
        'a: 'm,
    {
        let (mut names, any): (Vec<&str>, bool) = match methods {
            Methods::Listed { names, any } => (names.iter().map(AsRef::as_ref).collect(), *any),
            Methods::OfRoutes => {
                let mut names = path.named.clone();
                crate::order::sort(&mut names, Ord::cmp);
                names.dedup();
                let no_route = names.is_empty() && !path.any && !path.others;
                (names, path.any || no_route)
            }
        };
        let Some(asked) = self.method else {
            return (names, false);
        };
        let listed = names.contains(&asked) || (asked == "HEAD" && names.contains(&"GET"));
        if any && !listed {
            names.push(asked);
        }
        (names, any || listed)
    }

    fn judge_headers(&self, allowed: &AllowedHeaders) -> Option<PreflightFault> {
        let mut faults = HeaderFaults::default();
        let requested = self.headers.iter().flat_map(|line| elements(line));
        for (number, name) in requested.enumerate() {
            if number >= MAX_REQUESTED_HEADERS {
                let most = MAX_REQUESTED_HEADERS;
                return Some(HeaderFaults::too_many(most, &allowed.shown));
            }
            if !name.is_empty() && !allowed.allow(name) {
                faults.add(name);
            }
        }
        faults.finish(&allowed.shown)
    }

    fn allowed_headers<'p>(
        &self,
        policy: &'p Compiled,
        origin: Allowed,
        methods: String,
        mixed: bool,
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
        if !methods.is_empty() {
            headers.push(("access-control-allow-methods", Cow::Owned(methods)));
        }
        if let Some(value) = &policy.headers.value {
            headers.push(("access-control-allow-headers", Cow::Borrowed(value)));
        }
        let max_age = if mixed {
            Some("0")
        } else {
            policy.max_age.as_deref()
        };
        if let Some(value) = max_age {
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
