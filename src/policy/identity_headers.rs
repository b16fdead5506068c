//! The identity headers that the upstream receives.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::http::{FoldedName, HeaderMap, Lengths};
use crate::rules::ClaimName;

/// The headers that hold credentials by their standards. None of them may be a
/// trailer (RFC 9110 section 6.5.1). An upstream that merges trailers into
/// headers would read unverified credentials there.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "dpop", "proxy-authorization"];

/// The headers that the filter sets on the way to the upstream.
#[derive(Debug, Default)]
pub struct IdentityHeaders {
    /// Whether the verified token is left in the request.
    pub keep_token: bool,
    /// Claims, each in a header.
    pub claims: Vec<ClaimHeader>,
    /// The header that receives the token's claims part as received.
    pub payload: Option<Arc<str>>,
    /// The header that receives what a Lambda function finds under
    /// `authorizer.jwt`.
    pub context: Option<Arc<str>>,
    owned: Vec<FoldedName>,
    /// The lengths of their names.
    owned_lengths: Lengths,
    /// The headers that hold credentials, that tokens are read from, and that
    /// rules compare claims with, each once.
    judged: Vec<FoldedName>,
}

impl IdentityHeaders {
    /// Puts the headers together. Names are in lower case, and no two fold to
    /// the same name.
    #[must_use]
    pub fn new(
        keep_token: bool,
        claims: Vec<ClaimHeader>,
        payload: Option<Arc<str>>,
        context: Option<Arc<str>>,
    ) -> Self {
        let headers = Self {
            keep_token,
            claims,
            payload,
            context,
            owned: Vec::new(),
            owned_lengths: Lengths::default(),
            judged: Vec::new(),
        };
        let names = headers.names();
        let owned = names.map(|name| FoldedName::of(name.as_bytes())).collect();
        let owned_lengths = headers.names().map(str::len).collect();
        Self {
            owned,
            owned_lengths,
            ..headers
        }
    }

    /// The names of the headers that the filter may set, in lower case.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let claims = self.claims.iter().map(|claim| &claim.header);
        let names = claims.chain(&self.payload).chain(&self.context);
        names.map(|name| &**name)
    }

    /// Adds the headers that tokens are read from or that rules compare claims
    /// with.
    #[must_use]
    pub fn with_judged<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().chain(CREDENTIALS).map(str::as_bytes);
        let judged: BTreeSet<_> = names.map(FoldedName::of).collect();
        Self {
            judged: judged.into_iter().collect(),
            ..self
        }
    }

    /// Whether a client's header of this name must be removed before the
    /// upstream: it is one that the filter may set, in any spelling that an
    /// upstream may fold to the same name (`x_user_id`, `x.user.id`).
    #[must_use]
    pub fn owns(&self, name: &[u8]) -> bool {
        self.owned.iter().any(|owned| owned.covers(name))
    }

    /// The names of all fields that [must be removed](Self::owns), as they are written.
    pub fn owned_in<'h>(&self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h [u8]> {
        let names = headers.names_of(self.owned_lengths);
        names.filter(|name| self.owns(name))
    }

    /// Whether a client's trailer of this name must be removed before the
    /// upstream. The upstream may take it for a header that the filter may set,
    /// for credentials, or for a second value of a header that the filter
    /// judges.
    #[must_use]
    pub fn removes_trailer(&self, name: &[u8]) -> bool {
        self.owns(name) || self.judged.iter().any(|header| header.covers(name))
    }
}

/// A claim that is sent to the upstream in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The header's name, in lower case.
    pub header: Arc<str>,
    /// The claim.
    pub claim: ClaimName,
    /// How an array is written.
    pub format: ClaimFormat,
}

/// How an array is written to a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimFormat {
    /// As JSON.
    #[default]
    Json,
    /// Members separated by commas. If a member contains a comma, the header is
    /// left out.
    Csv,
}
