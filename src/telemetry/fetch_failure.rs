//! Why a fetch returned no document.

use std::fmt;

use super::Shown;
use crate::json::JsonError;
use crate::jwk::KeySetError;
use crate::revocation::ListError;

/// Why a fetch returned no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// The proxy did not send the request.
    NotSent(NotSent),
    /// The connection ended before the answer was complete, or the answer was
    /// too large for the proxy.
    NoAnswer,
    /// The proxy answered in place of the issuer.
    Proxy {
        /// The status of that answer.
        status: u16,
        /// The cause that it reports.
        cause: ProxyCause,
    },
    /// The issuer's answer had this status instead of 200.
    Status(u16),
    /// The answer's content is encoded. Documents are fetched without content
    /// encoding.
    Encoded,
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// There is no memory for the body, or for the document in it.
    NoMemory,
    /// The body is not a usable key set.
    KeySet(KeySetError),
    /// The body is not a revocation list.
    RevocationList(ListError),
    /// The body is not the issuer's metadata: it is not JSON, or has no
    /// `issuer`.
    NotMetadata(Option<JsonError>),
    /// The metadata belong to another issuer.
    OtherIssuer {
        /// The issuer that the metadata name.
        named: Shown,
        /// The issuer that is configured.
        configured: Shown,
    },
    /// The metadata have no `jwks_uri`.
    NoKeySetUri,
    /// The metadata's `jwks_uri` is not a URI that keys can be fetched from.
    BadKeySetUri,
    /// The metadata's `jwks_uri` is at this host, which is not configured.
    KeySetElsewhere(Shown),
}

/// Why the proxy did not send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It has no cluster of that name.
    UnknownCluster,
    /// The cluster has no available host, or one of its circuit breakers is
    /// open.
    NoHost,
    /// Another reason.
    Refused,
}

/// The state of the connection to the issuer, according to the proxy's own
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyCause {
    /// The cluster has no available host.
    NoHost,
    /// The host refused the connection.
    Refused,
    /// The host refused the connection, or TLS failed: the answer does not say
    /// which.
    NoConnection,
    /// The issuer's certificate was refused.
    Certificate,
    /// TLS failed for another reason.
    Tls,
    /// There was no connection within the cluster's `connect_timeout`.
    ConnectTimeout,
    /// There was no answer within the source's `timeout`.
    Timeout,
    /// The connection ended before the answer.
    Closed,
    /// What the host sent is not the HTTP that the cluster speaks.
    Protocol,
    /// A circuit breaker of the cluster is open.
    Overflow,
    /// Another cause.
    Other,
}

impl ProxyCause {
    /// Reads an answer from Envoy: its status and the text of its body.
    #[must_use]
    pub fn of(status: u16, text: &str) -> Self {
        let says = |words: &str| text.contains(words);
        if says("no healthy upstream") {
            Self::NoHost
        } else if says("CERTIFICATE_VERIFY_FAILED") {
            Self::Certificate
        } else if says("TLS_error") || says("TLS error") {
            Self::Tls
        } else if says("Connection refused") {
            Self::Refused
        } else if says("connection failure") {
            Self::NoConnection
        } else if says("connection timeout") {
            Self::ConnectTimeout
        } else if says("request timeout") || status == 504 {
            Self::Timeout
        } else if says("connection termination") || says("remote reset") || says("half close") {
            Self::Closed
        } else if says("protocol error") {
            Self::Protocol
        } else if says("overflow") {
            Self::Overflow
        } else {
            Self::Other
        }
    }
}

