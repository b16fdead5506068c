//! A policy as it is run: everything an answer needs, ready made.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::origin::OriginPattern;
use crate::http::is_token;

/// A policy without contradictions; cheap to clone, immutable.
///
/// Only [`CorsSpec::compile`](super::CorsSpec::compile) makes one, so what is
/// refused there (`*` with credentials, …) is true of no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsPolicy(Arc<Compiled>);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compiled {
    pub(super) origins: Origins,
    pub(super) methods: Methods,
    pub(super) headers: AllowedHeaders,
    /// `Access-Control-Expose-Headers` on the upstream's answers.
    pub(super) expose: Option<Box<str>>,
    /// The same on the filter's own.
    pub(super) expose_own: Box<str>,
    pub(super) credentials: bool,
    pub(super) private_network: bool,
    /// Seconds, in decimal.
    pub(super) max_age: Option<Box<str>>,
}

/// `allow_origins`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Origins {
    /// `*` is among them.
    pub(super) any: bool,
    pub(super) exact: BTreeSet<Arc<str>>,
    pub(super) wild: Vec<OriginPattern>,
    /// As written, for people; not too long.
    pub(super) shown: Box<str>,
}

/// `allow_methods`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Methods {
    /// Absent: what the path's routes have.
    OfRoutes,
    Listed {
        names: Vec<Box<str>>,
        /// `ANY` is among them.
        any: bool,
    },
}

/// `allow_headers`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AllowedHeaders {
    /// In lower case, sorted.
    pub(super) names: Vec<Box<str>>,
    /// `*` is among them.
    pub(super) any: bool,
    /// `Access-Control-Allow-Headers`; none if no header is allowed.
    pub(super) value: Option<Box<str>>,
    /// As written, for people; not too long.
    pub(super) shown: Box<str>,
}

impl CorsPolicy {
    pub(super) fn new(compiled: Compiled) -> Self {
        Self(Arc::new(compiled))
    }

    pub(super) fn compiled(&self) -> &Compiled {
        &self.0
    }

    /// Whether `Access-Control-Allow-Credentials` is sent.
    #[must_use]
    pub fn allows_credentials(&self) -> bool {
        self.0.credentials
    }

    /// Whether the origins name `null`, which every sandboxed frame can send.
    #[must_use]
    pub fn allows_null(&self) -> bool {
        self.0.origins.exact.contains("null")
    }

    /// Whether some origin is written with a `*`.
    #[must_use]
    pub fn has_wildcard_origins(&self) -> bool {
        self.0.origins.any || !self.0.origins.wild.is_empty()
    }
}

impl Origins {
    /// `*` and nothing else: the answer does not depend on the request.
    pub(super) fn is_constant(&self) -> bool {
        self.any && self.exact.is_empty() && self.wild.is_empty()
    }
}

impl AllowedHeaders {
    /// Whether the list allows a header that a preflight names, in any case.
    ///
    /// `*` never covers `Authorization` (Fetch, "CORS non-wildcard
    /// request-header name").
    pub(super) fn allow(&self, name: &[u8]) -> bool {
        let asked = || name.iter().map(u8::to_ascii_lowercase);
        let listed = self
            .names
            .binary_search_by(|known| known.bytes().cmp(asked()))
            .is_ok();
        listed || (self.any && is_token(name) && !name.eq_ignore_ascii_case(b"authorization"))
    }
}

/// The elements of a comma-separated header value without the blanks around
/// them (RFC 9110 section 5.6.1), empty ones included.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim_blanks)
}

fn trim_blanks(mut element: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = element {
        element = rest;
    }
    element
}
