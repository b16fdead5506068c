//! The answers to Envoy, without connections.

use std::sync::Arc;

use edge_authz::config;
use edge_authz_native::clock;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version};
use http_body_util::BodyExt;
use tokio::runtime;
use tokio::task::LocalSet;

use super::asked::MARK;
use super::*;
use crate::connections::without_body;
use crate::observation::{Log, Registry};
use crate::service::{Active, Document};

const CONFIGURATION: &str = r#"{
    "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
        "jwks": {"cluster": "idp", "uri": "https://idp.example/jwks"}, "algorithms": ["RS256"]}],
    "upstream": {"claims": {"x-user-id": "sub"}},
    "cors": {"allow_origins": ["https://app.example"]},
    "telemetry": {"filter_state": ["route"]},
    "resources": [{"resource": "https://api.example/private"}],
    "routes": [
        {"match": "GET /public", "access": "public"},
        {"match": "GET /public", "hosts": ["admin.example"], "access": "denied"},
        {"match": "GET /private"}
    ]
}"#;

/// A request as Envoy sends it.
struct Asked {
    method: &'static str,
    target: String,
    fields: Vec<(String, String)>,
    version: Version,
}

/// What Envoy gets for its request.
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    misuses: bool,
}

impl Asked {
    /// With the mark of the documented configuration.
    fn new(method: &'static str, path: &str) -> Self {
        Self::at("/authorize", method, path, "api.example")
    }

    fn at(prefix: &str, method: &'static str, path: &str, host: &str) -> Self {
        let asked = Self {
            method,
            target: format!("{prefix}{path}"),
            fields: Vec::new(),
            version: Version::HTTP_2,
        };
        asked
            .with("host", host)
            .with("content-length", "0")
            .with(MARK, &format!("{method} {host} {path}"))
            .with(MARK, "connection=")
            .with(MARK, "certificate=")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the fields of a name.
    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    fn seen(self) -> Seen {
        let mut builder = runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let policy = config::compile(CONFIGURATION.as_bytes()).unwrap();
            let document = Document::new(Arc::new(policy), 1, clock::now().unwrap());
            let active = Arc::new(Active::new(document));
            let registry = Arc::new(Registry::default());
            let service = Service::new(&active, 0, &registry, &Arc::new(Log::none()));
            let mut request = Request::builder().method(self.method);
            request = request.uri(self.target.parse::<Uri>().unwrap());
            let mut request = request.version(self.version).body(()).unwrap();
            for (name, value) in &self.fields {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                let value = HeaderValue::from_str(value).unwrap();
                request.headers_mut().append(name, value);
            }
            let answer = ExtAuthzHttp.decide(&service, &request).await;
            let answer = without_body((request.version(), request.method()), answer);
            let (parts, body) = answer.into_parts();
            Seen {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await.unwrap().to_bytes().to_vec(),
                misuses: registry.misuses() > 0,
            }
        })
    }
}

#[test]
fn the_clients_request_is_decided() {
    let of = |path: &str, host: &str| Asked::at("/authorize", "GET", path, host).seen();
    assert_eq!(of("/public", "api.example").status, 200);
    assert_eq!(of("/public", "admin.example").status, 403);
    assert_eq!(of("/private", "api.example").status, 401);
    assert_eq!(of("/private/../public", "api.example").status, 400);
    assert_eq!(of("//public", "api.example").status, 400);
    assert_eq!(of("", "api.example").status, 400);
    assert_eq!(of("/public%2f..%2fprivate", "api.example").status, 400);
    assert_eq!(Asked::new("POST", "/public").seen().status, 404);
    assert_eq!(Asked::new("get", "/public").seen().status, 400);
}

#[test]
fn a_request_without_its_complete_mark_is_refused() {
    let public = || Asked::new("GET", "/public");
    let line = "GET api.example /public";
    let marked = |fields: &[&str]| {
        let unmarked = public().without(MARK);
        fields
            .iter()
            .fold(unmarked, |asked, field| asked.with(MARK, field))
    };
    let joined = format!("{line},connection=,certificate=");
    let digest = "0a".repeat(32);
    for bad in [
        // `allowed_headers` hides it, or the filter is missing.
        marked(&[]),
        // Envoy has joined the fields.
        marked(&[&joined]),
        marked(&[line]),
        marked(&[line, "connection="]),
        // The client's own fields remain.
        public().with(MARK, "certificate="),
        marked(&["certificate=", "connection=", line]),
        // An option of `http_service` or another filter has changed the request.
        marked(&["POST api.example /public", "connection=", "certificate="]),
        marked(&["GET api.example /private", "connection=", "certificate="]),
        marked(&["GET admin.example /public", "connection=", "certificate="]),
        // A fragment is not in the URI.
        marked(&[
            "GET api.example /public#/../private",
            "connection=",
            "certificate=",
        ]),
        // Without `path_prefix`, clients could choose it.
        Asked::at("", "GET", "/public", "api.example"),
        Asked::at("", "GET", "/authorize/public", "api.example"),
        Asked::at("/other", "GET", "/public", "api.example"),
        // Which host is it?
        public().with("host", "api.example"),
        public().without("host"),
        // HTTP/1.1 has removed blanks around values.
        Asked {
            version: Version::HTTP_11,
            ..public()
        },
        // The certificate.
        marked(&[line, "connection=", ""]),
        marked(&[line, "", "certificate="]),
        marked(&[line, "connection=", "certificate=0a"]),
        marked(&[line, "connection=", &digest]),
    ] {
        let shown = format!("{} {:?}", bad.target, bad.fields);
        let seen = bad.seen();
        assert_eq!(seen.status, 503, "{shown}");
        assert!(seen.misuses, "{shown}");
        assert_eq!(seen.headers["x-edge-authz"], "reply", "{shown}");
    }
    let certificate = format!("certificate={digest}");
    let with = marked(&[line, "connection=", &certificate]).seen();
    assert_eq!(with.status, 200);
}

