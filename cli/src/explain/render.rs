//! Describes the steps of a decision in words, as the core reports them.

use edge_authz::authz::{self, Trace};
use edge_authz::http::RequestHead;
use edge_authz::jwt::ValidClaims;
use edge_authz::policy::{Policy, Provider, Route};
use edge_authz::rules::{Missing, RequestParts};

use super::moment::Moment;
use super::place;
use super::step::{Result, Step};
use super::token;
use crate::patterns::Written;

/// Describes each step of a decision.
pub(crate) struct Renderer<'a> {
    pub(crate) policy: &'a Policy,
    /// The patterns of its routes, as written.
    pub(crate) written: &'a [Written],
    pub(crate) head: &'a RequestHead,
    pub(crate) now: Moment,
    pub(crate) steps: Vec<Step>,
}

impl Trace for Renderer<'_> {
    fn step(&mut self, step: authz::Step<'_>) {
        let (policy, head, now) = (self.policy, self.head, self.now);
        let step = match step {
            authz::Step::Connection { names_identity } => {
                place::headers(policy, head, names_identity)
            }
            // The path is reported as the step that passes.
            authz::Step::Method {
                has_one_reading: true,
            } => return,
            authz::Step::Method {
                has_one_reading: false,
            } => place::method(head),
            authz::Step::Path(path) => place::path(head, path),
            // It is one step with the path.
            authz::Step::Host(host) => {
                if let Some(path) = self.steps.last_mut() {
                    place::add_host(path, host);
                }
                return;
            }
            authz::Step::Metadata {
                resource,
                is_answered,
            } => place::metadata(resource, is_answered),
            authz::Step::Preflight(preflight) => place::preflight(preflight),
            authz::Step::Route { target, reached } => {
                place::route((policy, self.written), head, target, reached)
            }
            authz::Step::BadMcp {
                target,
                bad,
                lacks_token,
            } => place::bad_mcp(target, bad, lacks_token),
            authz::Step::Credentials(credentials, route) => {
                token::credentials(policy, credentials, route)
            }
            authz::Step::Malformed(text, error) => token::malformed(text, error),
            authz::Step::Form(form, candidates) => token::form(form, candidates),
            authz::Step::Key(provider, form, key) => token::key(provider, form, key),
            authz::Step::Claims {
                provider,
                route,
                jwt,
                request,
                result,
            } => match result {
                Ok(()) => token::claims_hold(provider, jwt, now),
                Err(fault) => token::claims_do_not_hold(provider, route, jwt, request, now, fault),
            },
            authz::Step::Revocation(of, outcome) => token::revocation(of, outcome),
            authz::Step::Rules {
                provider,
                route,
                claims,
                request,
                result,
            } => self.rules(provider, route, claims, request, result),
        };
        // If the request is refused, it is not worth showing that it is not a preflight.
        if step.result == Result::Decided || step.name != "preflight" || !self.is_decided() {
            self.steps.push(step);
        }
    }
}

impl Renderer<'_> {
    fn rules(
        &self,
        provider: &Provider,
        route: &Route,
        claims: ValidClaims<'_>,
        request: &dyn RequestParts,
        result: std::result::Result<(), Missing>,
    ) -> Step {
        let grounds = token::Grounds {
            implied: &self.policy.scope_implies,
            now: self.now,
            provider,
            claims,
            request,
        };
        token::rules(&grounds, route, result)
    }

    /// Whether the last step has made the decision.
    fn is_decided(&self) -> bool {
        self.steps
            .last()
            .is_some_and(|last| last.result == Result::Decided)
    }
}
