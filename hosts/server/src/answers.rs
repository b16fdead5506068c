//! What the answers to proxies over HTTP have in common.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::service::Replied;

/// `allow`, or `reply` for what clients get. So a proxy tells the answers of the server from
/// those of any other server at its address.
pub(crate) const VERDICT: HeaderName = HeaderName::from_static("x-edge-authz");
/// Says that the filter has a reply for the client with a status that the proxy would take for
/// a permission. The proxy must get it from `/reply`.
pub(crate) const REPLY: HeaderName = HeaderName::from_static("x-edge-authz-reply");

/// An answer.
pub(crate) fn answer(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// The header fields and the body of a refusal that is the server's own.
pub(crate) fn message(text: &'static str) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let body = serde_json::json!({ "message": text }).to_string();
    (headers, Bytes::from(body))
}

/// The status and the header fields of a reply of the filter.
pub(crate) fn of_reply(replied: &Replied) -> (StatusCode, HeaderMap) {
    let status = StatusCode::from_u16(replied.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut headers = HeaderMap::new();
    for (name, value) in &replied.headers {
        if let Some((name, value)) = field(name, value) {
            headers.append(name, value);
        }
    }
    (status, headers)
}

/// A field of an answer, if it can be written.
pub(crate) fn field(name: &[u8], value: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name).ok()?;
    let value = HeaderValue::from_bytes(value).ok()?;
    Some((name, value))
}

/// A list of names, if it can be written.
pub(crate) fn list<N: AsRef<[u8]>>(names: &[N]) -> Option<HeaderValue> {
    let names: Vec<&[u8]> = names.iter().map(AsRef::as_ref).collect();
    let has_comma = names.iter().any(|name| name.contains(&b','));
    let list = || HeaderValue::from_bytes(&names.join(&b", "[..])).ok();
    (!has_comma).then(list)?
}
