//! The compiled policy, with precomputed header values.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::origin::OriginPattern;
use crate::http::is_token;

/// A valid policy; cheap to clone, immutable.
///
/// Only [`CorsSpec::compile`](super::CorsSpec::compile) makes one, so no policy
/// has what it refuses (`*` with credentials, …).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsPolicy(Arc<Compiled>);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compiled {
    pub(super) origins: Origins,
    pub(super) methods: Methods,
    pub(super) headers: AllowedHeaders,
    /// `Access-Control-Expose-Headers` on the upstream's responses.
    pub(super) expose: Option<Box<str>>,
    /// `Access-Control-Expose-Headers` on the filter's own responses.
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
    /// The configured entries for messages, truncated.
    pub(super) shown: Box<str>,
}

/// `allow_methods`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Methods {
    /// Not configured: the methods of the path's routes.
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
    /// `Access-Control-Allow-Headers`; `None` if no header is allowed.
    pub(super) value: Option<Box<str>>,
    /// The configured entries for messages, truncated.
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

    /// Whether `null` is listed, which every sandboxed frame can send.
    #[must_use]
    pub fn allows_null(&self) -> bool {
        self.0.origins.exact.contains("null")
    }

    /// Whether some origin has a wildcard.
    #[must_use]
    pub fn has_wildcard_origins(&self) -> bool {
        self.0.origins.any || !self.0.origins.wild.is_empty()
    }
}

impl Origins {
    /// Whether `*` is the only entry, so that the response does not depend on
    /// the request.
    pub(super) fn is_constant(&self) -> bool {
        self.any && self.exact.is_empty() && self.wild.is_empty()
    }
}

impl AllowedHeaders {
    /// Whether the list allows a header that a preflight requests, in any case.
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

/// The elements of a comma-separated header value, empty ones included, without
/// the blanks around them (RFC 9110 section 5.6.1).
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim_blanks)
}

fn trim_blanks(mut element: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = element {
        element = rest;
    }
    element
}
