//! CORS headers, on whatever answer the client gets.

use super::issuer::{Issuer, inline};
use super::proxy::{configure, outcome, request, respond};
use super::world::{Fields, Outcome, START, fields, in_worker, values};

const ROOT: u32 = 1;
const APP: &str = "https://app.example";

fn with_filter(test: impl FnOnce(&str) + Send) {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(configure(ROOT, &inline(&issuer)));
        test(&format!("Bearer {}", issuer.token(START)));
    });
}

fn from(origin: &str, path: &str, token: &str) -> u32 {
    request(
        ROOT,
        &[
            (":method", "GET"),
            (":path", path),
            (":authority", "api.example"),
            ("origin", origin),
            ("authorization", token),
        ],
    )
}

fn allowed(headers: &Fields) -> Vec<String> {
    values(headers, "access-control-allow-origin")
}

#[test]
fn the_upstream_s_answer_gets_the_policy_s_headers_and_loses_its_own() {
    with_filter(|token| {
        let id = from(APP, "/private", token);
        let answer = [
            (":status", "200"),
            ("access-control-allow-origin", "*"),
            ("Access-Control-Allow-Credentials", "true"),
            ("vary", "Accept"),
            ("x", "y"),
        ];
        let client = respond(id, &answer).unwrap();
        assert_eq!(allowed(&client), [APP]);
        assert_eq!(values(&client, "Access-Control-Allow-Credentials"), [""; 0]);
        assert_eq!(values(&client, "vary"), ["Accept, Origin"]);
        assert_eq!(values(&client, "x"), ["y"]);
    });
}

#[test]
fn an_origin_that_is_not_allowed_gets_no_header_and_is_not_refused() {
    with_filter(|token| {
        let id = from("https://evil.example", "/private", token);
        let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
        let client = respond(id, &answer).unwrap();
        assert_eq!(allowed(&client), [""; 0]);
        assert_eq!(values(&client, "vary"), ["Origin"]);
    });
}

#[test]
fn the_filter_s_own_refusals_can_be_read_by_the_page() {
    with_filter(|_| {
        let refused = [("/private", 401), ("/nowhere", 404), ("/a/../b", 400)];
        for (path, status) in refused {
            let Outcome::Answered(reply) = outcome(from(APP, path, "Basic x")) else {
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
    with_filter(|token| {
        let id = from(APP, "/private", token);
        assert_eq!(allowed(&respond(id, &[(":status", "503")]).unwrap()), [APP]);
    });
}

#[test]
fn without_a_policy_the_upstream_s_headers_pass() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let document = inline(&issuer).replacen("\"cors\":{", "\"cors_\":{", 1);
        let mut document: serde_json::Value = serde_json::from_str(&document).unwrap();
        document.as_object_mut().unwrap().remove("cors_");
        assert!(configure(ROOT, &document.to_string()));
        let id = from(APP, "/public", "");
        let answer = [(":status", "200"), ("access-control-allow-origin", "*")];
        assert_eq!(respond(id, &answer), Some(fields(&answer)));
    });
}
