//! What a route requires of a request.

use std::sync::Arc;

use super::routes::McpCondition;
use super::{Mode, ProviderId};
use crate::cors::CorsPolicy;
use crate::jwt::TokenUse;
use crate::rules::RouteRules;

/// One route's rules.
#[derive(Debug)]
pub struct Route {
    /// The first of its patterns, as written. It is the route's name in logs and
    /// in the filter state.
    pub name: Arc<str>,
    /// The MCP requests that the route is for, for descriptions; `None`: every request.
    pub mcp: Option<Box<McpCondition>>,
    /// Whether its refusals are enforced: its own mode, or that of the policy.
    pub mode: Mode,
    /// Who may pass.
    pub access: Access,
    /// The providers that the route allows; absent: every provider.
    pub providers: Option<Vec<ProviderId>>,
    /// The `token_use` that a token must have here. A mismatch leads to 401.
    pub token_use: Option<TokenUse>,
    /// The required scopes and claims. Unmet ones lead to 403.
    pub rules: RouteRules,
    /// The CORS policy in force: its own or the top-level one; absent: no
    /// policy.
    pub cors: Option<CorsPolicy>,
}

impl Route {
    /// Whether the route allows `provider`.
    #[must_use]
    pub fn allows_provider(&self, provider: ProviderId) -> bool {
        self.providers
            .as_ref()
            .is_none_or(|allowed| allowed.contains(&provider))
    }

    /// Whether the route refuses requests, rather than only reporting them. A denied route
    /// refuses in any mode.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce || self.access == Access::Denied
    }
}

/// Who may pass a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everyone; credentials are not checked.
    Public,
    /// Requests without a token, and those with a valid one.
    Optional,
    /// Requests with a valid token.
    #[default]
    Required,
    /// No one.
    Denied,
}