/// Why a document is not read, and how to fix it.
pub(super) const NO_MEMORY: &str = "there is no memory for the document: superseded configurations keep their memory until their drain ends, and all key sets together may use 128 MiB, all revocation lists 64 MiB";

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => why.fmt(f),
            Self::NoAnswer => f.write_str("the connection ended before the response was complete"),
            Self::Proxy { status, cause } => {
                write!(f, "Envoy answered {status} in place of the issuer: {cause}")
            }
            Self::Status(status) => write!(f, "the issuer answered {status}, not 200"),
            Self::Encoded => f.write_str(
                "the response has a content-encoding, although only `identity` is accepted",
            ),
            Self::TooLarge(limit) => write!(f, "the response is larger than {limit} bytes"),
            Self::NoMemory => f.write_str(NO_MEMORY),
            Self::KeySet(KeySetError::NoUsableKey { skipped }) if !skipped.is_empty() => {
                let count = skipped.len();
                write!(f, "none of the {count} keys of the set can be used")
            }
            Self::KeySet(error) => write!(f, "the response is not a usable JWK Set: {error}"),
            Self::RevocationList(error) => {
                write!(f, "the response is not a revocation list: {error}")
            }
            Self::NotMetadata(Some(error)) => {
                write!(f, "the response is not the issuer's metadata: {error}")
            }
            Self::NotMetadata(None) => {
                f.write_str("the response is not the issuer's metadata: it has no string `issuer`")
            }
            Self::OtherIssuer { named, configured } => write!(
                f,
                "the metadata's `issuer` differs from the configured one: it is {named}, not {configured}"
            ),
            Self::NoKeySetUri => f.write_str("the metadata have no string `jwks_uri`"),
            Self::BadKeySetUri => f.write_str(
                "the metadata's `jwks_uri` is not an `http` or `https` URI without user information, of at most 2048 bytes",
            ),
            Self::KeySetElsewhere(host) => write!(
                f,
                "the metadata's `jwks_uri` is at {host}, which is neither the issuer's host nor in `jwks.hosts`"
            ),
        }
    }
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCluster => "Envoy did not send the request, because it has no cluster of this name, or does not have it yet",
            Self::NoHost => {
                "Envoy did not send the request, because the cluster has no healthy host (no endpoint, a name that does not resolve, failed health checks) or its circuit breaker is open"
            }
            Self::Refused => "Envoy did not send the request",
        })
    }
}

impl fmt::Display for ProxyCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => {
                "the cluster has no healthy host (no endpoint, a name that does not resolve, failed health checks)"
            }
            Self::Refused => "the connection was refused",
            Self::NoConnection => {
                "no connection, because the host refused it or TLS failed (see `ssl.*` in the cluster's statistics)"
            }
            Self::Certificate => {
                "TLS failed, because the cluster's `validation_context` does not accept the certificate for its `sni`"
            }
            Self::Tls => "TLS failed",
            Self::ConnectTimeout => "no connection within the cluster's `connect_timeout`",
            Self::Timeout => "no answer within the `timeout`",
            Self::Closed => "the connection ended before the answer",
            Self::Protocol => "the response does not have the HTTP version of the cluster",
            Self::Overflow => "a circuit breaker of the cluster is open",
            Self::Other => "it does not say why",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of Envoy 1.36 and 1.40.
    #[test]
    fn the_causes_that_envoy_names_are_known() {
        let reset = "upstream connect error or disconnect/reset before headers. reset reason: ";
        let with = |status, reason: &str| ProxyCause::of(status, &format!("{reset}{reason}"));
        for (reason, cause) in [
            ("remote connection failure", ProxyCause::NoConnection),
            ("local connection failure", ProxyCause::NoConnection),
            (
                "remote connection failure, transport failure reason: delayed connect error: Connection refused",
                ProxyCause::Refused,
            ),
            (
                "remote connection failure, transport failure reason: TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end",
                ProxyCause::Certificate,
            ),
            (
                "remote connection failure, transport failure reason: TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end",
                ProxyCause::Tls,
            ),
            ("connection timeout", ProxyCause::ConnectTimeout),
            ("connection termination", ProxyCause::Closed),
            ("remote reset", ProxyCause::Closed),
            ("overflow", ProxyCause::Overflow),
            ("something new", ProxyCause::Other),
        ] {
            assert_eq!(with(503, reason), cause, "{reason}");
        }
        assert_eq!(with(502, "protocol error"), ProxyCause::Protocol);
        assert_eq!(
            ProxyCause::of(503, "no healthy upstream"),
            ProxyCause::NoHost
        );
        assert_eq!(
            ProxyCause::of(504, "upstream request timeout"),
            ProxyCause::Timeout
        );
        assert_eq!(ProxyCause::of(504, ""), ProxyCause::Timeout);
        assert_eq!(ProxyCause::of(503, ""), ProxyCause::Other);
    }

    #[test]
    fn a_set_that_is_too_large_says_so_with_the_limit() {
        let message = |error| FetchFailure::KeySet(error).to_string();
        assert!(
            message(KeySetError::TooManyKeys { count: 300 }).contains("300 keys, more than 256")
        );
        assert!(message(KeySetError::TooLarge).contains("larger than 524288 bytes"));
        assert!(
            FetchFailure::TooLarge(524_288)
                .to_string()
                .contains("larger than 524288 bytes")
        );
    }
}
