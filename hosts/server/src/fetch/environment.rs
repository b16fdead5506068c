//! What the system and the environment say about connections to issuers.

use std::sync::Arc;

use edge_authz::telemetry::Level;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use crate::observation::Log;

/// The proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower
/// case.
#[must_use]
pub fn proxies() -> Matcher {
    Matcher::from_env()
}

/// TLS that trusts the certificates of the system, or those of `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`.
#[must_use]
pub fn trusted(log: &Log) -> ClientConfig {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (accepted, _) = roots.add_parsable_certificates(found.certs);
    for error in &found.errors {
        log.write(Level::Warn, &format!("certificates of the system: {error}"));
    }
    if accepted == 0 {
        let line = "the system has no trusted certificates, so no issuer can be reached by \
            https; install the package ca-certificates, or set SSL_CERT_FILE";
        log.write(Level::Error, line);
    }
    tls(roots)
}

/// TLS that trusts these certificates.
pub(super) fn tls(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    match builder.with_safe_default_protocol_versions() {
        Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
        // The provider has these versions.
        Err(_) => ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    }
}
