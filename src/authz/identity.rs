//! The identity headers that the upstream receives.

use std::borrow::Cow;
use std::sync::Arc;

use super::Forward;
use crate::http::{HeaderEdit, is_header_value};
use crate::jwt::ValidClaims;
use crate::policy::{ClaimFormat, IdentityHeaders, Provider, Route};

/// Adds the configured headers to a request. The existing edits remove the client's
/// copies of them. If a value cannot be sent in a header, the header is omitted and
/// counted: a truncated or escaped value would be a different value.
pub(super) fn add(
    forward: &mut Forward,
    upstream: &IdentityHeaders,
    claims: ValidClaims<'_>,
    provider: &Provider,
    route: &Route,
) {
    for header in &upstream.claims {
        let Some(text) = claims.text(&header.claim) else {
            continue;
        };
        let text = match header.format {
            ClaimFormat::Json => text.json(),
            ClaimFormat::Csv => text.csv(),
        };
        set(forward, &header.header, text.ok());
    }
    if let Some(header) = &upstream.payload {
        set(forward, header, sendable(claims.payload_base64()));
    }
    if let Some(header) = &upstream.context {
        let scopes = (!route.rules.scopes.is_empty()).then_some(&*provider.scope_claims);
        set(forward, header, sendable(claims.context(scopes)));
    }
}

/// The token's `sub`, if it can be written to a log line.
pub(super) fn subject(claims: ValidClaims<'_>) -> Option<Box<str>> {
    let subject = claims.subject().filter(|subject| is_header_value(subject));
    subject.map(Into::into)
}

/// The text, if it can be sent in a header. Texts of claims were checked before.
fn sendable(text: String) -> Option<Cow<'static, str>> {
    is_header_value(&text).then_some(Cow::Owned(text))
}

/// Sets a header to a value that can be sent in one. `None` if there is no such value.
fn set(forward: &mut Forward, header: &Arc<str>, value: Option<Cow<'_, str>>) {
    match value {
        Some(value) => {
            let name = Arc::clone(header).into();
            let value = Cow::Owned(value.into_owned().into_bytes());
            let is_present = |edit: &HeaderEdit<'_>| match edit {
                HeaderEdit::Remove(known) => known.eq_ignore_ascii_case(header.as_bytes()),
                HeaderEdit::Set(..) | HeaderEdit::Add(..) => false,
            };
            forward.edits.push(if forward.edits.iter().any(is_present) {
                HeaderEdit::Set(name, value)
            } else {
                HeaderEdit::Add(name, value)
            });
        }
        None => forward.dropped = forward.dropped.saturating_add(1),
    }
}
