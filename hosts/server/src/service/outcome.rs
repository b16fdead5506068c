//! What a proxy does with a decided request.

use std::sync::Arc;

use edge_authz::http::HeaderEdit;
use edge_authz::policy::{Policy, TokenPlace};

use super::Decision;

/// What a proxy does with a decided request.
#[derive(Debug)]
pub enum Outcome {
    /// The request continues to the upstream.
    Forward(Forwarded),
    /// The proxy answers the request with this reply.
    Reply(Replied),
}

impl Outcome {
    /// What is known about the decision.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        match self {
            Self::Forward(forwarded) => &forwarded.decision,
            Self::Reply(replied) => &replied.decision,
        }
    }
}

/// A request that continues, with its changes. Only a decision of the core makes one:
///
/// ```compile_fail,E0451
/// use std::sync::Arc;
/// use edge_authz::policy::Policy;
/// use edge_authz_server::service::{Decision, Forwarded};
/// fn forward(policy: Arc<Policy>, decision: Decision) -> Forwarded {
///     Forwarded { request: Vec::new(), response: Vec::new(), policy, decision }
/// }
/// ```
#[derive(Debug)]
pub struct Forwarded {
    request: Vec<HeaderEdit<'static>>,
    response: Vec<HeaderEdit<'static>>,
    policy: Arc<Policy>,
    decision: Decision,
}

impl Forwarded {
    pub(super) const fn new(
        request: Vec<HeaderEdit<'static>>,
        response: Vec<HeaderEdit<'static>>,
        policy: Arc<Policy>,
        decision: Decision,
    ) -> Self {
        Self {
            request,
            response,
            policy,
            decision,
        }
    }

    /// The changes of the request's header fields, in order. The removals are the client's
    /// copies of headers that only the filter may set, in every spelling in which the request
    /// has them.
    #[must_use]
    pub fn request_edits(&self) -> &[HeaderEdit<'static>] {
        &self.request
    }

    /// The client's copies of headers that only the filter may set, as the request spells
    /// their names.
    pub fn forged(&self) -> impl Iterator<Item = &[u8]> {
        let policy = &self.policy;
        self.request.iter().filter_map(|edit| match edit {
            HeaderEdit::Remove(name) if policy.upstream.owns(name) => Some(&**name),
            HeaderEdit::Remove(_) | HeaderEdit::Set(..) | HeaderEdit::Add(..) => None,
        })
    }

    /// The names of the headers that only the filter may set, in lower case.
    pub fn identity_headers(&self) -> impl Iterator<Item = &str> {
        self.policy.upstream.names()
    }

    /// Whether the filter may set a header of exactly this name.
    #[must_use]
    pub fn may_set(&self, name: &[u8]) -> bool {
        let mut names = self.identity_headers();
        names.any(|known| known.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The names of the headers in which clients send credentials, in lower case, each once.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        const COMMON: [&str; 3] = ["authorization", "cookie", "dpop"];
        let places = self.policy.token_places.iter();
        let others = places.filter_map(|place| match place {
            TokenPlace::Header { name, .. } => Some(&**name),
            TokenPlace::Cookie(_) | TokenPlace::Query(_) => None,
        });
        let others = others.filter(|name| !COMMON.contains(name));
        COMMON.into_iter().chain(others)
    }

    /// The changes of the response's header fields: its CORS headers, which replace those of
    /// the upstream, and a line of `Vary`. The upstream's response is not known here, so
    /// further CORS headers of its own stay.
    #[must_use]
    pub fn response_edits(&self) -> &[HeaderEdit<'static>] {
        &self.response
    }
}

/// A complete reply.
#[derive(Debug)]
pub struct Replied {
    /// The status code, from 200 to 599.
    pub status: u16,
    /// The header fields, CORS headers included. The body's length is not among them.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// What is known about the decision.
    pub decision: Decision,
}
