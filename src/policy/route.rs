//! What a route asks of a request.

use std::sync::Arc;

use super::ProviderId;
use crate::cors::CorsPolicy;
use crate::jwt::TokenUse;
use crate::rules::RouteRules;

/// One route's rules.
#[derive(Debug)]
pub struct Route {
    /// The first of its patterns, as written: names it in logs and in the
    /// filter state.
    pub name: Arc<str>,
    /// Who may pass at all.
    pub access: Access,
    /// The providers that exist for this route; absent: every one.
    pub providers: Option<Vec<ProviderId>>,
    /// The `token_use` that a token must have here; a mismatch is 401.
    pub token_use: Option<TokenUse>,
    /// The scopes and claims; unmet ones are 403.
    pub rules: RouteRules,
    /// The CORS policy in force: its own, or the top-level one; absent: none.
    pub cors: Option<CorsPolicy>,
}

impl Route {
    /// Whether tokens of `provider` exist for this route.
    #[must_use]
    pub fn allows_provider(&self, provider: ProviderId) -> bool {
        self.providers
            .as_ref()
            .is_none_or(|allowed| allowed.contains(&provider))
    }
}

/// Who may pass a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everyone; credentials are not looked at.
    Public,
    /// Everyone without a token, and those with a good one.
    Optional,
    /// Those with a good token.
    #[default]
    Required,
    /// No one.
    Denied,
}
