//! The headers of responses to actual requests.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::origin::OriginPattern;
use super::policy::{CorsPolicy, Origins, elements};
use crate::http::{EditedName, HeaderEdit, is_same_name};

/// The value of a request's `Origin` lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    Absent,
    One(&'a [u8]),
    Repeated,
}

/// Whether the policy allows an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    No,
    /// Allowed by `*` only.
    Any,
    /// Allowed by name or by a pattern.
    Named(Arc<str>),
}

/// The CORS headers of the response to one request, whether it comes from the
/// upstream, the filter or Envoy.
///
/// It is made when the request arrives and kept until its response. It is not
/// used for an answered preflight, which has all its headers already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCors {
    policy: CorsPolicy,
    origin: Allowed,
    /// Whether the filter gives the response a `DPoP-Nonce`, which the page needs.
    exposes_nonce: bool,
}

const PREFIX: &[u8] = b"access-control-";

/// The header with a nonce for the next proof (RFC 9449 section 8.1).
const NONCE: &str = "DPoP-Nonce";

impl ResponseCors {
    /// Checks the origin of a request, given every value of its `Origin`.
    ///
    /// It never refuses the request: if the origin is not allowed, or there are
    /// several, the response gets no CORS headers.
    pub fn for_request<'a>(
        policy: &CorsPolicy,
        origins: impl IntoIterator<Item = &'a [u8]>,
    ) -> Self {
        let known = &policy.compiled().origins;
        let origin = origins.into_iter().fold(Origin::Absent, Origin::and);
        Self {
            origin: if known.is_constant() {
                Allowed::Any
            } else {
                known.judge(origin)
            },
            policy: policy.clone(),
            exposes_nonce: false,
        }
    }

    /// The CORS headers for a response to which the filter adds a `DPoP-Nonce`, or does not.
    /// Replies of the filter with one expose it in any case.
    #[must_use]
    pub const fn exposing_nonce(mut self, is_added: bool) -> Self {
        self.exposes_nonce = is_added;
        self
    }

    /// The CORS headers for a request that two policies judge, of which the second one
    /// narrows the first. An origin is allowed if both allow it. The first policy
    /// determines what an allowed origin may read.
    #[must_use]
    pub fn narrowed(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(_), Some(second)) if second.origin == Allowed::No => Some(second),
            (None, second) => second,
            (first, _) => first,
        }
    }

    /// The bytes of memory that it takes for this request alone.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match &self.origin {
            Allowed::Named(origin) => origin.len(),
            Allowed::No | Allowed::Any => 0,
        }
    }

    /// The edits that give a response its CORS headers. `own` is whether the
    /// filter made the response itself; then the page may read the challenge.
    ///
    /// The edits are idempotent.
    pub fn apply<'a>(
        &'a self,
        response: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        own: bool,
    ) -> Vec<HeaderEdit<'a>> {
        // At most three headers are set, and each of the upstream's headers is removed
        // once.
        let mut edits = Vec::with_capacity(4);
        let mut removed = BTreeSet::new();
        let mut vary = Vec::new();
        let mut exposes_nonce = self.exposes_nonce;
        for (name, value) in response {
            if starts_with_ignore_case(name, PREFIX) {
                // Browsers refuse a response with two of these headers, and this
                // policy decides, not the upstream.
                if removed.insert(name) {
                    edits.push(HeaderEdit::Remove(name.into()));
                }
            } else if is_same_name(name, b"vary") {
                vary.push(value);
            } else if own && is_same_name(name, NONCE.as_bytes()) {
                exposes_nonce = true;
            }
        }
        self.allow((own, exposes_nonce), &removed, &mut edits);
        if !self.policy.compiled().origins.is_constant() {
            edits.extend(vary_origin(&vary));
        }
        edits
    }

    /// `present`: the names of these headers that the response already has.
    fn allow<'a>(
        &'a self,
        (own, exposes_nonce): (bool, bool),
        present: &BTreeSet<&[u8]>,
        edits: &mut Vec<HeaderEdit<'a>>,
    ) {
        let policy = self.policy.compiled();
        let mut set = |name: &'static str, value: Cow<'a, str>| {
            let is_it = |known: &&[u8]| known.eq_ignore_ascii_case(name.as_bytes());
            let present = present.iter().any(is_it);
            let name = name.as_bytes().into();
            let value = match value {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            };
            edits.push(if present {
                HeaderEdit::Set(name, value)
            } else {
                HeaderEdit::Add(name, value)
            });
        };
        match &self.origin {
            Allowed::No => return,
            Allowed::Any => set("access-control-allow-origin", "*".into()),
            Allowed::Named(origin) => {
                set("access-control-allow-origin", Cow::Borrowed(&**origin));
                if policy.credentials {
                    set("access-control-allow-credentials", "true".into());
                }
            }
        }
        let expose = if own {
            Some(&*policy.expose_own)
        } else {
            policy.expose.as_deref()
        };
        let expose = if exposes_nonce {
            Some(with_nonce(expose))
        } else {
            expose.map(Cow::Borrowed)
        };
        if let Some(names) = expose {
            set("access-control-expose-headers", names);
        }
    }
}

