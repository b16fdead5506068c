//! What an answer says to the proxy's configuration, and not to the client or the upstream.

use edge_authz::http::HeaderEdit;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Preset;
use crate::answers::{REPLY, VERDICT, list};
use crate::service::Forwarded;

/// The path and query for the upstream: what was judged, without a token that was removed.
const URI: HeaderName = HeaderName::from_static("x-edge-authz-uri");
/// The names of the request's headers that must be removed.
const REMOVE: HeaderName = HeaderName::from_static("x-edge-authz-remove");
/// The names of the request's headers that must be set as in the answer.
const SET: HeaderName = HeaderName::from_static("x-edge-authz-set");
/// The status and the body of the reply, for nginx. It passes on neither bodies nor any status
/// other than 401 and 403.
const STATUS: HeaderName = HeaderName::from_static("x-edge-authz-status");
const BODY: HeaderName = HeaderName::from_static("x-edge-authz-body");

/// The largest body in a header, in bytes. The metadata of a resource have a few KiB.
const MAX_BODY: usize = 16 * 1024;

/// Marks the permission to forward a request, and adds what the upstream gets. `asked` are the
/// fields of the proxy's request. Returns `None` if this cannot be written.
pub(super) fn allow(
    headers: &mut HeaderMap,
    forwarded: &Forwarded,
    preset: Preset,
    asked: &HeaderMap,
) -> Option<()> {
    let own = [VERDICT, URI, REMOVE, SET, STATUS, BODY, REPLY];
    if own.iter().any(|name| headers.contains_key(name)) {
        return None;
    }
    let mut uri = asked.get(preset.fields().uri)?.clone();
    let (mut removed, mut set) = (Vec::new(), Vec::new());
    for edit in forwarded.request_edits() {
        match edit {
            HeaderEdit::Set(name, value) if &**name == b":path" => {
                uri = HeaderValue::from_bytes(value).ok()?;
            }
            HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) => set.push(&**name),
            HeaderEdit::Remove(name) => removed.push(&**name),
        }
    }
    let is_in = |names: &[&[u8]], name: &[u8]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    if preset.applies_lists() {
        removed.retain(|name| !is_in(&set, name));
        for (mark, names) in [(REMOVE, &removed), (SET, &set)] {
            if !names.is_empty() {
                headers.insert(mark, list(names)?);
            }
        }
    } else {
        // A proxy with fixed rules replaces each of these by what the answer has.
        for name in forwarded.credentials() {
            if !is_in(&removed, name.as_bytes()) && !is_in(&set, name.as_bytes()) {
                remaining(headers, name, asked)?;
            }
        }
    }
    headers.insert(URI, uri);
    headers.insert(VERDICT, HeaderValue::from_static("allow"));
    Some(())
}

/// Adds credentials that the client has sent and that remain.
fn remaining(headers: &mut HeaderMap, name: &str, asked: &HeaderMap) -> Option<()> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    if headers.contains_key(&name) {
        return None;
    }
    let lines = asked.get_all(&name).iter();
    if name == http::header::COOKIE {
        // HTTP/2 splits cookies, and one line is equivalent (RFC 9113 section 8.2.3).
        let lines: Vec<&[u8]> = lines.map(HeaderValue::as_bytes).collect();
        if !lines.is_empty() {
            let line = HeaderValue::from_bytes(&lines.join(&b"; "[..])).ok()?;
            headers.insert(name, line);
        }
    } else {
        for line in lines {
            headers.append(&name, line.clone());
        }
    }
    Some(())
}

/// Marks a reply for the client.
pub(super) fn reply(headers: &mut HeaderMap, preset: Preset, status: StatusCode, body: &[u8]) {
    if preset == Preset::Nginx {
        // nginx before 1.23 reads only the first line of a name, and several lines are one
        // list (RFC 9110 section 5.3).
        let names: Vec<HeaderName> = headers.keys().cloned().collect();
        for name in names {
            let lines = headers.get_all(&name).iter().map(HeaderValue::as_bytes);
            let lines: Vec<&[u8]> = lines.collect();
            if lines.len() > 1
                && let Ok(line) = HeaderValue::from_bytes(&lines.join(&b", "[..]))
            {
                headers.insert(name, line);
            }
        }
        let fits = |body: &&[u8]| body.len() <= MAX_BODY;
        let body = Some(body).filter(fits).map(HeaderValue::from_bytes);
        // Without a status, nginx answers 503.
        if let Some(Ok(body)) = body {
            headers.insert(STATUS, HeaderValue::from(status.as_u16()));
            headers.insert(BODY, body);
        }
    }
    headers.insert(VERDICT, HeaderValue::from_static("reply"));
}
