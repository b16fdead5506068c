//! The front end over real connections, with the clients that are generated from the same
//! definitions.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edge_authz::config;
use edge_authz::telemetry::Metric;
use edge_authz_native::clock;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use envoy_types::pb::google::protobuf::value::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{self, LocalSet};
use tokio::{runtime, time};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::{ExtAuthz, Limits, Readiness};
use crate::connections::{self, Acceptor, Connections, Peers, Threads};
use crate::observation::{Log, Registry};
use crate::service::tests::token;
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

#[test]
fn an_allowed_request_loses_the_clients_identity_and_its_response_gets_cors() {
    World::run(|world| async move {
        let fields: [(&str, &[u8]); 3] = [
            ("x-user-id", b"root"),
            ("x_user_id", b"root"),
            ("origin", b"https://app.example"),
        ];
        for request in [
            raw("GET", "/public", &fields),
            merged("GET", "/public", &fields),
        ] {
            let allowed = world.allowed(request).await;
            let mut removed = allowed.headers_to_remove;
            removed.sort();
            assert_eq!(removed, ["x-user-id", "x_user_id"]);
            let added = allowed.response_headers_to_add;
            assert_eq!(
                values(&added, "access-control-allow-origin"),
                ["https://app.example"]
            );
            assert_eq!(values(&added, "vary"), ["Origin"]);
        }
    });
}

