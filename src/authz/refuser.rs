//! Completes the challenges of refusals.

use super::credentials::has_proof_scheme;
use super::{Challenge, Refusal, Scheme, Target, Verdict};
use crate::crypto::AlgorithmSet;
use crate::http::RequestHead;
use crate::policy::{Policy, Resource, Route};

/// Makes the verdict about a refused request.
///
/// Every refusal of a request with a known target is made here, so that its challenge
/// tells the client where the metadata of the resource are, and which scopes a token for
/// the request needs.
#[derive(Clone, Copy)]
pub(super) struct Refuser<'a> {
    pub(super) policy: &'a Policy,
    pub(super) head: &'a RequestHead,
    /// `None` if the target is ambiguous. The refusal then has no challenge.
    pub(super) target: Option<&'a Target<'a>>,
    /// `None` if the request has no route. The refusal then has no challenge.
    pub(super) route: Option<&'a Route>,
}

impl<'a> Refuser<'a> {
    /// Refuses the request. `lacks_scopes` says whether it is refused because its token
    /// lacks scopes. The challenge then names those that the route needs, and so does
    /// every 401 for a path of a resource.
    pub(super) fn refuse(&self, mut refusal: Refusal<'a>, lacks_scopes: bool) -> Verdict {
        let is_unauthorized = refusal.is_unauthorized();
        if let Some(challenge) = &mut refusal.challenge {
            let resource = self.resource();
            challenge.resource_metadata = resource.map(|resource| &*resource.metadata_url);
            if lacks_scopes || (is_unauthorized && resource.is_some()) {
                challenge.scope = self.scope(resource);
            }
        }
        self.add_scheme(&mut refusal);
        Verdict::refused(&refusal, &self.policy.responses)
    }

    /// Adds the challenge of the scheme `DPoP`, if the route accepts proofs or the request
    /// has used it. An error is in the challenge of the scheme that the request has used.
    fn add_scheme(&self, refusal: &mut Refusal<'a>) {
        let Some(challenge) = &mut refusal.challenge else {
            return;
        };
        let is_used = challenge.error.is_some() && has_proof_scheme(self.head);
        let algorithms = self.proof_algorithms();
        if is_used {
            // `Bearer` stays first: some clients take every 401 that begins with `DPoP` for
            // the request of a nonce.
            let bearer = challenge.beside(Scheme::Bearer, AlgorithmSet::EMPTY);
            let dpop = Challenge {
                scheme: Scheme::Dpop,
                algorithms,
                ..std::mem::replace(challenge, bearer)
            };
            let other = if refusal.nonce.is_some() {
                std::mem::replace(challenge, dpop)
            } else {
                dpop
            };
            refusal.alternative = Some(other);
        } else if !algorithms.is_empty() {
            refusal.alternative = Some(challenge.beside(Scheme::Dpop, algorithms));
        }
    }

    /// The algorithms of the proofs that the providers of the route accept.
    fn proof_algorithms(&self) -> AlgorithmSet {
        let Some(route) = self.route.filter(|_| self.policy.providers.accept_proofs()) else {
            return AlgorithmSet::EMPTY;
        };
        let providers = self.policy.providers.iter();
        let allowed = providers.filter(|(id, _)| route.allows_provider(*id));
        let rules = allowed.filter_map(|(_, provider)| provider.dpop.as_ref());
        rules.flat_map(|rules| rules.algorithms.iter()).collect()
    }

    fn resource(&self) -> Option<&'a Resource> {
        let host = self.target.and_then(Target::host);
        self.policy.resources.covering(self.head.path()?, host)
    }

    /// The scopes that a token for the route needs, as clients must ask for them.
    fn scope(&self, resource: Option<&Resource>) -> Option<Box<str>> {
        let implied = &self.policy.scope_implies;
        let mut scopes: Vec<&str> = Vec::new();
        for scope in self.route?.rules.challenge_scopes(implied) {
            let scope = resource.map_or(scope, |resource| resource.advertised(scope));
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        (!scopes.is_empty()).then(|| scopes.join(" ").into())
    }
}
