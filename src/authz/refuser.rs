//! Completes the challenges of refusals.

use super::{Refusal, Target, Verdict};
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
        Verdict::refused(&refusal, &self.policy.responses)
    }

    fn resource(&self) -> Option<&'a Resource> {
        let host = self.target.and_then(Target::host);
        self.policy.resources.covering(self.head.path()?, host)
    }

    /// The scopes that a token for the route needs, as clients must ask for them.
    fn scope(&self, resource: Option<&Resource>) -> Option<Box<str>> {
        let mut scopes = self.route?.rules.challenge_scopes();
        for scope in &mut scopes {
            *scope = resource.map_or(*scope, |resource| resource.advertised(scope));
        }
        (!scopes.is_empty()).then(|| scopes.join(" ").into())
    }
}
