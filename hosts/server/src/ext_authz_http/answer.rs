//! The answers to Envoy.

use std::fmt;

use bytes::Bytes;
use edge_authz::telemetry::FilterState;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::asked::MARK;
use crate::answers::{self, REPLY, VERDICT, answer};
use crate::edits::{Net, net, of_request};
use crate::forward_auth::Mode;
use crate::service::{Decision, Forwarded, Outcome, Replied};

/// The beginning of the names of what the access log shows.
const SHOWN: &str = "x-edge-authz-";
/// The names of the request's headers that Envoy removes.
const REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// Why a request that may continue is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The client has sent a header that the filter sets. Envoy replaces it only if
    /// `allowed_upstream_headers` has its name, which cannot be seen here.
    Forged,
    /// The token is in the query. Envoy's protocol has no change of the path.
    Path,
    /// A change of a header cannot be written.
    Unwritable,
    /// Only a reply was asked for.
    NoReply,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Forged => "a client has sent a header that only the proxy may set",
            Self::Path => {
                "a token in the query cannot be removed; use gRPC, another place for tokens, or \
                 `upstream.token: keep`"
            }
            Self::Unwritable => "a change of a header cannot be written",
            Self::NoReply => "a request for /reply has no reply",
        })
    }
}

/// The answer for an outcome. `asked` are the fields of Envoy's request.
///
/// # Errors
///
/// The request may continue, but Envoy cannot be told so. It must be refused.
pub(super) fn of(
    outcome: &Outcome,
    mode: Mode,
    asked: &HeaderMap,
) -> Result<Response<Full<Bytes>>, Refusal> {
    match (outcome, mode) {
        (Outcome::Forward(forwarded), Mode::Authorize) => {
            allowed(forwarded, outcome.decision(), asked)
        }
        // The path has no reply, or keys have just arrived.
        (Outcome::Forward(_), Mode::Reply) => Err(Refusal::NoReply),
        (Outcome::Reply(replied), mode) => Ok(reply(replied, mode)),
    }
}

fn allowed(
    forwarded: &Forwarded,
    decision: &Decision,
    asked: &HeaderMap,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let mut headers = HeaderMap::new();
    // The mark is not for the upstream.
    let mut removed = vec![MARK.as_bytes().to_vec()];
    let edits = forwarded.request_edits();
    for (name, change) in of_request(edits, forwarded.identity_headers()) {
        match change {
            _ if name == b":path" => return Err(Refusal::Path),
            // Envoy ignores the removal of these fields.
            Net::Removed if name == b"host" || name.starts_with(b":") => {
                return Err(Refusal::Unwritable);
            }
            Net::Removed => removed.push(name),
            // Envoy replaces all fields of a name with the last one.
            Net::Replaced(values) | Net::Added(values) => {
                let [value] = values[..] else {
                    return Err(Refusal::Unwritable);
                };
                let (name, value) = field(&name, value)?;
                if forwarded.may_set(name.as_str().as_bytes()) && asked.contains_key(&name) {
                    return Err(Refusal::Forged);
                }
                headers.insert(name, value);
            }
        }
    }
    let is_ours = |name: &HeaderName| name.as_str().starts_with(VERDICT.as_str());
    if headers.keys().any(is_ours) {
        return Err(Refusal::Unwritable);
    }
    let of_response = response(forwarded)?;
    if of_response.keys().any(|name| headers.contains_key(name)) {
        return Err(Refusal::Unwritable);
    }
    headers.extend(of_response);
    headers.insert(REMOVE, answers::list(&removed).ok_or(Refusal::Unwritable)?);
    headers.insert(VERDICT, HeaderValue::from_static("allow"));
    show(&mut headers, decision);
    Ok(answer(StatusCode::OK, headers, Bytes::new()))
}

/// The fields that Envoy adds to the upstream's response.
fn response(forwarded: &Forwarded) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for (name, change) in net(forwarded.response_edits()) {
        match change {
            // The upstream's response is not known, so there is nothing to remove.
            Net::Removed => {}
            Net::Replaced(values) | Net::Added(values) => {
                for value in values {
                    let (name, value) = field(&name, value)?;
                    headers.append(name, value);
                }
            }
        }
    }
    Ok(headers)
}

/// A field of the answer.
fn field(name: &[u8], value: &[u8]) -> Result<(HeaderName, HeaderValue), Refusal> {
    answers::field(name, value).ok_or(Refusal::Unwritable)
}

/// Adds what access logs show of a forwarded request.
fn show(headers: &mut HeaderMap, decision: &Decision) {
    let reason = (FilterState::Reason, decision.reason.name());
    let published = decision.published.iter();
    let published = published.map(|(entry, value)| (*entry, &**value));
    for (entry, value) in std::iter::once(reason).chain(published) {
        let known = FilterState::NAMES.iter().find(|(_, known)| *known == entry);
        let name = known.map(|(name, _)| format!("{SHOWN}{name}"));
        let name = name.and_then(|name| HeaderName::try_from(name).ok());
        // A value that no field can carry is not shown.
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    }
}

/// A reply of the filter. If Envoy would take it for a permission, it is a refusal.
fn reply(replied: &Replied, mode: Mode) -> Response<Full<Bytes>> {
    let (status, mut headers) = answers::of_reply(replied);
    // Envoy takes only 200 for a permission, and passes the others on to the client.
    let is_safe =
        status == StatusCode::NO_CONTENT || status.is_client_error() || status.is_server_error();
    if mode == Mode::Authorize && !is_safe {
        let mut answer = message(StatusCode::FORBIDDEN, "the reply is at /reply");
        answer
            .headers_mut()
            .insert(REPLY, HeaderValue::from_static("1"));
        return answer;
    }
    headers.insert(VERDICT, HeaderValue::from_static("reply"));
    if mode == Mode::Authorize {
        // Clients may see it, so the claims of the token are not in it.
        let reason = HeaderName::from_static("x-edge-authz-reason");
        headers.insert(
            reason,
            HeaderValue::from_static(replied.decision.reason.name()),
        );
    }
    answer(status, headers, Bytes::from(replied.body.clone()))
}

/// The answer for a request that may continue, and is refused.
pub(super) fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::Forged => message(
            StatusCode::BAD_REQUEST,
            "the request has a header that only the proxy may set",
        ),
        Refusal::NoReply => message(StatusCode::SERVICE_UNAVAILABLE, "the request has no reply"),
        Refusal::Path | Refusal::Unwritable => message(
            StatusCode::SERVICE_UNAVAILABLE,
            "the request cannot be forwarded",
        ),
    }
}

/// The answer to a request that is not as documented. The log has the details.
pub(super) fn misuse() -> Response<Full<Bytes>> {
    message(
        StatusCode::SERVICE_UNAVAILABLE,
        "the proxy and its authorizer do not fit together",
    )
}

/// The answer to a request during whose decision the server has panicked.
pub(super) fn failed() -> Response<Full<Bytes>> {
    message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
}

fn message(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let (mut headers, body) = answers::message(text);
    headers.insert(VERDICT, HeaderValue::from_static("reply"));
    answer(status, headers, body)
}
