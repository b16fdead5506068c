//! What lets a request pass, and the request that passes.

use super::{Credentials, Unenforced};
use crate::http::{HeaderEdit, RequestHead};
use crate::policy::{Access, IdentityHeaders, Route};
use crate::rules::Permit;
use crate::telemetry::Reason;

/// The permission for a request to pass its route. Only this module makes one, either
/// from a route that needs no token, from the [`Permit`] of a token, or from a refusal
/// that is only reported:
///
/// ```compile_fail,E0423
/// use edge_authz::authz::{OpenRoute, Pass};
/// let pass = Pass::Public(OpenRoute(()));
/// ```
///
/// ```compile_fail,E0624
/// fn skip(route: &edge_authz::policy::Route) {
///     let _ = edge_authz::authz::Pass::public(route);
/// }
/// ```
///
/// ```compile_fail,E0451
/// use edge_authz::authz::{Pass, Unenforced};
/// use edge_authz::telemetry::Reason;
/// let reason = Reason::Expired;
/// let pass = Pass::Reported(Unenforced { reason, route: None, provider: None });
/// ```
#[derive(Debug)]
#[must_use]
pub enum Pass {
    /// The route is public.
    Public(OpenRoute),
    /// The route's token is optional, and the request has none.
    Anonymous(OpenRoute),
    /// The token meets the route's rules.
    Token(Permit),
    /// The request would be refused or wait, but this is only reported.
    Reported(Unenforced),
}

/// The proof that a route needs no token.
#[derive(Debug)]
pub struct OpenRoute(());

impl Pass {
    /// The pass of a public route.
    pub(super) fn public(route: &Route) -> Option<Self> {
        let is_open = route.access == Access::Public;
        is_open.then_some(Self::Public(OpenRoute(())))
    }

    /// The pass of a request without a token on a route where the token is
    /// optional. Text that another reader may take for a token does not count as
    /// absent.
    pub(super) fn anonymous(route: &Route, credentials: &Credentials<'_>) -> Option<Self> {
        let has_none = matches!(credentials, Credentials::None);
        let is_open = has_none && route.access == Access::Optional;
        is_open.then_some(Self::Anonymous(OpenRoute(())))
    }

    /// Why the request passes.
    const fn reason(&self) -> Reason {
        match self {
            Self::Public(_) => Reason::Public,
            Self::Anonymous(_) => Reason::Anonymous,
            Self::Token(_) => Reason::Allowed,
            Self::Reported(_) => Reason::Reported,
        }
    }
}

/// A request that is forwarded to the upstream, and what is known about it. It cannot be
/// made without a [`Pass`]:
///
/// ```compile_fail,E0624
/// use edge_authz::authz::{Forward, Pass};
/// fn forward(
///     pass: Pass,
///     head: &edge_authz::http::RequestHead,
///     headers: &edge_authz::policy::IdentityHeaders,
/// ) -> Forward {
///     Forward::new(pass, head, headers)
/// }
/// ```
///
/// ```compile_fail,E0451
/// use edge_authz::authz::{Forward, Pass};
/// fn forward(pass: Pass) -> Forward {
///     Forward { pass, also: None, edits: Vec::new(), subject: None, dropped: 0 }
/// }
/// ```
///
/// ```compile_fail,E0277
/// fn make<T: Default>() -> T { T::default() }
/// let forward: edge_authz::authz::Forward = make();
/// ```
#[derive(Debug)]
pub struct Forward {
    pass: Pass,
    /// The refusal that is reported if two policies judged the request.
    pub(super) also: Option<Box<Unenforced>>,
    /// The changes of its header fields, in order.
    pub edits: Vec<HeaderEdit<'static>>,
    /// The token's `sub`, if the policy publishes it and it can be written to a log line.
    pub subject: Option<Box<str>>,
    /// The number of identity headers that are omitted because a value cannot be sent in
    /// a header.
    pub dropped: usize,
}

impl Forward {
    /// Makes the forwarded request. It lacks the client's copies of the headers that the
    /// filter may set, in every spelling.
    pub(super) fn new(pass: Pass, head: &RequestHead, headers: &IdentityHeaders) -> Self {
        let mut edits = Vec::new();
        for name in headers.owned_in(head.headers()) {
            let removal = HeaderEdit::Remove(name.to_vec().into());
            if !edits.contains(&removal) {
                edits.push(removal);
            }
        }
        Self {
            pass,
            also: None,
            edits,
            subject: None,
            dropped: 0,
        }
    }

    /// Why the request passes.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match &self.also {
            Some(_) => Reason::Reported,
            None => self.pass.reason(),
        }
    }

    /// The refusal that is only reported, if the request would not have passed.
    #[must_use]
    pub fn unenforced(&self) -> Option<&Unenforced> {
        match (&self.also, &self.pass) {
            (Some(unenforced), _) => Some(unenforced),
            (None, Pass::Reported(unenforced)) => Some(unenforced),
            (None, Pass::Public(_) | Pass::Anonymous(_) | Pass::Token(_)) => None,
        }
    }

    /// Whether a token has identified the client.
    pub(super) const fn is_identified(&self) -> bool {
        matches!(self.pass, Pass::Token(_))
    }
}
