//! The steps of a decision, in their order.

use std::sync::Arc;

use super::fault::malformed;
use super::form::Form;
use super::token::TokenJudge;
use super::{
    Context, Credentials, Decision, Forward, Learned, Pass, Refusal, Refuser, ResponseNonce, Step,
    Target, Token, Trace, Unenforced, Verdict, metadata, preflight, target::Reached,
};
use crate::cors::{CorsPolicy, ResponseCors};
use crate::http::{BadMcp, RequestHead};
use crate::policy::routes::{RouteMatch, RouteTraits};
use crate::policy::{Access, Policy, Route};
use crate::telemetry::Reason;

/// Decides a request.
#[must_use]
pub fn evaluate(policy: &Policy, head: &RequestHead, context: Context<'_>) -> Decision {
    evaluate_traced(policy, head, context, &mut ())
}

/// Decides a request, and reports each step to `trace` as it is taken. A trace cannot
/// change the decision.
pub fn evaluate_traced<T: Trace>(
    policy: &Policy,
    head: &RequestHead,
    context: Context<'_>,
    trace: &mut T,
) -> Decision {
    let target = Target::find(policy, head, trace);
    if !policy.resources.is_empty()
        && let Ok(target) = &target
        && let Some(decision) = metadata::answer(policy, head, target, trace)
    {
        return decision;
    }
    if let Some(decision) = preflight::answer(policy, head, target.as_ref().ok(), trace) {
        return decision;
    }
    let mut evaluation = Evaluation {
        policy,
        head,
        context,
        target: target.as_ref().ok(),
        cors: policy.cors.as_ref(),
        trace,
    };
    let mut decision = match &target {
        Err(reason) => {
            let mut refused = evaluation.refused(*reason, None);
            evaluation.by_mode(&mut refused, None);
            refused
        }
        Ok(target) => evaluation.at_target(target),
    };
    let cors = evaluation.cors;
    let origins = head.headers().values("origin");
    let nonce = decision.facts.nonce.as_ref();
    let has_nonce = nonce.is_some_and(ResponseNonce::is_fresh);
    decision.facts.cors = cors.map(|policy| {
        let cors = ResponseCors::for_request(policy, origins);
        cors.exposing_nonce(has_nonce)
    });
    decision
}

struct Evaluation<'a, T> {
    policy: &'a Policy,
    head: &'a RequestHead,
    context: Context<'a>,
    /// `None` if it is ambiguous.
    target: Option<&'a Target<'a>>,
    /// The CORS policy in force, as far as it is known.
    cors: Option<&'a CorsPolicy>,
    trace: &'a mut T,
}

impl<'a, T: Trace> Evaluation<'a, T> {
    fn at_target(&mut self, target: &'a Target<'a>) -> Decision {
        let policy = self.policy;
        let (route, found) = match target.route(policy, self.head) {
            Some(Reached::Route(route, found)) => (route, found),
            Some(Reached::BadMcp { like, bad, traits }) => {
                self.cors = like.cors.as_ref();
                let mut decision = self.without_route(target, like, bad, traits);
                if !traits.is_enforced {
                    self.by_mode(&mut decision, None);
                }
                return decision;
            }
            None => {
                let reached = None;
                self.trace.step(Step::Route { target, reached });
                let mut refused = self.refused(Reason::NoRoute, None);
                self.by_mode(&mut refused, None);
                return refused;
            }
        };
        let reached = Some((&found, route));
        self.trace.step(Step::Route { target, reached });
        self.cors = route.cors.as_ref();
        let mut decision = self.at_route(&found, route);
        self.by_mode(&mut decision, Some(route));
        decision.facts.route = Some(Arc::clone(&route.name));
        decision
    }

