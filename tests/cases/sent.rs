//! The requests of the case files, as they are sent.

use std::net::SocketAddr;

use edge_authz_cli::cases::{Protocol, Request};

use crate::support::http::{Request as Sent, Response};
use crate::support::{http1, http2};

/// Identifies a request in the access log and at the upstream.
pub(crate) const MARK: &str = "x-case";

/// The request as it is sent, with instructions for the upstream's answer.
pub(crate) fn sent(request: &Request, protocol: Protocol, id: &str) -> Sent {
    let mut sent = Sent::get("/").body(&request.body).header(MARK, id);
    sent.method.clone_from(&request.method);
    sent.target.clone_from(&request.path);
    sent.authority.clone_from(&request.host);
    for (name, value) in &request.headers {
        // HTTP/2 has no names in upper case (RFC 9113 section 8.2).
        let name = match protocol {
            Protocol::Http1 => name.clone(),
            Protocol::Http2 => name.to_ascii_lowercase(),
        };
        sent = sent.header(name, value);
    }
    if request.upstream.status != 200 {
        sent = sent.header("x-echo-status", request.upstream.status.to_string());
    }
    for (name, value) in &request.upstream.headers {
        let line = [name.as_slice(), b": ", value].concat();
        sent = sent.header("x-echo-header", line);
    }
    for (name, value) in &request.trailers {
        sent = sent.trailer(name, value);
    }
    sent
}

/// Sends a request with this protocol.
///
/// # Errors
///
/// There is no answer.
pub(crate) fn exchange(
    protocol: Protocol,
    address: SocketAddr,
    sent: &Sent,
) -> Result<Response, String> {
    match protocol {
        Protocol::Http1 => http1::exchange(address, sent).map_err(|error| error.to_string()),
        Protocol::Http2 => http2::exchange(address, sent).map_err(|error| format!("{error:?}")),
    }
}
