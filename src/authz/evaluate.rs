//! The steps of a decision, in their order.

use std::borrow::Cow;

use super::credentials::{Credentials, Token};
use super::form::Form;
use super::token::{Failure, Judge, malformed};
use super::{
    Absent, Decision, Forward, Keys, Parts, Refusal, Remembered, Verdict, Verified, identity,
};
use crate::cors::{CorsPolicy, Preflight, ResponseCors, RouteMethods};
use crate::crypto::NativeSignatures;
use crate::http::{HeaderEdit, Host, LocalReply, Method, NormalPath, RequestHead, SafeText};
use crate::jwt::ValidClaims;
use crate::policy::routes::Found;
use crate::policy::{Access, Policy, Provider, ProviderId, Route, RouteId, SourceId};
use crate::rules::Missing;
use crate::telemetry::Reason;
use crate::time::UnixTime;

/// What a decision may look at besides the policy and the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The key cache.
    pub keys: &'a dyn Keys,
    /// The tokens that verified before.
    pub remembered: &'a dyn Remembered,
    /// The proxy's own signature checks.
    pub native: &'a dyn NativeSignatures,
    /// When the request came.
    pub arrived: UnixTime,
    /// The time of the decision.
    pub now: UnixTime,
}

/// Decides about a request.
#[must_use]
pub fn evaluate(policy: &Policy, head: &RequestHead, context: Context<'_>) -> Decision {
    let place = Place::find(policy, head);
    if let Some(decision) = preflight(policy, head, &place) {
        return decision;
    }
    let evaluation = Evaluation {
        policy,
        head,
        context,
    };
    let (outcome, cors) = match &place {
        Err(reason) => (Outcome::refused((*reason).into()), policy.cors.as_ref()),
        Ok(place) => match place.reached(policy, head.method()) {
            None => (
                Outcome::refused(Reason::NoRoute.into()),
                policy.cors.as_ref(),
            ),
            Some((found, route)) => {
                let outcome = evaluation.at_route(&found, route);
                (
                    Outcome {
                        route: Some(found.route()),
                        ..outcome
                    },
                    route.cors.as_ref(),
                )
            }
        },
    };
    let cors = cors.map(|policy| ResponseCors::for_request(policy, origins(head)));
    outcome.decision(policy, cors)
}

/// Where a request goes, with the headers that are set here: its method has one
/// reading, and path and host are in the one form in which they are judged.
struct Place<'r> {
    path: NormalPath<'r>,
    host: Option<Host<'r>>,
}

impl<'r> Place<'r> {
    fn find(policy: &Policy, head: &'r RequestHead) -> Result<Self, Reason> {
        // The next hop would take the identity away and leave the request.
        let owned = |option: &[u8]| policy.upstream.owns(option);
        if head.headers().is_connection_option(owned) {
            return Err(Reason::BadConnection);
        }
        let has_one_reading = |method| policy.table.has_one_reading(method);
        if !head.method().is_some_and(has_one_reading) {
            return Err(Reason::BadMethod);
        }
        let raw = head.path().ok_or(Reason::BadPath)?;
        let path =
            NormalPath::parse(raw, &policy.paths).map_err(|error| match error.opened_by() {
                Some("allow_encoded") => Reason::BadPathEncoded,
                Some("allow_empty_segments") => Reason::BadPathEmptySegment,
                Some("allow_semicolons") => Reason::BadPathSemicolon,
                Some(_) | None => Reason::BadPath,
            })?;
        let host = if policy.table.uses_hosts() {
            // Two `:authority` fields would leave the choice to the upstream.
            if head.headers().values(":authority").nth(1).is_some() {
                return Err(Reason::BadHost);
            }
            Host::parse(head.authority()).map_err(|_| Reason::BadHost)?
        } else {
            None
        };
        Ok(Self { path, host })
    }

    fn reached<'p>(
        &'p self,
        policy: &'p Policy,
        method: Option<&[u8]>,
    ) -> Option<(Found<'p>, &'p Route)> {
        let found = policy.table.find(self.host.as_ref(), method?, &self.path)?;
        let route = policy.route(found.route())?;
        Some((found, route))
    }

    /// The methods of this path's routes under one CORS policy: what browsers
    /// are told of the others they would remember, and use without asking.
    fn methods<'p>(&self, policy: &'p Policy, cors: &CorsPolicy) -> RouteMethods<'p> {
        let methods = policy.table.methods_at(self.host.as_ref(), &self.path);
        let mut found = RouteMethods::default();
        let mut count = |method: &[u8]| {
            let (_, route) = self.reached(policy, Some(method))?;
            let is_under = route.cors.as_ref() == Some(cors);
            found.others |= !is_under;
            found.mixed |= !is_under && route.access != Access::Denied;
            is_under.then_some(())
        };
        // No method has this name: it is one of those that no route names.
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

