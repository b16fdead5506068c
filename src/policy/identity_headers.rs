//! What the upstream learns of a request's token.

use std::collections::BTreeSet;

use crate::http::FoldedName;
use crate::rules::ClaimName;

/// The headers that hold credentials by their standards. None of them may be a
/// trailer (RFC 9110 section 6.5.1), and an upstream that merges trailers would
/// read credentials there that nobody has judged.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "dpop", "proxy-authorization"];

/// The headers that the filter sets on the way to the upstream.
#[derive(Debug, Default)]
pub struct IdentityHeaders {
    /// Whether the token that was verified stays where it was.
    pub keep_token: bool,
    /// Claims, each in a header.
    pub claims: Vec<ClaimHeader>,
    /// The header that gets the token's claims part as received.
    pub payload: Option<Box<str>>,
    /// The header that gets what a Lambda finds under `authorizer.jwt`.
    pub context: Option<Box<str>>,
    owned: Vec<FoldedName>,
    /// The headers that hold credentials, that tokens come from and that rules
    /// compare claims with, each once.
    judged: Vec<FoldedName>,
}

impl IdentityHeaders {
    /// Puts the headers together. Names are in lower case; no two fold together.
    #[must_use]
    pub fn new(
        keep_token: bool,
        claims: Vec<ClaimHeader>,
        payload: Option<Box<str>>,
        context: Option<Box<str>>,
    ) -> Self {
        let names = claims
            .iter()
            .map(|claim| &claim.header)
            .chain(&payload)
            .chain(&context);
        let owned = names.map(|name| FoldedName::of(name.as_bytes())).collect();
        Self {
            keep_token,
            claims,
            payload,
            context,
            owned,
            judged: Vec::new(),
        }
    }

    /// The same for a policy that takes tokens from these headers, or compares
    /// claims with them.
    #[must_use]
    pub fn with_judged<'n>(self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().chain(CREDENTIALS).map(str::as_bytes);
        let judged: BTreeSet<_> = names.map(FoldedName::of).collect();
        Self {
            judged: judged.into_iter().collect(),
            ..self
        }
    }

    /// Whether a client's header of this name must not reach the upstream:
    /// it is one that the filter may set, under any spelling that an upstream
    /// may fold together with it (`x_user_id`, `x.user.id`).
    #[must_use]
    pub fn owns(&self, name: &[u8]) -> bool {
        self.owned.iter().any(|owned| owned.covers(name))
    }

    /// Whether a client's trailer of this name must not reach the upstream,
    /// which may take it for a header: for one that the filter may set, for
    /// credentials, or for a second value of one that is judged.
    #[must_use]
    pub fn removes_trailer(&self, name: &[u8]) -> bool {
        self.owns(name) || self.judged.iter().any(|header| header.covers(name))
    }
}

/// A claim that goes to the upstream in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The header's name, in lower case.
    pub header: Box<str>,
    /// The claim.
    pub claim: ClaimName,
    /// How an array is written.
    pub format: ClaimFormat,
}

/// How an array goes into a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClaimFormat {
    /// As JSON.
    #[default]
    Json,
    /// Members with commas between; a member with a comma leaves the header absent.
    Csv,
}
