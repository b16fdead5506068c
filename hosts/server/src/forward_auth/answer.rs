//! The answers to proxies.

use bytes::Bytes;
use edge_authz::http::HeaderEdit;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::original::Fault;
use super::{Mode, Preset};
use crate::service::{Forwarded, Outcome, Replied};

/// Tells the proxy's configuration that the filter has a reply for the client with a status
/// of 2xx, which it must get from `/reply`.
const REPLY: HeaderName = HeaderName::from_static("x-edge-authz-reply");

/// The answer for an outcome.
pub(super) fn of(outcome: &Outcome, mode: Mode, preset: Preset) -> Response<Full<Bytes>> {
    match (outcome, mode) {
        (Outcome::Forward(forwarded), Mode::Authorize) => allowed(forwarded, preset),
        // Between two questions about one request, keys may have arrived. The client tries
        // again.
        (Outcome::Forward(_), Mode::Reply) => refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "the request is allowed now; send it again",
        ),
        (Outcome::Reply(replied), mode) => reply(replied, mode),
    }
}

/// The permission to forward the client's request, with its identity headers and the CORS
/// headers of its response.
fn allowed(forwarded: &Forwarded, preset: Preset) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    let all = forwarded
        .request_edits()
        .iter()
        .chain(forwarded.response_edits());
    for edit in all {
        let (HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value)) = edit else {
            continue;
        };
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            return refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "a header cannot be written",
            );
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
    if forwarded.forged().any(stays) {
        return refused(
            StatusCode::BAD_REQUEST,
            "the request has a header that only the proxy may set",
        );
    }
    response
}

/// A reply of the filter. If the proxy would take it for a permission, it is a refusal that
/// says where the reply is.
fn reply(replied: &Replied, mode: Mode) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(replied.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if mode == Mode::Authorize && !(status.is_client_error() || status.is_server_error()) {
        let mut response = refused(StatusCode::FORBIDDEN, "the reply is at /reply");
        let marker = HeaderValue::from_static("1");
        response.headers_mut().insert(REPLY, marker);
        return response;
    }
    let mut response = Response::new(Full::from(replied.body.clone()));
    *response.status_mut() = status;
    for (name, value) in &replied.headers {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        response.headers_mut().append(name, value);
    }
    response
}

/// The answer to a request that does not contain the client's request. It is shown to
/// clients, too, so the log has the details.
pub(super) fn misuse(fault: &Fault) -> Response<Full<Bytes>> {
    let status = match fault {
        Fault::Path => StatusCode::NOT_FOUND,
        Fault::Absent(_) | Fault::Repeated(_) | Fault::Empty(_) | Fault::Certificate => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    refused(status, "the proxy and its authorizer do not fit together")
}

fn refused(status: StatusCode, message: &'static str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "message": message }).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