/// The exposed headers with that of the nonce.
fn with_nonce(names: Option<&str>) -> Cow<'_, str> {
    let Some(names) = names else {
        return Cow::Borrowed(NONCE);
    };
    // `*` covers it: it is never combined with credentials.
    let mut known = elements(names.as_bytes());
    if known.any(|name| name == b"*" || name.eq_ignore_ascii_case(NONCE.as_bytes())) {
        return Cow::Borrowed(names);
    }
    Cow::Owned(format!("{names}, {NONCE}"))
}

/// Adds `Origin` to the response's `Vary`, as one line. Otherwise caches would
/// give one origin's response to another. The result has `Origin` once, however
/// often the upstream wrote it.
fn vary_origin<'a>(lines: &[&[u8]]) -> Option<HeaderEdit<'a>> {
    let name = EditedName::from(b"vary".as_slice());
    if lines.is_empty() {
        return Some(HeaderEdit::Add(name, Cow::Borrowed(b"Origin")));
    }
    let values = || {
        lines
            .iter()
            .flat_map(|line| elements(line))
            .filter(|element| !element.is_empty())
    };
    let is_origin = |element: &&[u8]| element.eq_ignore_ascii_case(b"origin");
    match values().filter(is_origin).count() {
        // `*` covers every name.
        0 if values().any(|element| element == b"*") => return None,
        1 => return None,
        _ => {}
    }
    let mut value = Vec::new();
    for element in values().filter(|element| !is_origin(element)) {
        value.extend_from_slice(element);
        value.extend_from_slice(b", ");
    }
    value.extend_from_slice(b"Origin");
    Some(HeaderEdit::Set(name, Cow::Owned(value)))
}

fn starts_with_ignore_case(name: &[u8], prefix: &[u8]) -> bool {
    name.split_at_checked(prefix.len())
        .is_some_and(|(start, _)| start.eq_ignore_ascii_case(prefix))
}

impl<'a> Origin<'a> {
    /// Adds one more line of the header.
    pub(super) fn and(self, value: &'a [u8]) -> Self {
        match self {
            Self::Absent => Self::One(value),
            Self::One(_) | Self::Repeated => Self::Repeated,
        }
    }
}

impl Origins {
    /// Compares byte for byte. Text that is not UTF-8 is not an origin.
    pub(super) fn judge(&self, origin: Origin<'_>) -> Allowed {
        let Origin::One(bytes) = origin else {
            return Allowed::No;
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Allowed::No;
        };
        if let Some(exact) = self.exact.get(text) {
            Allowed::Named(Arc::clone(exact))
        } else if self.wild.iter().any(|pattern| pattern.matches(bytes)) {
            Allowed::Named(Arc::from(text))
        } else if self.any && OriginPattern::ANY.matches(bytes) {
            Allowed::Any
        } else {
            Allowed::No
        }
    }
}
