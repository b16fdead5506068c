//! CORS headers on every kind of answer.

use super::issuer::{Issuer, inline};
use super::proxy::{Outcome, Proxy, fields, values};
use super::world::{Call, Failure, Fault, Fields, Phase, START};
use crate::engine::StreamId;
use crate::host::HostError;

const APP: &str = "https://app.example";

/// Runs a test with a host that passes its replies to the response callback, and with one
/// that does not.
fn with_filter(test: impl Fn(&mut Proxy, &str)) {
    let issuer = Issuer::new("k1");
    for shows_replies in [true, false] {
        let mut proxy = Proxy::with(&inline(&issuer));
        proxy.world().shows_replies = shows_replies;
        test(&mut proxy, &format!("Bearer {}", issuer.token(START)));
    }
}

fn from(proxy: &mut Proxy, origin: &str, path: &str, token: &str) -> StreamId {
    proxy.request(&[
        (":method", "GET"),
        (":path", path),
        (":authority", "api.example"),
        ("origin", origin),
        ("authorization", token),
    ])
}

fn allowed(headers: &Fields) -> Vec<String> {
    values(headers, "access-control-allow-origin")
}

#[test]
fn the_upstream_s_answer_gets_the_policy_s_headers_and_loses_its_own() {
    with_filter(|proxy, token| {
        let id = from(proxy, APP, "/private", token);
        let answer = [
            (":status", "200"),
            ("access-control-allow-origin", "*"),
            ("Access-Control-Allow-Credentials", "true"),
            ("vary", "Accept"),
            ("x", "y"),
        ];
        let client = proxy.respond(id, &answer).unwrap();
        assert_eq!(allowed(&client), [APP]);
        assert_eq!(values(&client, "Access-Control-Allow-Credentials"), [""; 0]);
        assert_eq!(values(&client, "vary"), ["Accept, Origin"]);
        assert_eq!(values(&client, "x"), ["y"]);
    });
}

#[test]
fn an_origin_that_is_not_allowed_gets_no_header_and_is_not_refused() {
    with_filter(|proxy, token| {
        let id = from(proxy, "https://evil.example", "/private", token);
        let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
        let client = proxy.respond(id, &answer).unwrap();
        assert_eq!(allowed(&client), [""; 0]);
        assert_eq!(values(&client, "vary"), ["Origin"]);
    });
}

#[test]
fn the_page_can_read_the_filter_s_refusals() {
    with_filter(|proxy, _| {
        let refused = [("/private", 401), ("/nowhere", 404), ("/a/../b", 400)];
        for (path, status) in refused {
            let id = from(proxy, APP, path, "Basic x");
            let Outcome::Answered(reply) = proxy.outcome(id) else {
                panic!("{path}");
            };
            assert_eq!(reply.status, status);
            assert_eq!(allowed(&reply.headers), [APP], "{path}");
            assert_eq!(values(&reply.headers, "vary"), ["Origin"]);
            let exposed = values(&reply.headers, "access-control-expose-headers").join(",");
            assert!(
                exposed.to_ascii_lowercase().contains("www-authenticate"),
                "{exposed}"
            );
        }
    });
}

#[test]
fn the_proxy_s_own_answer_for_a_request_that_passed_gets_the_headers_too() {
    with_filter(|proxy, token| {
        let id = from(proxy, APP, "/private", token);
        assert_eq!(
            allowed(&proxy.respond(id, &[(":status", "503")]).unwrap()),
            [APP]
        );
    });
}

#[test]
fn without_a_policy_the_upstream_s_headers_pass() {
    let issuer = Issuer::new("k1");
    let mut document: serde_json::Value = serde_json::from_str(&inline(&issuer)).unwrap();
    document.as_object_mut().unwrap().remove("cors");
    let mut proxy = Proxy::with(&document.to_string());
    let id = from(&mut proxy, APP, "/public", "");
    let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
    assert_eq!(proxy.respond(id, &answer), Some(fields(&answer)));
}

#[test]
fn an_answer_whose_cors_headers_cannot_be_set_is_withheld() {
    with_filter(|proxy, token| {
        for call in [Call::Headers, Call::RemoveHeader, Call::AddHeader] {
            proxy.world().fault = None;
            let id = from(proxy, APP, "/private", token);
            assert!(proxy.forwarded(id).is_some());
            proxy.world().fault = Some(Fault {
                call,
                failure: Failure::Error(HostError::Refused(3)),
                phase: Phase::ResponseHeaders,
                after: 0,
            });
            let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
            assert_eq!(proxy.respond(id, &answer), None, "{call:?}");
            assert_eq!(proxy.status_of(id), Some(503), "{call:?}");
        }
    });
}
