//! Reads the client's request from the proxy's request.

use std::fmt;

use edge_authz::engine::CertificateUnknown;
use edge_authz::host::certificate_digest;
use edge_authz::http::RequestHead;
use http::HeaderMap;

use super::ForwardAuth;
use crate::fields::copied;
use crate::service::{Certificate, Question};

/// Why the client's request is not known. The proxy is not configured as documented, or the
/// request does not come from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The path is not one that is served.
    Path,
    /// A field is absent.
    Absent(&'static str),
    /// A field occurs more than once. One of them may be the client's.
    Repeated(&'static str),
    /// The method, the URI or the host is empty.
    Empty(&'static str),
    /// The field of the client's certificate occurs more than once, or is not a SHA-256 in
    /// hexadecimal digits.
    Certificate,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => out.write_str("ask at the path /authorize, or /reply"),
            Self::Absent(name) => write!(
                out,
                "the proxy's request has no field {name}; set it as the documentation of this \
                 preset says"
            ),
            Self::Repeated(name) => write!(
                out,
                "the proxy's request has several fields {name}; the proxy must replace the \
                 client's"
            ),
            Self::Empty(name) => write!(out, "the field {name} is empty"),
            Self::Certificate => out.write_str(
                "the field of the client certificate is not one SHA-256 in hexadecimal digits",
            ),
        }
    }
}

/// Reads the client's request.
///
/// # Errors
///
/// A field is absent, or occurs more than once.
pub(super) fn read(proxy: &ForwardAuth, headers: &HeaderMap) -> Result<Question, Fault> {
    let names = proxy.preset.fields();
    let [method, uri, host] = [names.method, names.uri, names.host].map(|name| one(headers, name));
    let (method, uri, host) = (method?, uri?, host?);
    let certificate = certificate(proxy, headers)?;
    let pseudo = [(":method", method), (":authority", host), (":path", uri)];
    let pseudo = pseudo.map(|(name, value)| (name.as_bytes(), value));
    let mut without = vec![names.method, names.uri, names.host, "host"];
    if let Some(name) = &proxy.certificate {
        without.push(name.as_str());
    }
    Ok(Question {
        head: RequestHead::new(copied(&pseudo, headers, &without)),
        certificate,
    })
}

/// The only value of a field.
fn one<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h [u8], Fault> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Fault::Absent(name))?;
    if values.next().is_some() {
        return Err(Fault::Repeated(name));
    }
    if value.is_empty() {
        return Err(Fault::Empty(name));
    }
    Ok(value.as_bytes())
}

/// The client's certificate, if the proxy names it. Some proxies send no empty fields, so an
/// absent one means that there is no certificate.
fn certificate(proxy: &ForwardAuth, headers: &HeaderMap) -> Result<Certificate, Fault> {
    let Some(name) = &proxy.certificate else {
        return Ok(Err(CertificateUnknown));
    };
    let mut values = headers.get_all(name).iter();
    let digits = values.next().map_or(&b""[..], |value| value.as_bytes());
    if values.next().is_some() {
        return Err(Fault::Certificate);
    }
    let digest = certificate_digest(digits).map_err(|_| Fault::Certificate)?;
    Ok(Ok(digest))
}
