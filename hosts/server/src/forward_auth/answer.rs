//! The answers to proxies.

use bytes::Bytes;
use edge_authz::http::HeaderEdit;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::marks;
use super::original::Fault;
use super::{Mode, Preset};
use crate::answers::{self, REPLY, answer};
use crate::service::{Forwarded, Outcome, Replied};

/// The answer for an outcome. `asked` are the fields of the proxy's request.
pub(super) fn of(
    outcome: &Outcome,
    mode: Mode,
    preset: Preset,
    asked: &HeaderMap,
) -> Response<Full<Bytes>> {
    match (outcome, mode) {
        (Outcome::Forward(forwarded), Mode::Authorize) => allowed(forwarded, preset, asked),
        // Between two questions about one request, keys may have arrived. The client tries
        // again.
        (Outcome::Forward(_), Mode::Reply) => refused(
            preset,
            StatusCode::SERVICE_UNAVAILABLE,
            "the request is allowed now; send it again",
        ),
        (Outcome::Reply(replied), mode) => reply(replied, mode, preset),
    }
}

/// The permission to forward the client's request, with the changes of the request and the
/// CORS headers of its response.
fn allowed(forwarded: &Forwarded, preset: Preset, asked: &HeaderMap) -> Response<Full<Bytes>> {
    let mut headers = HeaderMap::new();
    let all = forwarded
        .request_edits()
        .iter()
        .chain(forwarded.response_edits());
    for edit in all {
        let (HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value)) = edit else {
            continue;
        };
        if &**name == b":path" {
            continue;
        }
        let Some((name, value)) = answers::field(name, value) else {
            return unwritable(preset);
        };
        headers.append(name, value);
    }
    // A proxy replaces or removes only the header with this very name. Other spellings, which
    // some upstreams take for it, would reach the upstream.
    let stays = |name: &[u8]| {
        let is_replaced =
            HeaderName::from_bytes(name).is_ok_and(|name| headers.contains_key(&name));
        !(forwarded.may_set(name) && (preset.removes_absent() || is_replaced))
    };
    if !preset.applies_lists() && forwarded.forged().any(stays) {
        return refused(
            preset,
            StatusCode::BAD_REQUEST,
            "the request has a header that only the proxy may set",
        );
    }
    if marks::allow(&mut headers, forwarded, preset, asked).is_none() {
        return unwritable(preset);
    }
    answer(StatusCode::OK, headers, Bytes::new())
}

fn unwritable(preset: Preset) -> Response<Full<Bytes>> {
    refused(
        preset,
        StatusCode::SERVICE_UNAVAILABLE,
        "a header cannot be written",
    )
}

/// A reply of the filter. If the proxy would take it for a permission, it is a refusal that
/// says where the reply is.
fn reply(replied: &Replied, mode: Mode, preset: Preset) -> Response<Full<Bytes>> {
    let (status, mut headers) = answers::of_reply(replied);
    let looks_allowed = !(status.is_client_error() || status.is_server_error());
    if mode == Mode::Authorize && looks_allowed && preset != Preset::Nginx {
        let mut response = refused(preset, StatusCode::FORBIDDEN, "the reply is at /reply");
        let marker = HeaderValue::from_static("1");
        response.headers_mut().insert(REPLY, marker);
        return response;
    }
    marks::reply(&mut headers, preset, status, &replied.body);
    if mode == Mode::Authorize && looks_allowed {
        // nginx makes the reply from the marks.
        return answer(StatusCode::FORBIDDEN, headers, Bytes::new());
    }
    answer(status, headers, Bytes::from(replied.body.clone()))
}

/// The answer to a request that does not contain the client's request. It is shown to
/// clients, too, so the log has the details.
pub(super) fn misuse(fault: &Fault, preset: Preset) -> Response<Full<Bytes>> {
    let status = match fault {
        Fault::Path => StatusCode::NOT_FOUND,
        Fault::Absent(_) | Fault::Repeated(_) | Fault::Empty(_) | Fault::Certificate => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    refused(
        preset,
        status,
        "the proxy and its authorizer do not fit together",
    )
}

/// The answer to a request during whose decision the server has panicked.
pub(super) fn failed(preset: Preset) -> Response<Full<Bytes>> {
    refused(
        preset,
        StatusCode::SERVICE_UNAVAILABLE,
        "Service Unavailable",
    )
}

fn refused(preset: Preset, status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let (mut headers, body) = answers::message(text);
    marks::reply(&mut headers, preset, status, &body);
    answer(status, headers, body)
}
