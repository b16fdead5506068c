//! Reads the client's request from the request of Envoy.

use std::fmt;

use edge_authz::host::certificate_digest;
use edge_authz::http::RequestHead;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, Uri, Version};

use crate::fields::copied;
use crate::forward_auth::Mode;
use crate::service::{Certificate, Question};

/// The name of the three fields of Envoy's mark: `METHOD HOST PATH` of the client's request,
/// its field `Connection`, and the digest of the client's certificate. The first replaces
/// fields of this name that the client has sent.
pub(super) const MARK: &str = "edge-authz";
/// The beginnings of the second and the third field. Envoy writes no empty field, so that a
/// field without a beginning could be the client's.
const CONNECTION: &[u8] = b"connection=";
const CERTIFICATE: &[u8] = b"certificate=";
/// The prefixes of paths, and what Envoy does with the answer.
const PREFIXES: [(&str, Mode); 2] = [("/authorize", Mode::Authorize), ("/reply", Mode::Reply)];

/// Why the client's request is not known. Envoy is not configured as documented, or the
/// request does not come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// HTTP/1.1 removes blanks around values, which the upstream may get.
    Version,
    /// The mark is not complete.
    Mark,
    /// The path has none of the prefixes.
    Path,
    /// There is not one host.
    Host,
    /// The mark and the request differ.
    Other,
    /// The third field of the mark has no digest.
    Certificate,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Version => "the cluster of the proxy needs `http2_protocol_options`",
            Self::Mark => {
                "the request has not three fields `edge-authz`; the proxy needs the filter that \
                 writes them, `encode_raw_headers: true`, and `allowed_headers` for all fields"
            }
            Self::Path => "the path does not begin with the `path_prefix` /authorize, or /reply",
            Self::Host => "the request has not one host",
            Self::Other => {
                "the request differs from its field `edge-authz`; no other filter may change the \
                 method, the host or the path, and no option of `http_service` may replace them"
            }
            Self::Certificate => "the third field `edge-authz` is not `certificate=` and a SHA-256",
        })
    }
}

/// Reads the client's request, and what Envoy does with the answer.
///
/// # Errors
///
/// The request does not have exactly the documented form.
pub(super) fn read<B>(request: &Request<B>) -> Result<(Mode, Question), Fault> {
    if request.version() != Version::HTTP_2 {
        return Err(Fault::Version);
    }
    let headers = request.headers();
    let Mark {
        marked,
        connection,
        digest,
    } = mark(headers)?;
    let (mode, path) = target(request.uri())?;
    let (method, path) = (request.method().as_str().as_bytes(), path.as_bytes());
    let host = host(request)?;
    // A fragment, which is not in the URI, makes a difference, too.
    if [method, host, path].join(&b' ') != marked {
        return Err(Fault::Other);
    }
    let mut first: Vec<(&[u8], &[u8])> = vec![
        (b":method", method),
        (b":authority", host),
        (b":path", path),
    ];
    if !connection.is_empty() {
        first.push((b"connection", connection));
    }
    // The length is that of Envoy's own body.
    let without = ["host", "content-length", MARK];
    let question = Question {
        head: RequestHead::new(copied(&first, headers, &without)),
        certificate: certificate(digest)?,
    };
    Ok((mode, question))
}

/// What Envoy says about the client's request.
struct Mark<'h> {
    marked: &'h [u8],
    connection: &'h [u8],
    digest: &'h [u8],
}

/// The fields of the mark. Fields that Envoy has joined are one.
fn mark(headers: &HeaderMap) -> Result<Mark<'_>, Fault> {
    let fields = headers.get_all(MARK).iter().map(HeaderValue::as_bytes);
    let fields: Vec<&[u8]> = fields.take(4).collect();
    let [marked, connection, digest] = fields[..] else {
        return Err(Fault::Mark);
    };
    Ok(Mark {
        marked,
        connection: connection.strip_prefix(CONNECTION).ok_or(Fault::Mark)?,
        digest,
    })
}

/// What is behind the prefix of the path, with the query.
fn target(uri: &Uri) -> Result<(Mode, &str), Fault> {
    let target = uri.path_and_query().ok_or(Fault::Path)?.as_str();
    let mut known = PREFIXES.iter();
    known
        .find_map(|(prefix, mode)| Some((*mode, target.strip_prefix(prefix)?)))
        .ok_or(Fault::Path)
}

/// The host: of the pseudo-header, or of the field.
fn host<B>(request: &Request<B>) -> Result<&[u8], Fault> {
    let authority = request.uri().authority();
    let authority = authority.map(|authority| authority.as_str().as_bytes());
    let mut fields = request.headers().get_all(HOST).iter();
    let field = fields.next().map(HeaderValue::as_bytes);
    match (authority, field, fields.next()) {
        (Some(host), None, None) | (None, Some(host), None) => Ok(host),
        (Some(host), Some(other), None) if host == other => Ok(host),
        _ => Err(Fault::Host),
    }
}

/// The client's certificate. Envoy always names it, so it is never unknown.
fn certificate(field: &[u8]) -> Result<Certificate, Fault> {
    let digits = field.strip_prefix(CERTIFICATE).ok_or(Fault::Certificate)?;
    let digest = certificate_digest(digits).map_err(|_| Fault::Certificate)?;
    Ok(Ok(digest))
}
