//! Connections to issuers, directly or through a proxy.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::ClientConfig;
use tower_service::Service;

use super::stream::IssuerStream;

type Failure = Box<dyn Error + Send + Sync>;

/// How long a connection attempt takes at most. The time limit of a fetch is usually shorter.
const CONNECT: Duration = Duration::from_secs(10);

/// Opens connections, without the TLS of the issuer.
#[derive(Clone)]
pub(super) struct Connector {
    direct: HttpConnector,
    /// For proxies, which may be reached by TLS.
    to_proxy: HttpsConnector<HttpConnector>,
    proxies: Arc<Matcher>,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig, proxies: Matcher) -> Self {
        let mut direct = HttpConnector::new();
        direct.enforce_http(false);
        direct.set_connect_timeout(Some(CONNECT));
        direct.set_nodelay(true);
        let to_proxy = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(direct.clone());
        Self {
            direct,
            to_proxy,
            proxies: Arc::new(proxies),
        }
    }

    async fn connect(mut self, target: Uri) -> Result<IssuerStream, Failure> {
        let Some(proxy) = self.proxies.intercept(&target) else {
            return Ok(IssuerStream::new(self.direct.call(target).await?, false));
        };
        let by = proxy.uri().clone();
        if !matches!(by.scheme_str(), Some("http" | "https")) {
            return Err(Failure::from(UnsupportedProxy));
        }
        if target.scheme_str() == Some("http") && proxy.basic_auth().is_none() {
            // The request names the whole URI.
            let stream = self.to_proxy.call(by).await?;
            return Ok(IssuerStream::new(stream, true));
        }
        let mut tunnel = Tunnel::new(by, self.to_proxy);
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let target = with_port(&target)?;
        Ok(IssuerStream::new(tunnel.call(target).await?, false))
    }
}

impl Service<Uri> for Connector {
    type Response = IssuerStream;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<IssuerStream, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        Box::pin(self.clone().connect(target))
    }
}

/// The URI with its port. Without one, the tunnel would lead to the port of https.
fn with_port(target: &Uri) -> Result<Uri, Failure> {
    let is_plain = target.scheme_str() == Some("http");
    let port = target.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
    let host = target.host().unwrap_or_default();
    Ok(Uri::builder()
        .scheme(target.scheme_str().unwrap_or_default())
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build()?)
}

/// Proxies may have passwords, so they are not shown.
impl fmt::Debug for Connector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// The environment names a proxy that this client cannot use.
#[derive(Debug)]
struct UnsupportedProxy;

impl fmt::Display for UnsupportedProxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "the environment names a proxy that is neither http:// nor https://; \
             SOCKS is not supported",
        )
    }
}

impl Error for UnsupportedProxy {}
