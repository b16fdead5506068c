//! Bytes that proxy, authorizer and upstream could read differently. Without a token, only
//! public paths may reach the upstream, and never with an identity.

use std::net::SocketAddr;
use std::time::Duration;

use edge_authz_cli::cases::CaseFile;

use crate::authorizers;
use crate::proxies::{Kind, Proxy, Site};
use crate::support::echo::Echo;
use crate::support::http::{Request, readable};
use crate::support::server::Received;
use crate::support::{http1, http2};

/// Two public routes, and everything else needs a token that nobody has.
const WORLD: &str = r#"
about: Public routes.
config:
  providers: [{name: main, issuer: "https://issuer.example.com", audiences: [api], jwks: {cluster: issuer, uri: "https://issuer.example.com/jwks"}}]
  upstream: {claims: {x-user-id: sub}}
  routes: [{match: GET /public, access: public}, {match: "GET /files/{name}", access: public}, {match: $default}]
  cors: {allow_origins: ["https://app.example.com"]}
keys: {main: RS256}
cases: [{name: public, request: GET /public, expect: 200 public}]
"#;

/// Starts each proxy, sends everything to it, and returns what reached the upstream.
fn reached(kind: Kind, send: impl FnOnce(&Proxy)) -> Vec<Received> {
    let file = CaseFile::parse(WORLD).expect("a file");
    let addresses = authorizers::start(&[(kind.preset(), &file.worlds[0])]);
    let upstream = Echo::start();
    let proxy = Proxy::start(kind, &[Site::new(addresses[0])], upstream.address());
    send(&proxy);
    upstream.seen()
}

/// Sends bytes, and returns what arrives until the proxy is silent.
fn raw(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    http1::until_silence(to, bytes, Duration::from_millis(300))
}

/// What every request that reaches the upstream without a token must be.
#[track_caller]
fn assert_harmless(kind: Kind, seen: &[Received]) {
    for request in seen {
        let fields = request.headers.iter();
        let fields = fields.map(|(name, value)| format!("{}: {}", readable(name), readable(value)));
        let fields: Vec<String> = fields.collect();
        let shown = format!("{}: {} {fields:#?}", kind.name(), readable(&request.target));
        assert!(matches!(&request.method[..], b"GET" | b"HEAD"), "{shown}");
        let path = request.target.split(|byte| *byte == b'?').next().unwrap();
        let path = decoded(path);
        let path = path.strip_suffix(b"/").unwrap_or(&path);
        let is_file = |name: &[u8]| !name.is_empty() && !name.contains(&b'/') && name != b"..";
        let is_public = path == b"/public" || path.strip_prefix(b"/files/").is_some_and(is_file);
        assert!(is_public, "{shown}");
        for (name, value) in &request.headers {
            let folded: Vec<u8> = name
                .iter()
                .map(|byte| {
                    if byte.is_ascii_alphanumeric() {
                        byte.to_ascii_lowercase()
                    } else {
                        b'_'
                    }
                })
                .collect();
            let folded = String::from_utf8(folded).unwrap();
            assert_ne!(folded, "x_user_id", "{shown}");
            let trusted = [
                "x_original_",
                "x_rewrite_url",
                "x_http_method",
                "x_method_override",
                "x_forwarded_uri",
                "x_forwarded_method",
                "x_forwarded_prefix",
            ];
            let is_trusted = trusted.iter().any(|name| folded.starts_with(name));
            assert!(!is_trusted, "{shown}");
            // The host that was judged.
            let host = request.all("host").next();
            assert!(
                folded != "x_forwarded_host" || Some(&value[..]) == host,
                "{shown}"
            );
            assert!(folded != "upgrade" || value == b"websocket", "{shown}");
            assert_ne!(folded, "http2_settings", "{shown}");
        }
    }
}

/// One round of percent-decoding.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut rest = path;
    while let [first, after @ ..] = rest {
        let digits = (*first == b'%').then(|| after.get(..2)).flatten();
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        all.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    all
}