#[test]
fn a_connection_that_names_an_identity_header_is_refused() {
    let of = |connection: &str| {
        let asked = Asked::new("GET", "/public").without(MARK);
        asked
            .with(MARK, "GET api.example /public")
            .with(MARK, &format!("connection={connection}"))
            .with(MARK, "certificate=")
            .seen()
            .status
    };
    assert_eq!(of("Upgrade"), 200);
    assert_eq!(of("Upgrade, X-User-Id"), 400);
}

#[test]
fn a_refusal_is_complete() {
    let asked = Asked::new("GET", "/private").with("origin", "https://app.example");
    let seen = asked.seen();
    assert_eq!(seen.status, 401);
    assert!(seen.headers.contains_key("www-authenticate"));
    assert_eq!(
        seen.headers["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(seen.headers["x-edge-authz-reason"], "no_token");
    assert!(!seen.headers.contains_key("x-edge-authz-route"));
    assert!(!seen.headers.contains_key("x-envoy-auth-headers-to-remove"));
    assert_eq!(seen.body, br#"{"message":"Unauthorized"}"#);
}

#[test]
fn an_answer_to_head_has_no_body() {
    for path in ["/private", "/none"] {
        let seen = Asked::new("HEAD", path).seen();
        assert!(seen.body.is_empty());
        assert!(!seen.headers.contains_key("content-length"));
    }
}

#[test]
fn a_reply_of_the_filter_never_has_the_status_200_where_that_is_a_permission() {
    let metadata = "/.well-known/oauth-protected-resource/private";
    let seen = Asked::new("GET", metadata).seen();
    assert_eq!(seen.status, 403);
    assert_eq!(seen.headers["x-edge-authz-reply"], "1");
    let seen = Asked::at("/reply", "GET", metadata, "api.example").seen();
    assert_eq!(seen.status, 200);
    assert_eq!(seen.headers["x-edge-authz"], "reply");
    assert!(!seen.headers.contains_key("x-edge-authz-reason"));
    assert!(seen.body.starts_with(b"{"));
    for prefix in ["/authorize", "/reply"] {
        let preflight = Asked::at(prefix, "OPTIONS", "/private", "api.example")
            .with("origin", "https://app.example")
            .with("access-control-request-method", "GET");
        let seen = preflight.seen();
        assert_eq!(seen.status, 204);
        assert_eq!(seen.headers["x-edge-authz"], "reply");
        assert!(seen.headers.contains_key("access-control-allow-methods"));
    }
    // What may be forwarded has no reply.
    let seen = Asked::at("/reply", "GET", "/public", "api.example").seen();
    assert_eq!(seen.status, 503);
    assert_eq!(seen.headers["x-edge-authz"], "reply");
}

#[test]
fn a_permission_removes_the_clients_identity_in_every_spelling_and_the_mark() {
    let seen = Asked::new("GET", "/public")
        .with("x-user-id", "root")
        .with("x_user_id", "root")
        .with("X.User.Id", "root")
        .with("x-user-ids", "kept")
        .seen();
    assert_eq!(seen.status, 200);
    assert_eq!(seen.headers["x-edge-authz"], "allow");
    assert_eq!(seen.headers["x-edge-authz-reason"], "public");
    assert_eq!(seen.headers["x-edge-authz-route"], "GET /public");
    let removed = seen.headers["x-envoy-auth-headers-to-remove"].to_str();
    let mut removed: Vec<&str> = removed.unwrap().split(", ").collect();
    removed.sort_unstable();
    assert_eq!(
        removed,
        ["edge-authz", "x-user-id", "x.user.id", "x_user_id"]
    );
    assert!(seen.body.is_empty());
}

#[test]
fn a_permission_has_the_cors_headers_of_the_response() {
    let seen = Asked::new("GET", "/public")
        .with("origin", "https://app.example")
        .seen();
    assert_eq!(
        seen.headers["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(seen.headers["vary"], "Origin");
}
