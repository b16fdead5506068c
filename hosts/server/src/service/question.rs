//! A request that must be decided.

use edge_authz::engine::CertificateUnknown;
use edge_authz::http::RequestHead;

/// The SHA-256 of the client certificate (DER) of the client's connection, which the proxy
/// has verified; `None` if the client presented none. An error if the proxy does not report
/// it, which is not the same as no certificate.
pub type Certificate = Result<Option<[u8; 32]>, CertificateUnknown>;

/// A request as the client sent it to the proxy, without its body.
#[derive(Debug)]
pub struct Question {
    /// The pseudo-headers `:method`, `:scheme`, `:authority` and `:path`, and the header
    /// fields.
    pub head: RequestHead,
    /// The client certificate.
    pub certificate: Certificate,
}
