//! The providers that may trust a token.

use crate::policy::{Provider, ProviderId, Providers, Route};

/// The providers of a token's issuer at a route, in the configured order. A
/// provider that the route does not allow is not considered.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    providers: &'a Providers,
    route: &'a Route,
    issuer: &'a str,
}

impl<'a> Candidates<'a> {
    pub(super) const fn new(providers: &'a Providers, route: &'a Route, issuer: &'a str) -> Self {
        Self {
            providers,
            route,
            issuer,
        }
    }

    /// The providers that judge the token, until one accepts it.
    pub fn iter(&self) -> impl Iterator<Item = (ProviderId, &'a Provider)> + use<'a> {
        let Self { route, .. } = *self;
        self.of_issuer()
            .filter(|(id, _)| route.allows_provider(*id))
    }

    /// The providers that the route does not allow.
    pub fn excluded(&self) -> impl Iterator<Item = &'a Provider> + use<'a> {
        let Self { route, .. } = *self;
        let excluded = self.of_issuer();
        let excluded = excluded.filter(|(id, _)| !route.allows_provider(*id));
        excluded.map(|(_, provider)| provider)
    }

    fn of_issuer(&self) -> impl Iterator<Item = (ProviderId, &'a Provider)> + use<'a> {
        self.providers.of_issuer(self.issuer)
    }
}