    /// Refuses a request whose MCP headers cannot be trusted. A client without a token is
    /// told first how to get one, whichever version of MCP it has.
    fn without_route(
        &mut self,
        target: &Target<'_>,
        like: &Route,
        bad: BadMcp,
        traits: RouteTraits,
    ) -> Decision {
        let credentials = Credentials::find(self.head, &self.policy.token_places);
        let has_none = matches!(credentials, Credentials::None | Credentials::Ambiguous);
        let lacks_token = has_none && !traits.admits_anonymous;
        self.trace.step(Step::BadMcp {
            target,
            bad,
            lacks_token,
        });
        if !lacks_token {
            return self.refused(Reason::BadMcp, None);
        }
        self.trace.step(Step::Credentials(&credentials, like));
        self.refused(Reason::NoToken, None)
    }

    fn at_route(&mut self, found: &RouteMatch<'_>, route: &'a Route) -> Decision {
        if let Some(pass) = Pass::public(route) {
            return self.forward(pass);
        }
        match route.access {
            // Public routes have already passed.
            Access::Denied | Access::Public => self.refused(Reason::Denied, Some(route)),
            Access::Optional | Access::Required => self.with_credentials(found, route),
        }
    }

    fn with_credentials(&mut self, found: &RouteMatch<'_>, route: &'a Route) -> Decision {
        let credentials = Credentials::find(self.head, &self.policy.token_places);
        let reason = match &credentials {
            Credentials::Token(token) => {
                return self.with_token(token, &credentials, found, route);
            }
            // The upstream must not trust a token that the filter has not
            // checked.
            Credentials::Ambiguous if route.access == Access::Optional => {
                Reason::MalformedCredentials
            }
            Credentials::None | Credentials::Ambiguous => Reason::NoToken,
            Credentials::Malformed => Reason::MalformedCredentials,
            Credentials::Several => Reason::SeveralTokens,
        };
        self.trace.step(Step::Credentials(&credentials, route));
        match Pass::anonymous(route, &credentials) {
            Some(pass) => self.forward(pass),
            None => self.refused(reason, Some(route)),
        }
    }

    fn with_token(
        &mut self,
        token: &Token<'_>,
        credentials: &Credentials<'_>,
        found: &RouteMatch<'_>,
        route: &'a Route,
    ) -> Decision {
        let form = match Form::of(&token.text, self.context.remembered) {
            Err(_) if !token.is_one_word() => {
                self.trace
                    .step(Step::Credentials(&Credentials::Malformed, route));
                return self.refused(Reason::MalformedCredentials, Some(route));
            }
            form => form,
        };
        self.trace.step(Step::Credentials(credentials, route));
        match form {
            Ok(form) => TokenJudge {
                policy: self.policy,
                head: self.head,
                refuser: self.refuser(Some(route)),
                context: self.context,
                route,
                found,
                token,
                nonce: None,
                trace: self.trace,
            }
            .judge(&form),
            Err(error) => {
                self.trace.step(Step::Malformed(&token.text, error));
                Decision {
                    learned: Learned {
                        recalled: Some(false),
                        ..Learned::default()
                    },
                    ..self.refused(malformed(error), Some(route))
                }
            }
        }
    }

    /// Lets a request pass whose refusal is only reported. It passes as on a public route:
    /// without the client's copies of identity headers, and without any claim of its
    /// token, which nobody has verified.
    fn by_mode(&self, decision: &mut Decision, route: Option<&Route>) {
        if let Some(unenforced) = Unenforced::of(self.policy, route, decision) {
            *decision = Decision {
                learned: std::mem::take(&mut decision.learned),
                ..self.forward(Pass::Reported(unenforced))
            };
        }
    }

    fn forward(&self, pass: Pass) -> Decision {
        let forward = Forward::new(pass, self.head, &self.policy.upstream);
        Decision::of(Verdict::Forward(forward))
    }

    fn refused(&self, refusal: impl Into<Refusal<'a>>, route: Option<&'a Route>) -> Decision {
        let refuser = self.refuser(route);
        Decision::of(refuser.refuse(refusal.into(), false))
    }

    fn refuser(&self, route: Option<&'a Route>) -> Refuser<'a> {
        Refuser {
            policy: self.policy,
            head: self.head,
            target: self.target,
            route,
        }
    }
}