fn origins(head: &RequestHead) -> impl Iterator<Item = &[u8]> {
    head.headers().values("origin")
}

/// Answers a preflight from the policy of the route that the requested method
/// would reach; without a route, and for a path that is refused, from the
/// top-level one, so that the page can read the error. It needs no token and
/// never reaches the upstream. Without a policy it is an ordinary request.
fn preflight(
    policy: &Policy,
    head: &RequestHead,
    place: &Result<Place<'_>, Reason>,
) -> Option<Decision> {
    let preflight = Preflight::detect(head.method()?, head.headers().iter())?;
    let place = place.as_ref().ok();
    let method = preflight.requested_method().map(str::as_bytes);
    // A request with another is refused before it has a route.
    let method = method.filter(|method| policy.table.has_one_reading(method));
    let reached = place.and_then(|place| place.reached(policy, method));
    let (cors, route) = match &reached {
        Some((found, route)) => (route.cors.as_ref(), Some(found.route())),
        None => (policy.cors.as_ref(), None),
    };
    let cors = cors?;
    let methods = place.map_or_else(RouteMethods::default, |place| place.methods(policy, cors));
    Some(preflight_decision(
        policy, &preflight, cors, &methods, route,
    ))
}

fn preflight_decision(
    policy: &Policy,
    preflight: &Preflight<'_>,
    cors: &CorsPolicy,
    methods: &RouteMethods<'_>,
    route: Option<RouteId>,
) -> Decision {
    let answer = preflight.answer(cors, methods);
    let reason = if answer.faults.is_empty() {
        Reason::Preflight
    } else {
        Reason::PreflightRefused
    };
    let mut reply = if answer.status == 204 {
        LocalReply {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
            details: reason.details(),
        }
    } else {
        Refusal::from(reason).reply(&policy.responses)
    };
    let headers = answer.headers.iter();
    reply
        .headers
        .extend(headers.map(|(name, value)| (*name, SafeText::filtered(&**value))));
    Decision {
        verdict: Verdict::Reply(reply),
        reason,
        route,
        preflight: answer.faults,
        provider: None,
        cors: None,
        verified: None,
        absent: None,
        doubted: Vec::new(),
        recalled: None,
    }
}

/// What becomes of a request whose preflight, if any, is not concerned.
struct Outcome {
    passage: Result<(Forward, Reason), Failure>,
    route: Option<RouteId>,
    provider: Option<ProviderId>,
    verified: Option<Verified>,
    absent: Option<Absent>,
    doubted: Vec<SourceId>,
    recalled: Option<bool>,
}

impl Outcome {
    fn refused(refusal: Refusal) -> Self {
        Self::of(Err(Failure::Refused(refusal, None)))
    }

    const fn of(passage: Result<(Forward, Reason), Failure>) -> Self {
        Self {
            passage,
            route: None,
            provider: None,
            verified: None,
            absent: None,
            doubted: Vec::new(),
            recalled: None,
        }
    }

    fn decision(self, policy: &Policy, cors: Option<ResponseCors>) -> Decision {
        let (verdict, reason, provider) = match self.passage {
            Ok((forward, reason)) => (Verdict::Forward(forward), reason, self.provider),
            Err(Failure::Wanting(wanted, provider)) => (
                Verdict::Wait(wanted),
                Reason::KeysUnavailable,
                Some(provider),
            ),
            Err(Failure::Refused(refusal, provider)) => {
                let reply = refusal.reply(&policy.responses);
                (
                    Verdict::Reply(reply),
                    refusal.reason,
                    provider.or(self.provider),
                )
            }
        };
        let Self {
            route,
            verified,
            absent,
            doubted,
            recalled,
            ..
        } = self;
        Decision {
            verdict,
            reason,
            route,
            preflight: Vec::new(),
            provider,
            cors,
            verified,
            absent,
            doubted,
            recalled,
        }
    }
}

struct Evaluation<'a> {
    policy: &'a Policy,
    head: &'a RequestHead,
    context: Context<'a>,
}