fn for_each(test: impl Fn(Kind) + Sync) {
    std::thread::scope(|scope| {
        for kind in Kind::chosen() {
            let test = &test;
            scope.spawn(move || test(kind));
        }
    });
}

/// Targets of requests: good ones, and those that some reader takes for another path.
const TARGETS: &[&[u8]] = &[
    b"/public",
    b"/public/",
    b"/%70ublic",
    b"/public?a=/../admin",
    b"/files/a",
    b"/files/%61",
    b"/admin",
    b"//admin",
    b"/public/../admin",
    b"/public/..%2fadmin",
    b"/public/%2e%2e/admin",
    b"/public/.%2e/admin",
    b"/public%2f..%2fadmin",
    b"/files/..",
    b"/files/%2e%2e",
    b"/files/..%2fadmin",
    b"/files/a%2f..%2f..%2fadmin",
    b"/files/a/../../admin",
    b"/files/a%5c..%5c..%5cadmin",
    b"/files/a\\..\\..\\admin",
    b"/public;/../admin",
    b"/files/a;/../../admin",
    b"/files/;/admin",
    b"/public#/../admin",
    b"/public%23",
    b"/files//admin",
    b"/files/%2fadmin",
    b"/./admin",
    b"/public/.",
    b"/%2e/admin",
    b"http://evil.example/admin",
    b"http://api.example.com/admin",
    b"http://evil.example/public",
    b"http:///admin",
    b"http://api.example.com",
    b"https://api.example.com/admin",
    b"//api.example.com/admin",
    b"http://user@api.example.com/admin",
    b"*",
    b"admin",
    b"",
    b"?",
    b"/public\x00/../admin",
    b"/files/\xc3\xa9",
    b"/files/\xff",
    b"/files/%ff",
    b"/files/%00",
    b"/files/%0d%0aX-User-Id:%20root",
    b"/files/a%",
    b"/files/%zz",
    b"/files/%u002e",
    b"/PUBLIC",
    b"/public.json",
    b"/admin/..;/public",
    b"/admin/../public",
    b"/public%20",
    b"/public\t",
    b"/public%09",
    b"/%2fpublic",
    b"/public%3f/../admin",
    b"/public%3Fa=b",
    b"/edge-authz-ask",
    b"/authorize",
    b"/reply",
    b"/@edge_authz_reply",
];

#[test]
fn only_public_paths_reach_the_upstream_however_the_target_is_written() {
    for_each(|kind| {
        let seen = reached(kind, |proxy| {
            for target in TARGETS {
                let head = b" HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n";
                raw(proxy.address(), &[&b"GET "[..], target, &head[..]].concat());
                let mut request = Request::get("/").authority("api.example.com");
                request.target = Some(target.to_vec());
                let _ = http2::exchange(proxy.site(0).http2, &request);
            }
        });
        assert_harmless(kind, &seen);
        let public = seen.iter().filter(|seen| seen.target == b"/public").count();
        assert!(public >= 2, "{}: {public}", kind.name());
    });
}

