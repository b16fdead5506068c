//! Bytes that no browser sends. Whatever a client sends, the next request on the same
//! worker is judged correctly.

use serde_json::json;

use crate::support::http::Request;
use crate::support::{http1, http2};
use crate::world::World;

impl World {
    /// Fails the test unless the filter still works on every protocol.
    #[track_caller]
    fn assert_working(&self, after: &str) {
        let token = self.token(json!({}));
        let good = Request::get("/private/a").bearer(&token);
        let bare = Request::get("/private/a");
        let answers = [
            self.envoy.send(&good).status,
            self.envoy.send2(&good).status,
            self.envoy.send(&bare).status,
        ];
        assert_eq!(answers, [200, 200, 401], "after {after}");
        self.envoy.assert_no_trap();
    }
}

#[test]
fn a_byte_ff_in_any_header_leaves_the_filter_working() {
    let world = World::start();
    let names = [
        "x-any",
        "authorization",
        "cookie",
        "origin",
        "host",
        "x-user-id",
        "x-forwarded-for",
        "access-control-request-method",
        "access-control-request-headers",
        "content-type",
        "user-agent",
        "te",
    ];
    for name in names {
        for value in [&b"\xff"[..], b"Bearer \xff", b"a=\xff; \xff=b", b"\xc0\xaf"] {
            let private = Request::get("/private/a").header(name, value);
            let preflight = Request::new("OPTIONS", "/private/a")
                .header("origin", "https://app.example.com")
                .header("access-control-request-method", "GET")
                .header(name, value);
            for request in [private, preflight] {
                // Envoy may refuse the request itself, or close the connection.
                let first = http1::exchange(world.envoy.address(), &request);
                let second = http2::exchange(world.envoy.address(), &request);
                let passed = [first.ok(), second.ok()].map(|a| a.is_some_and(|a| a.status == 200));
                assert_eq!(passed, [false, false], "{name}");
            }
        }
        world.assert_working(name);
    }
    // It reaches the upstream if the filter does not use the header.
    let public = Request::get("/public/a").header("x-any", b"\xff");
    world.envoy.send(&public).expect(200);
    world.envoy.send2(&public).expect(200);
    // Envoy refuses it in a header's name.
    let in_name = Request::get("/public/a").header(b"x-\xff", "1");
    let _ = http1::exchange(world.envoy.address(), &in_name);
    let _ = http2::exchange(world.envoy.address(), &in_name);
    world.assert_working("a name");
}

#[test]
fn a_byte_ff_in_the_path_is_400() {
    let world = World::start();
    let token = world.token(json!({}));
    for path in [&b"/private/\xff"[..], b"/public/\xff", b"/\xff", b"\xff"] {
        let request = Request::new("GET", path).bearer(&token);
        if let Ok(answer) = http2::exchange(world.envoy.address(), &request) {
            assert_eq!(answer.status, 400, "{path:?}");
        }
        if let Ok(answer) = http1::exchange(world.envoy.address(), &request) {
            assert_eq!(answer.status, 400, "{path:?}");
        }
    }
    // The query is never part of the decision.
    let query = Request::get(b"/private/a?\xff");
    if let Ok(answer) = http2::exchange(world.envoy.address(), &query) {
        assert!(matches!(answer.status, 400 | 401), "{answer}");
    }
    world.assert_working("0xFF in the path");
    assert!(
        world
            .upstream
            .seen()
            .iter()
            .all(|seen| seen.target == b"/private/a")
    );
}

#[test]
fn a_request_without_path_is_400() {
    let world = World::start();
    let mut connect = Request::new("CONNECT", "").authority("app.example.com:443");
    connect.target = None;
    world.envoy.send2(&connect).expect(400);
    let answer = http1::raw(
        world.envoy.address(),
        b"CONNECT app.example.com:443 HTTP/1.1\r\nhost: app.example.com\r\n\r\n",
    );
    assert_eq!(answer.expect("an answer").status, 400);
    let mut nowhere = Request::get("/");
    nowhere.target = None;
    let _ = http2::exchange(world.envoy.address(), &nowhere);
    for target in ["*", "private/a", "", "?"] {
        let request = Request::new("OPTIONS", target);
        for answer in [
            http1::exchange(world.envoy.address(), &request).ok(),
            http2::exchange(world.envoy.address(), &request).ok(),
        ] {
            assert!(answer.is_none_or(|answer| answer.status >= 400), "{target}");
        }
    }
    assert_eq!(world.upstream.count(), 0);
    world.assert_working("no path");
}

#[test]
fn sixty_kilobytes_of_headers_leave_the_filter_working() {
    let world = World::start();
    let token = world.token(json!({}));
    let filled = |mut request: Request, fields: usize, bytes: usize| {
        for number in 0..fields {
            request = request.header(format!("x-filler-{number:03}"), "y".repeat(bytes));
        }
        request
    };
    let good = || Request::get("/private/a").bearer(&token);
    for request in [filled(good(), 55, 1024), filled(good(), 1, 56 * 1024)] {
        world.envoy.send(&request).expect(200);
        world.envoy.send2(&request).expect(200);
    }
    for name in [
        "authorization",
        "cookie",
        "origin",
        "access-control-request-headers",
    ] {
        let request =
            Request::get("/private/a").header(name, format!("Bearer {}", ",".repeat(50_000)));
        for answer in [world.envoy.send(&request), world.envoy.send2(&request)] {
            assert!(
                matches!(answer.status, 400 | 401),
                "{name}: {}",
                answer.status
            );
        }
    }
    let long_path = Request::get(format!("/private/{}", "a/".repeat(25_000))).bearer(&token);
    world.envoy.send(&long_path).expect(200);
    // More than Envoy accepts.
    let _ = http1::exchange(world.envoy.address(), &filled(good(), 90, 1024));
    let _ = http2::exchange(world.envoy.address(), &filled(good(), 90, 1024));
    world.assert_working("60 KB of headers");
}
