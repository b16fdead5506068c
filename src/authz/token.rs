//! Judges a token with the providers that a route allows.

use std::cell::OnceCell;
use std::sync::Arc;

use super::candidates::Candidates;
use super::credentials::Token;
use super::form::{Form, Signed, Tried};
use super::sender::Sender;
use super::signature::Obstacle;
use super::{
    Absent, Challenge, Context, Decision, Facts, Forward, Learned, NeededDocument, Parts, Pass,
    Refusal, Refuser, ResponseNonce, Sought, Step, TokenFault, Trace, Verdict, Verified, identity,
};
use crate::http::RequestHead;
use crate::jwk::AskedKid;
use crate::jwt::{CheckedClaims, ValidClaims, VerifiedJwt};
use crate::policy::routes::RouteMatch;
use crate::policy::{Mode, Policy, Provider, ProviderId, Route, SourceId};
use crate::rules::{Grounds, Missing};
use crate::telemetry::{FilterState, Reason};

/// The inputs for judging a token.
pub(super) struct TokenJudge<'a, T> {
    pub(super) policy: &'a Policy,
    pub(super) head: &'a RequestHead,
    pub(super) context: Context<'a>,
    pub(super) route: &'a Route,
    pub(super) found: &'a RouteMatch<'a>,
    pub(super) token: &'a Token<'a>,
    pub(super) refuser: Refuser<'a>,
    /// What happens to the nonce of the response.
    pub(super) nonce: Option<ResponseNonce>,
    pub(super) trace: &'a mut T,
}

impl<'a, T: Trace> TokenJudge<'a, T> {
    /// Judges the token. The first provider of its issuer that accepts it
    /// decides. A provider that the route does not allow is not considered.
    pub(super) fn judge(mut self, form: &Form<'_>) -> Decision {
        let candidates = Candidates::new(&self.policy.providers, self.route, form.issuer());
        self.trace.step(Step::Form(form, &candidates));
        let mut learned = Learned {
            recalled: Some(form.is_remembered()),
            ..Learned::default()
        };
        let mut tried = Tried::default();
        let kid = form.kid().map(AskedKid::new);
        let mut missing: Option<(Vec<NeededDocument>, &Provider)> = None;
        let mut furthest: Option<(TokenFault, &Provider)> = None;
        for (id, provider) in candidates.iter() {
            let signed = self.authenticate(form, kid.as_ref(), provider, &mut tried);
            let jwt = signed.map(|Signed { jwt, new }| {
                if new {
                    learned.verified = Some(Box::new(Verified::new(form, id, &jwt)));
                }
                jwt
            });
            let accepted = jwt.as_ref().map_err(|obstacle| *obstacle);
            let fault = match accepted.and_then(|jwt| self.accept(jwt, provider)) {
                Ok(claims) => {
                    learned.doubted = Vec::new();
                    return self.satisfied(provider, claims, learned);
                }
                Err(Obstacle::Fault(fault)) => fault,
                Err(Obstacle::Doubt(fault, source)) => {
                    learned.doubted.push(source);
                    fault
                }
                Err(Obstacle::Absent(source)) => {
                    learned.lacks(source, kid.as_ref());
                    TokenFault::UnknownKey
                }
                Err(Obstacle::Needs(needed)) => {
                    learned.needs_certificate = form.names_certificate();
                    // Two providers may share a source.
                    let (all, _) = missing.get_or_insert_with(|| (Vec::new(), provider));
                    if let Err(place) = all.binary_search(&needed) {
                        all.insert(place, needed);
                    }
                    continue;
                }
            };
            if furthest.is_none_or(|(known, _)| known < fault) {
                furthest = Some((fault, provider));
            }
        }
        if self.route.mode == Mode::Report
            && let Some((needed, _)) = &missing
        {
            learned.seek(needed, kid.as_ref());
        }
        self.unaccepted(missing, furthest, learned)
    }

