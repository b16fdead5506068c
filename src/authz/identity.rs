//! What the upstream learns of a request's token.

use std::borrow::Cow;

use super::{Forward, RequestEdit};
use crate::http::is_header_value;
use crate::jwt::ValidClaims;
use crate::policy::{ClaimFormat, Provider, Route, Upstream};

/// Adds the configured headers to a request that loses the client's copies of
/// them by the changes that are there already. A value that is no header text
/// is left out as a whole and counted: cut or escaped, it would be another value.
pub(super) fn add(
    forward: &mut Forward,
    upstream: &Upstream,
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
        set(forward, header, Some(Cow::Owned(claims.payload_base64())));
    }
    if let Some(header) = &upstream.context {
        let scopes = (!route.rules.scopes.is_empty()).then_some(&*provider.scope_claims);
        set(forward, header, Some(Cow::Owned(claims.context(scopes))));
    }
    forward.subject = claims
        .subject()
        .filter(|subject| is_header_value(subject))
        .map(Into::into);
}

fn set(forward: &mut Forward, header: &str, value: Option<Cow<'_, str>>) {
    match value.filter(|value| is_header_value(value)) {
        Some(value) => {
            let name: Box<[u8]> = header.as_bytes().into();
            let value = value.into_owned().into_bytes();
            let is_there = |edit: &RequestEdit| match edit {
                RequestEdit::Remove(known) => known.eq_ignore_ascii_case(&name),
                RequestEdit::Set(..) | RequestEdit::Add(..) => false,
            };
            forward.edits.push(if forward.edits.iter().any(is_there) {
                RequestEdit::Set(name, value)
            } else {
                RequestEdit::Add(name, value)
            });
        }
        None => forward.dropped = forward.dropped.saturating_add(1),
    }
}