impl Evaluation<'_> {
    fn at_route(&self, found: &Found<'_>, route: &Route) -> Outcome {
        match route.access {
            Access::Denied => Outcome::refused(Reason::Denied.into()),
            Access::Public => Outcome::of(Ok((self.forward(), Reason::Public))),
            Access::Optional | Access::Required => self.with_token(found, route),
        }
    }

    fn with_token(&self, found: &Found<'_>, route: &Route) -> Outcome {
        match Credentials::find(self.head, &self.policy.token_places) {
            Credentials::None if route.access == Access::Optional => {
                Outcome::of(Ok((self.forward(), Reason::Anonymous)))
            }
            // The upstream must not take for verified what nobody has looked at.
            Credentials::Ambiguous if route.access == Access::Optional => {
                Outcome::refused(Reason::MalformedCredentials.into())
            }
            Credentials::None | Credentials::Ambiguous => Outcome::refused(Reason::NoToken.into()),
            Credentials::Malformed => Outcome::refused(Reason::MalformedCredentials.into()),
            Credentials::Several => Outcome::refused(Reason::SeveralTokens.into()),
            Credentials::Token(token) => self.with_this(&token, found, route),
        }
    }

    fn with_this(&self, token: &Token<'_>, found: &Found<'_>, route: &Route) -> Outcome {
        let Context {
            keys,
            remembered,
            native,
            arrived,
            now,
        } = self.context;
        let head = self.head;
        let parts = Parts { head, found };
        let judge = Judge {
            policy: self.policy,
            keys,
            native,
            presented: token.presented(),
            request: &parts,
            arrived,
            now,
        };
        let form = match Form::of(&token.text, remembered) {
            Ok(form) => form,
            Err(_) if !token.is_one_word() => {
                return Outcome::refused(Reason::MalformedCredentials.into());
            }
            Err(error) => {
                return Outcome {
                    recalled: Some(false),
                    ..Outcome::refused(malformed(error))
                };
            }
        };
        let judged = judge.judge(&form, route, |provider, claims| {
            self.permitted(provider, claims, token, &parts, route)
        });
        let recalled = Some(judged.recalled);
        let (passage, provider) = match judged.outcome {
            Ok((provider, passage)) => (passage, Some(provider)),
            Err(failure) => (Err(failure), None),
        };
        Outcome {
            passage,
            route: None,
            provider,
            verified: judged.verified,
            absent: judged.absent,
            doubted: judged.doubted,
            recalled,
        }
    }

    /// The request with what the upstream learns of its token, if the route's
    /// scopes and claims permit it.
    fn permitted(
        &self,
        provider: &Provider,
        claims: ValidClaims<'_>,
        token: &Token<'_>,
        parts: &Parts<'_>,
        route: &Route,
    ) -> Result<(Forward, Reason), Failure> {
        let _permit = route
            .rules
            .grant(&claims, &provider.scope_claims, parts)
            .map_err(|missing| Failure::Refused(lacking(missing, route), None))?;
        let mut forward = self.forward();
        if !self.policy.upstream.keep_token {
            let places = &self.policy.token_places;
            forward.edits.extend(token.removal(self.head, places));
        }
        identity::add(&mut forward, &self.policy.upstream, claims, provider, route);
        Ok((forward, Reason::Allowed))
    }

    /// The request as it goes on by any route: without the client's copies of
    /// the headers that the filter may set, under every spelling.
    fn forward(&self) -> Forward {
        let mut edits: Vec<HeaderEdit<'static>> = Vec::new();
        for (name, _) in self.head.headers().iter() {
            if self.policy.upstream.owns(name) {
                let removal = HeaderEdit::Remove(Cow::Owned(name.to_vec()));
                if !edits.contains(&removal) {
                    edits.push(removal);
                }
            }
        }
        Forward {
            edits,
            ..Forward::default()
        }
    }
}

/// A refusal for what a good token lacks. It names the scopes that the route
/// needs where a token with them would do.
fn lacking(missing: Missing, route: &Route) -> Refusal {
    let (reason, scopes) = match missing {
        Missing::Scopes => (Reason::MissingScope, route.rules.challenge_scopes()),
        Missing::NoForbiddenScope => (Reason::MissingScope, Vec::new()),
        Missing::Claims => (Reason::MissingClaim, Vec::new()),
    };
    Refusal {
        scopes: scopes.into_iter().map(Into::into).collect(),
        ..reason.into()
    }
}