    /// Makes the decision about a token that no provider accepts: the request waits if the
    /// keys of one are missing.
    fn unaccepted(
        &self,
        missing: Option<(Vec<NeededDocument>, &Provider)>,
        furthest: Option<(TokenFault, &Provider)>,
        learned: Learned,
    ) -> Decision {
        let refused = |refusal: Refusal<'a>| self.refuser.refuse(refusal, false);
        let (verdict, provider) = match (missing, furthest) {
            (Some((needed, provider)), _) => (Verdict::Wait(needed), Some(provider)),
            (None, Some((fault, provider))) => (self.refused(fault), Some(provider)),
            (None, None) => (refused(Reason::UnknownIssuer.into()), None),
        };
        Decision {
            verdict,
            facts: Facts::of_provider(provider),
            learned,
        }
    }

    /// Refuses a token. A client whose proof lacks a good nonce gets one.
    fn refused(&self, fault: TokenFault) -> Verdict {
        let mut refusal = Refusal::from(fault);
        if fault.asks_for_nonce() {
            let now = self.context.now;
            refusal.nonce = self.context.proofs.nonces(now).issue(now);
        }
        self.refuser.refuse(refusal, false)
    }

    /// The claims of a token that a provider accepts now, and that its holder presents.
    fn accept<'t>(
        &mut self,
        jwt: &'t VerifiedJwt,
        provider: &Provider,
    ) -> Result<ValidClaims<'t>, Obstacle> {
        let request = self.parts();
        let claims = match self.check(jwt, provider) {
            Ok(claims) => {
                self.check_revocation(claims, provider)?;
                self.check_sender(claims, provider)
            }
            Err(fault) => Err(fault),
        };
        self.trace.step(Step::Claims {
            provider,
            route: self.route,
            jwt,
            request: &request,
            result: claims.map(|_| ()),
        });
        claims.map_err(Obstacle::Fault)
    }

    /// The claims, if they are valid now and for this route.
    fn check<'t>(
        &self,
        jwt: &'t VerifiedJwt,
        provider: &Provider,
    ) -> Result<CheckedClaims<'t>, TokenFault> {
        let now = self.context.now;
        let claims = jwt.check(&provider.expectations, &self.parts(), now);
        let claims = claims.map_err(TokenFault::Claim)?;
        if let Some(token_use) = self.route.token_use {
            claims
                .check_token_use(token_use)
                .map_err(|_| TokenFault::RouteTokenUse)?;
        }
        Ok(claims)
    }

    /// Checks the sender, at last. A proof of possession can be used once, so nothing else
    /// may refuse the token after it.
    fn check_sender<'t>(
        &mut self,
        claims: CheckedClaims<'t>,
        provider: &Provider,
    ) -> Result<ValidClaims<'t>, TokenFault> {
        let sender = Sender {
            head: self.head,
            token: self.token,
            context: self.context,
            proofs: provider.dpop.as_ref(),
            nonce: OnceCell::new(),
        };
        let claims = claims.held_by(&sender)?;
        self.nonce = sender.nonce.into_inner();
        Ok(claims)
    }

    /// Makes the decision about a token that a provider accepts.
    fn satisfied(
        &mut self,
        provider: &Provider,
        claims: ValidClaims<'_>,
        learned: Learned,
    ) -> Decision {
        let mut verdict = self.by_rules(provider, claims);
        let nonce = self.nonce.take();
        if let (Verdict::Reply(_, reply), Some(nonce)) = (&mut verdict, &nonce) {
            reply.headers.extend(nonce.header());
        }
        let expectations = &provider.expectations;
        let is_good = matches!(verdict, Verdict::Forward(_));
        Decision {
            verdict,
            facts: Facts {
                nonce: nonce.filter(|_| is_good),
                issuer: is_good.then(|| Arc::clone(&expectations.issuer)),
                ..Facts::of_provider(Some(provider))
            },
            learned,
        }
    }

    /// Lets the request pass with its identity headers if the token meets the route's
    /// scopes and claims.
    fn by_rules(&mut self, provider: &Provider, claims: ValidClaims<'_>) -> Verdict {
        let Self {
            policy,
            head,
            route,
            token,
            ..
        } = *self;
        let request = self.parts();
        let permit = route.rules.grant(&Grounds {
            claims: &claims,
            scope_claims: &provider.scope_claims,
            implied: &policy.scope_implies,
            request: &request,
            now: self.context.now,
            clock_skew: provider.expectations.clock_skew,
        });
        self.trace.step(Step::Rules {
            provider,
            route,
            claims,
            request: &request,
            result: permit.as_ref().map(|_| ()).map_err(|missing| *missing),
        });
        let permit = match permit {
            Ok(permit) => permit,
            Err(missing) => return self.lacking(missing),
        };
        let mut forward = Forward::new(Pass::Token(permit), head, &policy.upstream);
        if !policy.upstream.keep_token {
            token.remove(head, &policy.token_places, &mut forward.edits);
        }
        identity::add(&mut forward, &policy.upstream, claims, provider, route);
        if policy.filter_state.contains(&FilterState::Subject) {
            forward.subject = identity::subject(claims);
        }
        Verdict::Forward(forward)
    }

    /// Refuses a valid token that does not meet the rules. The challenge names the route's
    /// scopes if a token with them would be accepted.
    fn lacking(&self, missing: Missing) -> Verdict {
        match missing {
            Missing::AuthenticationLevel => {
                self.unauthenticated("A different authentication level is required")
            }
            Missing::AuthenticationAge => {
                self.unauthenticated("More recent authentication is required")
            }
            Missing::Scopes => self.refuser.refuse(Reason::MissingScope.into(), true),
            Missing::NoForbiddenScope => self.refuser.refuse(Reason::MissingScope.into(), false),
            Missing::Claims => self.refuser.refuse(Reason::MissingClaim.into(), false),
        }
    }

    /// Refuses a valid token whose user must authenticate in another way, or again.
    fn unauthenticated(&self, description: &'static str) -> Verdict {
        let reason = Reason::InsufficientUserAuthentication;
        let refusal = Refusal::described(reason, description);
        let wanted = self.route.rules.authentication.as_deref();
        let challenge = refusal.challenge.map(|challenge| Challenge {
            acr_values: wanted.and_then(|wanted| wanted.acr_values.as_deref()),
            max_age: wanted.and_then(|wanted| Some(wanted.max_age?.as_secs())),
            ..challenge
        });
        let refusal = Refusal {
            challenge,
            ..refusal
        };
        self.refuser.refuse(refusal, false)
    }

    const fn parts(&self) -> Parts<'a> {
        Parts {
            head: self.head,
            found: self.found,
        }
    }
}

