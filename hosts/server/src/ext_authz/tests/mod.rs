//! The front end over real connections, with the clients that are generated from the same
//! definitions.

mod answers;
mod calls;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use edge_authz::config;
use edge_authz_native::clock;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::{self, LocalSet};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::health_client::HealthClient;

use super::{ExtAuthz, Limits, Readiness};
use crate::connections::{self, Acceptor, Connections, Peers, Threads};
use crate::observation::{Log, Registry};
use crate::service::{Active, Document, Service};

const CONFIGURATION: &str = r#"{
    "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
        "jwks": {"cluster": "idp", "uri": "https://idp.example/jwks"}, "algorithms": ["RS256"],
        "dpop": {"origins": ["https://api.example"]}}],
    "upstream": {"claims": {"x-user-id": "sub"}},
    "cors": {"allow_origins": ["https://app.example"]},
    "telemetry": {"filter_state": ["route"]},
    "token_from": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-token"},
        {"cookie": "session"}, {"query": "access_token"}],
    "resources": [{"resource": "https://api.example/private"}],
    "routes": [
        {"match": "GET /public", "access": "public"},
        {"match": "GET /optional", "access": "optional"},
        {"match": "GET /private"},
        {"match": "POST /mcp", "access": "public", "mcp": {"method": "ping"}},
        {"match": "POST /mcp", "access": "denied"}
    ]
}"#;

/// A server on a free port, with a service of its own.
struct World {
    address: String,
    registry: Arc<Registry>,
    is_ready: Arc<AtomicBool>,
    threads: Threads,
}

impl World {
    fn run<F: Future<Output = ()>>(test: impl FnOnce(Self) -> F) {
        Self::run_with(CONFIGURATION, Limits::default(), test);
    }

    fn run_with<F: Future<Output = ()>>(
        configuration: &str,
        limits: Limits,
        test: impl FnOnce(Self) -> F,
    ) {
        let mut builder = runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let policy = Arc::new(config::compile(configuration.as_bytes()).unwrap());
            let document = Document::new(policy, 1, clock::now().unwrap());
            let active = Arc::new(Active::new(document));
            let registry = Arc::new(Registry::default());
            let log = Arc::new(Log::none());
            let service = Service::new(&active, 0, &registry, &log);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            let (threads, mut receivers) = Threads::new(1, 1000);
            let acceptor = Acceptor {
                listener,
                front_end: 0,
                peers: Peers::new(Vec::new()),
                threads: threads.clone(),
                log,
            };
            task::spawn_local(acceptor.run());
            let is_ready = Arc::new(AtomicBool::new(false));
            let state = Arc::clone(&is_ready);
            let front_end = Rc::new(ExtAuthz {
                readiness: Readiness::new(move || state.load(Ordering::SeqCst)),
                limits,
            });
            let connections = Connections::new(service, connections::Limits::default());
            let receiver = receivers.pop().unwrap();
            task::spawn_local(connections.run(receiver, move |accepted, connection| {
                connection.serve(accepted, &front_end);
            }));
            test(Self {
                address,
                registry,
                is_ready,
                threads,
            })
            .await;
            drop(active);
        });
    }

    async fn client(&self) -> AuthorizationClient<Channel> {
        let client = AuthorizationClient::connect(self.address.clone());
        client.await.unwrap()
    }

    async fn health(&self) -> HealthClient<Channel> {
        let endpoint = Endpoint::new(self.address.clone()).unwrap();
        HealthClient::new(endpoint.connect().await.unwrap())
    }

    async fn check(&self, request: CheckRequest) -> CheckResponse {
        let answer = self.client().await.check(request).await;
        answer.unwrap().into_inner()
    }

    /// The status and the fields of the reply to the client.
    async fn denied(&self, request: CheckRequest) -> (i32, DeniedHttpResponse) {
        let answer = self.check(request).await;
        let Some(HttpResponse::DeniedResponse(denied)) = answer.http_response else {
            panic!("{answer:?}");
        };
        assert_ne!(answer.status.unwrap().code, i32::from(Code::Ok));
        (denied.status.as_ref().unwrap().code, denied)
    }

    async fn allowed(&self, request: CheckRequest) -> OkHttpResponse {
        let answer = self.check(request).await;
        let Some(HttpResponse::OkResponse(allowed)) = answer.http_response else {
            panic!("{answer:?}");
        };
        assert_eq!(answer.status.unwrap().code, i32::from(Code::Ok));
        allowed
    }
}

fn http(method: &str, path: &str) -> HttpRequest {
    HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        host: "api.example".to_owned(),
        scheme: "https".to_owned(),
        ..HttpRequest::default()
    }
}

fn check(http: HttpRequest) -> CheckRequest {
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(Peer::default()),
            request: Some(Request {
                http: Some(http),
                time: None,
            }),
            ..AttributeContext::default()
        }),
    }
}

/// A request as Envoy sends it with `encode_raw_headers`.
fn raw(method: &str, path: &str, fields: &[(&str, &[u8])]) -> CheckRequest {
    let pseudo: [(&str, &[u8]); 4] = [
        (":method", method.as_bytes()),
        (":path", path.as_bytes()),
        (":authority", b"api.example"),
        (":scheme", b"https"),
    ];
    let headers = pseudo.iter().chain(fields).map(|(key, value)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.to_vec(),
        ..HeaderValue::default()
    });
    check(HttpRequest {
        header_map: Some(HeaderMap {
            headers: headers.collect(),
        }),
        ..http(method, path)
    })
}

/// The same request as Envoy sends it without that setting.
fn merged(method: &str, path: &str, fields: &[(&str, &[u8])]) -> CheckRequest {
    let mut headers = HashMap::<String, String>::new();
    for (name, value) in fields {
        let value = match str::from_utf8(value) {
            Ok(value) => value.to_owned(),
            Err(_) => value
                .iter()
                .map(|&b| if b < 0x80 { char::from(b) } else { '!' })
                .collect(),
        };
        match headers.get_mut(*name) {
            Some(known) => *known = format!("{known},{value}"),
            None => drop(headers.insert((*name).to_owned(), value)),
        }
    }
    check(HttpRequest {
        headers,
        ..http(method, path)
    })
}

fn values<'f>(fields: &'f [HeaderValueOption], name: &str) -> Vec<&'f str> {
    let fields = fields.iter().filter_map(|field| field.header.as_ref());
    let fields = fields.filter(|field| field.key == name);
    fields.map(|field| field.value.as_str()).collect()
}
