//! The client for all requests to issuers.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use edge_authz::engine::FetchCall;
use edge_authz::jwk::MAX_KEY_SET_BYTES;
use edge_authz::keys::answer::AnswerHead;
use edge_authz::revocation::MAX_LIST_BYTES;
use edge_authz::telemetry::{Level, NotSent};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::connector::Connector;
use crate::fields::copied;
use crate::observation::Log;
use crate::service::{Answered, Issuers};

/// The maximum size of an answer that is read, in bytes: that of the largest document.
const MAX_BODY_BYTES: usize = if MAX_LIST_BYTES > MAX_KEY_SET_BYTES {
    MAX_LIST_BYTES
} else {
    MAX_KEY_SET_BYTES
};
/// The maximum size of an answer's header fields, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The maximum number of an answer's header fields.
const MAX_FIELDS: usize = 100;
/// How long a connection is kept without a request. It is longer than the shortest time
/// between two fetches that operators usually choose.
const IDLE: Duration = Duration::from_secs(90);
/// The number of connections without a request that are kept for each issuer.
const MAX_IDLE: usize = 2;

/// Sends requests to issuers. Redirects are not followed, because only the configuration
/// determines the location of documents.
#[derive(Debug)]
pub struct Client {
    client: legacy::Client<HttpsConnector<Connector>, Empty<Bytes>>,
    log: Arc<Log>,
}

impl Client {
    /// Creates a client that trusts these certificates, and uses these proxies.
    #[must_use]
    pub fn new(tls: ClientConfig, proxies: Matcher, log: Arc<Log>) -> Self {
        let connector = Connector::new(tls.clone(), proxies);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(connector);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .http1_max_headers(MAX_FIELDS)
            .http2_max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
            .build(https);
        Self { client, log }
    }

    /// Sends a request and reads its answer.
    async fn exchange(&self, call: &FetchCall) -> Result<Answered, Failed> {
        let request = request(call).ok_or(Failed::NotSent(NotSent::Refused))?;
        let response = self.client.request(request).await.map_err(|error| {
            Failed::Ended(format!(
                "{}: {}",
                call.uri.without_query(),
                with_causes(&error)
            ))
        })?;
        read(response).await.map_err(|error| {
            Failed::Ended(format!(
                "{}: {}",
                call.uri.without_query(),
                with_causes(&error)
            ))
        })
    }
}

impl Issuers for Client {
    async fn fetch(&self, call: &FetchCall) -> Answered {
        let exchanged = tokio::time::timeout(call.timeout, self.exchange(call)).await;
        match exchanged {
            Ok(Ok(answered)) => answered,
            Ok(Err(Failed::NotSent(why))) => Answered {
                head: AnswerHead::not_sent(why),
                body: None,
            },
            Ok(Err(Failed::Ended(why))) => {
                self.log.write(Level::Warn, &why);
                Answered::default()
            }
            Err(_) => {
                let uri = call.uri.without_query();
                let seconds = call.timeout.as_secs_f32();
                let line = format!("{uri}: no complete answer within {seconds} s");
                self.log.write(Level::Warn, &line);
                Answered::default()
            }
        }
    }
}

/// Why there is no answer.
enum Failed {
    NotSent(NotSent),
    /// For people.
    Ended(String),
}

/// The request, or `None` if it cannot be written, for example because of its URI.
fn request(call: &FetchCall) -> Option<Request<Empty<Bytes>>> {
    let mut request = Request::get(call.uri.to_string()).body(Empty::new()).ok()?;
    for (name, value) in call.headers() {
        if !name.starts_with(':') {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_str(value).ok()?;
            request.headers_mut().append(name, value);
        }
    }
    Some(request)
}

/// Reads an answer. Its body is copied up to the maximum size.
async fn read(response: Response<Incoming>) -> Result<Answered, hyper::Error> {
    let (parts, mut incoming) = response.into_parts();
    let status = parts.status.as_str().to_owned();
    let headers = copied(&[(b":status", status.as_bytes())], &parts.headers, &[]);
    let announced = incoming.size_hint().lower();
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    let mut size = announced;
    // The body of a refusal is not used.
    let is_used = parts.status.as_u16() == 200 && announced <= MAX_BODY_BYTES;
    if is_used {
        size = 0;
        body.reserve_exact(announced);
        while let Some(frame) = incoming.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            size = body.len().saturating_add(data.len());
            if size > MAX_BODY_BYTES {
                body = Vec::new();
                break;
            }
            body.extend_from_slice(&data);
        }
    }
    Ok(Answered {
        head: AnswerHead {
            // Nothing stands between this client and the network.
            by_proxy: false,
            ..AnswerHead::read(&headers, size)
        },
        body: (is_used && size <= MAX_BODY_BYTES).then_some(body),
    })
}

/// An error with its causes, for people.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