#[test]
fn the_clients_copies_of_the_proxys_headers_have_no_effect() {
    let forged: &[&str] = &[
        "X-Original-URI: /public\r\nX-Original-Method: GET\r\nX-Original-Host: evil",
        "X-Forwarded-Uri: /public\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: evil",
        "x_original_uri: /public\r\nx_original_method: GET",
        "X-Original-URL: /public\r\nX-Rewrite-URL: /public",
        "X-Edge-Authz: allow\r\nX-Edge-Authz-Uri: /public\r\nX-Edge-Authz-Status: 200",
        "X-Forwarded-Prefix: /public\r\nForwarded: for=evil;host=evil",
        "X-HTTP-Method-Override: GET\r\nX-Method-Override: GET\r\nX-HTTP-Method: GET",
        "Connection: X-Original-URI, X-Original-Method, X-Forwarded-Uri, X-Forwarded-Method",
        "Connection: X-User-Id",
        "Connection: close, Authorization, X-Edge-Authz",
        "X-Accel-Redirect: /public\r\nX-Sendfile: /public",
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings",
        "Host: evil.example",
    ];
    let identities: &[&str] = &[
        "X-User-Id: root",
        "x-user-id: root",
        "X_User_Id: root",
        "X.User.Id: root",
        "X-User_Id: root",
        "X!User-Id: root",
        "X~User~Id: root",
        "X-User-Id : root",
        " X-User-Id: root",
        "X-User-Id: a\r\nX-User-Id: b",
        "X-User-Id:\r\n root",
        "A: b\r\n\tX-User-Id: root",
        "X-User-Id\x00: root",
    ];
    for_each(|kind| {
        let seen = reached(kind, |proxy| {
            for path in ["/admin", "/public"] {
                for more in forged.iter().chain(identities) {
                    for method in ["GET", "POST"] {
                        let request = format!(
                            "{method} {path} HTTP/1.1\r\nHost: api.example.com\r\n{more}\r\nConnection: close\r\n\r\n"
                        );
                        raw(proxy.address(), request.as_bytes());
                        let http10 = request.replace("HTTP/1.1", "HTTP/1.0");
                        raw(proxy.address(), http10.as_bytes());
                    }
                }
            }
        });
        assert_harmless(kind, &seen);
        assert!(!seen.is_empty(), "{}", kind.name());
    });
}

#[test]
fn a_second_request_in_a_body_is_not_one() {
    let smuggled = "GET /admin HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
    let length = smuggled.len();
    let chunk = format!("{length:x}\r\n{smuggled}\r\n0\r\n\r\n");
    let bodies = [
        format!("Content-Length: {length}\r\n\r\n{smuggled}"),
        format!("Content-Length: 0\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{chunk}"),
        format!(
            "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n\r\n{smuggled}"),
        format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n{smuggled}"),
        format!(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!("Content-Length: 1\r\nContent-Length: {length}\r\n\r\n{smuggled}"),
        format!("Content-Length: +{length}\r\n\r\n{smuggled}"),
        format!("Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n{smuggled}"),
        format!("\r\n{smuggled}"),
        format!("Transfer-Encoding: chunked\r\n\r\n1;a=\"\r\n{smuggled}\"\r\nx\r\n0\r\n\r\n"),
    ];
    for_each(|kind| {
        let seen = reached(kind, |proxy| {
            for body in &bodies {
                for path in ["/public", "/files/a", "/admin"] {
                    let head = format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\n");
                    raw(proxy.address(), format!("{head}{body}").as_bytes());
                }
            }
        });
        assert_harmless(kind, &seen);
    });
}

#[test]
fn bytes_that_are_no_request_are_refused_and_the_proxy_still_answers() {
    let garbage: &[&[u8]] = &[
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET",
        b"GET /public",
        b"GET /public HTTP/9.9\r\n\r\n",
        b"get /public HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /public\r\n",
        b"\r\n\r\n\r\n",
        b"GET  /public HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /public HTTP/1.1\nHost: a\n\n",
        b"GET /public HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /public HTTP/1.1\r\n\r\n",
        b"GET /public HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET /public HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET /public HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"CONNECT api:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"TRACE /public HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"GET /public HTTP/1.1\r\nHost: a\r\nAuthorization: \xff\xfe\r\n\r\n",
    ];
    for_each(|kind| {
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100_000));
        let wide = format!(
            "GET /public HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "A: b\r\n".repeat(20_000)
        );
        let seen = reached(kind, |proxy| {
            for bytes in garbage
                .iter()
                .copied()
                .chain([long.as_bytes(), wide.as_bytes()])
            {
                raw(proxy.address(), bytes);
                raw(proxy.site(0).http2, bytes);
            }
            let alive = raw(
                proxy.address(),
                b"GET /public HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n",
            );
            assert!(
                alive.starts_with(b"HTTP/1.1 200"),
                "{}: {}",
                kind.name(),
                readable(&alive)
            );
        });
        assert_harmless(kind, &seen);
    });
}