impl Facts {
    fn of_provider(provider: Option<&Provider>) -> Self {
        Self {
            provider: provider.map(|provider| Arc::clone(&provider.name)),
            ..Self::default()
        }
    }
}

impl Verified {
    fn new(form: &Form<'_>, provider: ProviderId, jwt: &Arc<VerifiedJwt>) -> Self {
        Self {
            token: form.text().into(),
            provider,
            jwt: Arc::clone(jwt),
        }
    }
}

impl Learned {
    /// Records the `kid` for which the request would wait.
    #[cold]
    fn seek(&mut self, needed: &[NeededDocument], kid: Option<&AskedKid<'_>>) {
        let Some(kid) = kid else { return };
        let lacking = needed.iter().filter(|needed| needed.lacks_kid);
        let sources: Vec<_> = lacking.map(|needed| needed.source).collect();
        if !sources.is_empty() {
            let kid = *kid.digest();
            self.sought = Some(Box::new(Sought { kid, sources }));
        }
    }

    fn lacks(&mut self, source: SourceId, kid: Option<&AskedKid<'_>>) {
        let Some(kid) = kid else { return };
        let absent = self.absent.get_or_insert_with(|| {
            Box::new(Absent {
                kid: kid.text().into(),
                sources: Vec::new(),
            })
        });
        absent.sources.push(source);
    }
}
