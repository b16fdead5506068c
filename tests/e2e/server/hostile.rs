//! Bytes that Envoy, the server and the upstream could read differently. Without a token, only
//! the public path may reach the upstream, and never with an identity.

use std::net::SocketAddr;
use std::time::Duration;

use super::{By, World, bootstrap, for_both};
use crate::support::http::{Request, readable};
use crate::support::server::Received;
use crate::support::{http1, http2};

/// Targets of requests: good ones, and those that some reader takes for another path.
const TARGETS: &[&[u8]] = &[
    b"/public",
    b"/public/",
    b"/%70ublic",
    b"/public?a=/../me",
    b"/me",
    b"//me",
    b"/public/../me",
    b"/public/..%2fme",
    b"/public/%2e%2e/me",
    b"/public%2f..%2fme",
    b"/public\\..\\me",
    b"/public%5c..%5cme",
    b"/public;/../me",
    b"/public;x",
    b"/public#/../me",
    b"/public#",
    b"/public?#/me",
    b"/public%23",
    b"/public<",
    b"/public`{|}^\"",
    b"/me#/public",
    b"/authorize/public",
    b"/authorize/../public",
    b"/reply/public",
    b"/authorize",
    b"/reply",
    b"/.well-known/oauth-protected-resource/../../public",
    b"/.well-known/oauth-protected-resource/..%2f..%2fme",
    b"/.well-known/oauth-protected-resourceX",
    b"/.well-known/oauth-protected-resource/me?/../..",
    b"http://evil.example/me",
    b"http://api.example.com/me",
    b"https://api.example.com/public",
    b"http:///me",
    b"http://user@api.example.com/me",
    b"*",
    b"me",
    b"",
    b"?",
    b"/public\x00",
    b"/public HTTP/1.1\r\nx: ",
    b"/public /me",
    b"/public\xff",
    b"/public%ff",
    b"/public%0d%0aX-User-Id:%20root",
    b"/public%",
    b"/PUBLIC",
    b"/public.json",
    b"/public%20",
    b"/public\t",
    b"/public%3f/../me",
];

/// Header lines that pretend something.
const FIELDS: &[&str] = &[
    "edge-authz: GET api.example.com /public\r\nedge-authz: connection=\r\nedge-authz: certificate=",
    "Edge-Authz: GET api.example.com /public",
    "edge_authz: GET api.example.com /public",
    "x-edge-authz: allow\r\nx-edge-authz-reason: allowed",
    "x-envoy-auth-headers-to-remove: edge-authz",
    "x-envoy-original-path: /public\r\nx-envoy-internal: true",
    "x-envoy-decorator-operation: x\r\nx-envoy-upstream-rq-timeout-ms: 1\r\nx-envoy-retry-on: 5xx",
    "x-original-uri: /public\r\nx-forwarded-uri: /public\r\nx-http-method-override: GET",
    "Connection: edge-authz",
    "Connection: X-User-Id",
    "Connection: close, Authorization, edge-authz",
    "Connection: Upgrade, edge-authz, X-User-Id\r\nUpgrade: websocket",
    "Upgrade: websocket\r\nConnection: Upgrade",
    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings",
    "X-User-Id: root",
    "X_User_Id: root",
    "X.User.Id: root",
    "X~User~Id: root",
    "X-User-Id : root",
    " X-User-Id: root",
    "X-User-Id:\r\n root",
    "A: b\r\n\tX-User-Id: root",
    "X-User-Id\x00: root",
    "Host: evil.example",
    "TE: trailers\r\nTrailer: x-user-id",
    "Expect: 100-continue",
    "Content-Length: 0\r\nContent-Length: 5",
    "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Transfer-Encoding: xchunked",
    ":path: /public",
    ": x",
    "Authorization: Bearer\r\nAuthorization: Bearer a.b.c",
    "Cookie: session=a\r\nCookie: session=b",
];

/// Sends bytes, and reads until the proxy is silent.
fn raw(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    http1::until_silence(to, bytes, Duration::from_millis(200))
}

/// What every request that reaches the upstream without a token must be.
#[track_caller]
fn assert_harmless(by: By, seen: &[Received]) {
    for request in seen {
        let shown = format!("{by:?}: {request:?}");
        assert!(matches!(&request.method[..], b"GET" | b"HEAD"), "{shown}");
        let path = request.target.split(|byte| *byte == b'?').next().unwrap();
        let is_public = [&b"/public"[..], b"/public/", b"/%70ublic"].contains(&path);
        assert!(is_public, "{shown}");
        for (name, _) in &request.headers {
            // The mark is Envoy's. Over gRPC it is a header like any other.
            assert!(by == By::Grpc || name != b"edge-authz", "{shown}");
            let folded = readable(name).to_ascii_lowercase();
            let folded = folded.replace(|byte: char| !byte.is_ascii_alphanumeric(), "_");
            assert_ne!(folded, "x_user_id", "{shown}");
        }
    }
}

/// Sends everything over both versions of HTTP.
fn send_everything(at: SocketAddr) {
    for target in TARGETS {
        let head = b" HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n";
        raw(at, &[&b"GET "[..], target, &head[..]].concat());
        let mut request = Request::get("/").authority("api.example.com");
        request.target = Some(target.to_vec());
        let _ = http2::exchange(at, &request);
    }
    for fields in FIELDS {
        for (method, path) in [("GET", "/me"), ("GET", "/public"), ("POST", "/public")] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: api.example.com\r\n{fields}\r\n\
                 Connection: close\r\n\r\nGET /me HTTP/1.1\r\nHost: a\r\n\r\n"
            );
            raw(at, request.as_bytes());
        }
    }
    for method in [
        "GET /public HTTP/1.1\r\nx:",
        "GET /authorize/public",
        "",
        "get",
        "G\u{e9}T",
    ] {
        let mut request = Request::get("/me").authority("api.example.com");
        request.method = method.as_bytes().to_vec();
        let _ = http2::exchange(at, &request);
    }
    for (name, value) in [
        (":path", "/public"),
        ("edge-authz", "GET api.example.com /public"),
        ("x-user-id", " root"),
        ("X-User-Id", "root"),
        ("connection", "x-user-id"),
        ("host", "evil.example"),
        ("transfer-encoding", "chunked"),
        ("x\r\ny", "z"),
        ("x", "y\r\nx-user-id: root"),
    ] {
        for path in ["/me", "/public"] {
            let request = Request::get(path).authority("api.example.com");
            let _ = http2::exchange(at, &request.header(name, value));
        }
    }
}

#[test]
#[ignore = "of the server"]
fn only_the_public_path_reaches_the_upstream_however_requests_are_written() {
    for_both(|by| {
        let world = World::start(by).ready();
        send_everything(world.envoy.address());
        // The same where Envoy repairs no path.
        let lax = bootstrap(by, &[&world.servers[0]], world.upstream.address())
            .changed("normalize_path: true", "normalize_path: false")
            .changed("merge_slashes: true", "merge_slashes: false")
            .changed("REJECT_REQUEST\n", "KEEP_UNCHANGED\n")
            .changed("headers_with_underscores_action: REJECT_REQUEST", "")
            .start();
        send_everything(lax.address());
        let seen = world.upstream.seen();
        assert_harmless(by, &seen);
        let public = seen.iter().filter(|seen| seen.target == b"/public").count();
        assert!(public >= 4, "{by:?}: {public}");
        world.envoy.send(&world.me()).expect(200);
        lax.send(&world.me()).expect(200);
        assert_eq!(world.servers[0].metric("edge_authz_panics"), 0);
    });
}