#[test]
fn a_refused_request_gets_the_complete_reply_and_the_reason() {
    World::run(|world| async move {
        let fields: [(&str, &[u8]); 1] = [("origin", b"https://app.example")];
        let answer = world.check(raw("GET", "/private", &fields)).await;
        let metadata = answer.dynamic_metadata.clone().unwrap().fields;
        let text = |name: &str| match &metadata[name].kind {
            Some(Kind::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text("reason"), "no_token");
        assert_eq!(text("route"), "GET /private");
        assert_eq!(metadata.len(), 2);
        let (status, denied) = world.denied(raw("GET", "/private", &fields)).await;
        assert_eq!(status, 401);
        assert_eq!(denied.body, r#"{"message":"Unauthorized"}"#);
        let challenges = values(&denied.headers, "www-authenticate");
        assert!(challenges[0].starts_with("Bearer ") && challenges[1].starts_with("DPoP "));
        let origin = values(&denied.headers, "access-control-allow-origin");
        assert_eq!(origin, ["https://app.example"]);
    });
}

#[test]
fn a_reply_with_the_status_200_or_204_does_not_let_the_request_pass() {
    World::run(|world| async move {
        let path = "/.well-known/oauth-protected-resource/private";
        let (status, denied) = world.denied(raw("GET", path, &[])).await;
        assert_eq!(status, 200);
        assert!(denied.body.contains("https://idp.example"));
        let preflight: [(&str, &[u8]); 2] = [
            ("origin", b"https://app.example"),
            ("access-control-request-method", b"GET"),
        ];
        let (status, _) = world.denied(raw("OPTIONS", "/private", &preflight)).await;
        assert_eq!(status, 204);
    });
}

#[test]
fn a_message_without_a_request_is_refused_even_in_report_mode() {
    let reports = CONFIGURATION.replacen('{', r#"{"mode": "report","#, 1);
    World::run_with(&reports, Limits::default(), |world| async move {
        world.allowed(raw("GET", "/private", &[])).await;
        let mut contradicting = raw("GET", "/public", &[]);
        let attributes = contradicting.attributes.as_mut().unwrap();
        let http = attributes.request.as_mut().unwrap().http.as_mut().unwrap();
        http.headers.insert("a".to_owned(), "b".to_owned());
        for request in [
            CheckRequest::default(),
            CheckRequest {
                attributes: Some(AttributeContext::default()),
            },
            contradicting,
        ] {
            assert_eq!(world.denied(request).await.0, 503);
        }
    });
}

/// Requests that the filter refuses inside of the proxy, because they have doubled fields or
/// bytes that are not UTF-8. Joined and sanitised, they are refused too.
#[test]
fn what_is_refused_with_exact_fields_is_refused_with_joined_fields() {
    World::run(|world| async move {
        let bearer = format!("Bearer {}", token());
        let cookie = format!("session={}", token());
        let (bearer, cookie) = (bearer.as_bytes(), cookie.as_bytes());
        let more = [cookie, b"; a=1"].concat();
        let hostile: [Vec<(&str, &[u8])>; 9] = [
            vec![("authorization", bearer), ("authorization", bearer)],
            vec![("authorization", bearer), ("authorization", b"Basic x")],
            vec![("authorization", b"Bearer a\xff")],
            vec![("authorization", b"Bearer")],
            vec![("x-api-token", b"a.b.c"), ("x-api-token", b"a.b.c")],
            vec![("x-api-token", b"a.b.c"), ("x_api_token", b"a.b.d")],
            vec![("cookie", cookie), ("cookie", cookie)],
            vec![("cookie", &more), ("cookie", b"session=other")],
            vec![("cookie", b"a=1"), ("cookie", b"session=other\xff")],
        ];
        for fields in &hostile {
            for path in ["/optional", "/private"] {
                let exact = world.denied(raw("GET", path, fields)).await.0;
                let joined = world.denied(merged("GET", path, fields)).await.0;
                let is_client = |status| (400..500).contains(&status);
                assert!(
                    is_client(exact) && is_client(joined),
                    "{exact} {joined} {fields:?}"
                );
            }
        }
        let twice: [(&str, &[u8]); 4] = [
            ("mcp-protocol-version", b"2026-07-28"),
            ("mcp-method", b"ping"),
            ("mcp-method", b"ping"),
            ("x", b"1"),
        ];
        world.allowed(raw("POST", "/mcp", &twice[..2])).await;
        world.allowed(merged("POST", "/mcp", &twice[..2])).await;
        assert_eq!(world.denied(raw("POST", "/mcp", &twice)).await.0, 400);
        assert_eq!(world.denied(merged("POST", "/mcp", &twice)).await.0, 400);
    });
}

#[test]
fn a_path_that_may_have_been_sanitised_is_refused() {
    World::run(|world| async move {
        assert_eq!(world.denied(merged("GET", "/public!", &[])).await.0, 400);
        assert_eq!(world.denied(raw("GET", "/public!", &[])).await.0, 404);
        world.allowed(merged("GET", "/public?a=!", &[])).await;
    });
}

#[test]
fn waiting_requests_end_at_the_callers_deadline_or_when_it_leaves() {
    World::run(|world| async move {
        let bearer = format!("Bearer {}", token());
        let waiting = || {
            world
                .registry
                .totals()
                .get(&Metric::WaitingRequests)
                .copied()
        };
        let request = || raw("GET", "/private", &[("authorization", bearer.as_bytes())]);
        let mut limited = tonic::Request::new(request());
        limited.set_timeout(Duration::from_millis(100));
        let answer = world.client().await.check(limited).await.unwrap_err();
        assert!(
            matches!(answer.code(), Code::DeadlineExceeded | Code::Cancelled),
            "{answer}"
        );
        let mut client = world.client().await;
        let left = time::timeout(Duration::from_millis(100), client.check(request())).await;
        assert!(left.is_err());
        drop(client);
        for _ in 0..100 {
            if waiting() == Some(0) {
                return;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?} requests wait", waiting());
    });
}

#[test]
fn messages_above_the_limit_and_unknown_methods_are_errors() {
    let limits = Limits {
        message_bytes: 2000,
        ..Limits::default()
    };
    World::run_with(CONFIGURATION, limits, |world| async move {
        world
            .allowed(raw("GET", "/public", &[("x", &[b'a'; 1000])]))
            .await;
        let large = raw("GET", "/public", &[("x", &[b'a'; 3000])]);
        let answer = world.client().await.check(large).await.unwrap_err();
        assert_eq!(answer.code(), Code::OutOfRange);
        let mut client = world.health().await;
        let list = client.check(HealthCheckRequest {
            service: "other".to_owned(),
        });
        assert_eq!(list.await.unwrap_err().code(), Code::NotFound);
    });
}

#[test]
fn the_health_is_the_readiness_and_its_changes_are_reported() {
    World::run(|world| async move {
        let mut client = world.health().await;
        let request = || HealthCheckRequest::default();
        let once = client.check(request()).await.unwrap().into_inner().status;
        assert_eq!(once, 2);
        let mut changes = client.watch(request()).await.unwrap().into_inner();
        assert_eq!(changes.message().await.unwrap().unwrap().status, 2);
        world.is_ready.store(true, Ordering::SeqCst);
        assert_eq!(changes.message().await.unwrap().unwrap().status, 1);
    });
}

#[test]
fn bytes_that_are_not_grpc_get_no_decision() {
    World::run(|world| async move {
        let address = world.address.trim_start_matches("http://").to_owned();
        for (bytes, expected) in [
            (
                &b"POST /envoy.service.auth.v3.Authorization/Check HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"[..],
                "HTTP/1.1 505",
            ),
            (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", "HTTP/1.1 400"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""),
        ] {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let mut answer = Vec::new();
            let ended = time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
            ended.await.unwrap().unwrap();
            assert!(answer.starts_with(expected.as_bytes()), "{answer:?}");
        }
        world.allowed(raw("GET", "/public", &[])).await;
    });
}

#[test]
fn a_closing_connection_answers_its_calls_first() {
    World::run(|world| async move {
        let bearer = format!("Bearer {}", token());
        let request = raw("GET", "/private", &[("authorization", bearer.as_bytes())]);
        let mut client = world.client().await;
        let call = task::spawn_local(async move { client.check(request).await });
        time::sleep(Duration::from_millis(100)).await;
        world.threads.close();
        // The keys never arrive.
        let answer = call.await.unwrap().unwrap().into_inner();
        assert_eq!(answer.status.unwrap().code, i32::from(Code::Unavailable));
        for _ in 0..200 {
            if world.threads.open() == 0 {
                return;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the connection is open");
    });
}
