//! Requests that are decided at once.

use serde_json::json;

use super::issuer::{Issuer, configuration, inline};
use super::proxy::{
    body, configure, filter_state, forwarded, metric, outcome, request, request_of, status_of,
    trailers,
};
use super::world::{Outcome, Reply, START, fields, in_worker, values, with_world};

const ROOT: u32 = 1;

/// The head of a request without a token.
fn head<'a>(method: &'a str, path: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        (":method", method),
        (":path", path),
        (":authority", "api.example"),
        (":scheme", "https"),
    ]
}

fn with(bearer: &str) -> String {
    format!("Bearer {bearer}")
}

/// Runs a test with a filter that has inline keys.
fn with_filter(test: impl FnOnce(&Issuer) + Send) {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        assert!(
            configure(ROOT, &inline(&issuer)),
            "{:?}",
            with_world(|world| world.log.clone())
        );
        test(&issuer);
    });
}

fn answered(id: u32) -> Reply {
    match outcome(id) {
        Outcome::Answered(reply) => reply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_token_passes_with_its_identity_and_without_itself() {
    with_filter(|issuer| {
        let token = with(&issuer.token(START));
        let mut headers = head("GET", "/private?q=1");
        headers.extend([
            ("authorization", &*token),
            ("x-user-id", "mallory"),
            ("x_user_id", "mallory"),
            ("x-other", "kept"),
        ]);
        let id = request(ROOT, &headers);
        let upstream = forwarded(id).unwrap();
        assert_eq!(values(&upstream, "x-user-id"), ["alice"]);
        assert_eq!(values(&upstream, "x_user_id"), [""; 0]);
        assert_eq!(values(&upstream, "authorization"), [""; 0]);
        assert_eq!(values(&upstream, "x-other"), ["kept"]);
        assert_eq!(values(&upstream, ":path"), ["/private?q=1"]);
        assert!(body(id));
        for (name, value) in [
            ("subject", "alice"),
            ("issuer", "https://issuer.example"),
            ("provider", "idp"),
            ("route", "ANY /private"),
            ("reason", "allowed"),
        ] {
            let name = format!("edge_authz.{name}");
            assert_eq!(filter_state(id, &name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(metric(ROOT, "edge_authz.requests.allowed.idp"), 1);
    });
}

#[test]
fn a_cached_token_passes_without_another_signature_check() {
    with_filter(|issuer| {
        let token = with(&issuer.token(START));
        let mut headers = head("GET", "/private");
        headers.push(("authorization", &token));
        for _ in 0..3 {
            assert!(forwarded(request(ROOT, &headers)).is_some());
        }
        assert_eq!(with_world(|world| world.verifications), 1);
        assert_eq!(metric(ROOT, "edge_authz.token_cache.miss"), 1);
        assert_eq!(metric(ROOT, "edge_authz.token_cache.hit"), 2);
    });
}

#[test]
fn a_host_without_signature_checks_is_called_once_and_behaves_the_same() {
    with_filter(|issuer| {
        with_world(|world| world.verifies = false);
        for subject in ["a", "b", "c"] {
            let token = with(&issuer.token_with(START, &json!({"sub": subject})));
            let mut headers = head("GET", "/private");
            headers.push(("authorization", &token));
            assert!(forwarded(request(ROOT, &headers)).is_some());
        }
        assert_eq!(with_world(|world| world.verifications), 1);
    });
}

#[test]
fn a_token_of_another_key_is_answered_401_and_not_forwarded() {
    with_filter(|_| {
        for verifies in [true, false] {
            with_world(|world| world.verifies = verifies);
            let token = with(&Issuer::new("k1").token(START));
            let mut headers = head("POST", "/private");
            headers.extend([
                ("authorization", &*token),
                ("origin", "https://app.example"),
            ]);
            let id = request(ROOT, &headers);
            assert!(!body(id));
            assert!(trailers(id, &[("x", "y")]).is_none());
            assert!(forwarded(id).is_none());
            let reply = answered(id);
            assert_eq!(
                (reply.status, &*reply.details, &*reply.body),
                (
                    401,
                    "edge_authz_bad_signature",
                    r#"{"message":"Unauthorized"}"#
                )
            );
            assert!(values(&reply.headers, "www-authenticate")[0].contains("invalid_token"));
            assert_eq!(
                filter_state(id, "edge_authz.reason").as_deref(),
                Some("bad_signature")
            );
            assert_eq!(filter_state(id, "edge_authz.subject"), None);
        }
        assert_eq!(metric(ROOT, "edge_authz.requests.bad_signature.idp"), 2);
    });
}

#[test]
fn a_refusal_is_logged_at_debug_only() {
    with_filter(|_| {
        let lines = |level: u32| {
            with_world(|world| (world.log.clear(), world.log_level = level));
            super::proxy::tick(ROOT);
            request(ROOT, &head("GET", "/private"));
            with_world(|world| world.log.clone())
        };
        let expected =
            "refused: no_token, route `ANY /private`; steps: path ok, route found, no token";
        assert_eq!(lines(1), [(1, expected.to_owned())]);
        assert_eq!(lines(2), []);
    });
}

/// The log lines of a preflight.
fn logged_preflight(fields: &[(&'static str, &'static str)]) -> Vec<String> {
    with_world(|world| world.log.clear());
    let mut headers = head("OPTIONS", "/private");
    headers.extend(fields);
    request(ROOT, &headers);
    with_world(|world| world.log.iter().map(|(_, line)| line.clone()).collect())
}

#[test]
fn the_log_shows_what_a_preflight_requested_and_what_is_allowed() {
    const METHOD: &str = "access-control-request-method";
    const HEADERS: &str = "access-control-request-headers";
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
    let app = ("origin", "https://app.example");
    with_filter(|_| {
        let start = "refused: preflight_refused, route `ANY /private`; ";
        for (fields, expected) in [
            (
                &[("origin", "https://evil.example"), (METHOD, "GET")][..],
                "the origin `https://evil.example` is not allowed; allowed: https://app.example",
            ),
            (
                &[app, (METHOD, "GET"), (HEADERS, "x-trace")],
                "the header `x-trace` is not allowed; none is",
            ),
            (
                &[app, (METHOD, "GET"), (HEADERS, TOKEN)],
                "a malformed header is not allowed; none is",
            ),
            (
                &[("origin", TOKEN), (METHOD, TOKEN), (HEADERS, TOKEN)],
                "a malformed origin is not allowed; allowed: https://app.example",
            ),
        ] {
            let line = format!("{start}{expected}; steps: path ok, preflight");
            assert_eq!(logged_preflight(fields), [line]);
        }
        assert_eq!(logged_preflight(&[app, (METHOD, "GET")]), [""; 0]);
        with_world(|world| world.log_level = 2);
        super::proxy::tick(ROOT);
        let refused = [app, (METHOD, "GET"), (HEADERS, "x-trace")];
        assert_eq!(logged_preflight(&refused), [""; 0]);
    });
}

#[test]
fn a_public_route_passes_without_the_client_s_identity_headers() {
    with_filter(|_| {
        let mut headers = head("GET", "/public");
        headers.extend([("X-User.Id", "mallory"), ("authorization", "Bearer x")]);
        let upstream = forwarded(request(ROOT, &headers)).unwrap();
        assert_eq!(values(&upstream, "X-User.Id"), [""; 0]);
        assert_eq!(values(&upstream, "authorization"), ["Bearer x"]);
        assert_eq!(metric(ROOT, "edge_authz.requests.public.none"), 1);
    });
}

#[test]
fn a_preflight_is_answered_once_and_never_forwarded() {
    with_filter(|_| {
        for (origin, status) in [("https://app.example", 204), ("https://evil.example", 403)] {
            let mut headers = head("OPTIONS", "/private");
            headers.extend([("origin", origin), ("access-control-request-method", "GET")]);
            let id = request(ROOT, &headers);
            assert!(forwarded(id).is_none());
            let reply = answered(id);
            assert_eq!(reply.status, status);
            let allowed = values(&reply.headers, "access-control-allow-origin");
            assert_eq!(allowed.len(), usize::from(status == 204), "{allowed:?}");
        }
    });
}

#[test]
fn a_missing_scope_is_403_and_a_missing_route_404() {
    with_filter(|issuer| {
        let token = with(&issuer.token(START));
        let mut headers = head("GET", "/admin");
        headers.push(("authorization", &token));
        assert_eq!(status_of(request(ROOT, &headers)), Some(403));
        assert_eq!(
            status_of(request(ROOT, &head("GET", "/nowhere"))),
            Some(404)
        );
    });
}

#[test]
fn bytes_that_are_not_text_are_judged_and_passed_like_others() {
    with_filter(|_| {
        let mut headers = fields(&head("GET", "/public"));
        headers.push((b"x-bytes".to_vec(), vec![0xff, 0xfe]));
        let id = request_of(ROOT, headers);
        assert!(
            forwarded(id)
                .unwrap()
                .contains(&(b"x-bytes".to_vec(), vec![0xff, 0xfe]))
        );
        let mut headers = fields(&head("GET", "/private"));
        headers.push((b"authorization".to_vec(), b"Bearer \xff".to_vec()));
        headers.push((b"\xff".to_vec(), b"\0".to_vec()));
        let id = request_of(ROOT, headers);
        assert!(matches!(status_of(id), Some(400 | 401)));
    });
}

#[test]
fn a_request_without_any_header_is_refused() {
    with_filter(|_| {
        assert_eq!(status_of(request_of(ROOT, Vec::new())), Some(503));
    });
}

#[test]
fn trailers_lose_the_headers_that_the_filter_may_set() {
    with_filter(|issuer| {
        let token = with(&issuer.token(START));
        let mut headers = head("POST", "/private");
        headers.push(("authorization", &token));
        let id = request(ROOT, &headers);
        let sent = [
            ("x-user-id", "mallory"),
            ("x_user_id", "mallory"),
            ("checksum", "1"),
        ];
        assert_eq!(trailers(id, &sent), Some(fields(&[("checksum", "1")])));
        assert_eq!(trailers(id, &[]), Some(Vec::new()));
    });
}

#[test]
fn a_value_that_would_break_a_log_line_is_not_published() {
    with_filter(|issuer| {
        let token = with(&issuer.token_with(START, &json!({"sub": "a\nb"})));
        let mut headers = head("GET", "/private");
        headers.push(("authorization", &token));
        let id = request(ROOT, &headers);
        assert_eq!(values(&forwarded(id).unwrap(), "x-user-id"), [""; 0]);
        assert_eq!(filter_state(id, "edge_authz.subject"), None);
        assert_eq!(
            filter_state(id, "edge_authz.reason").as_deref(),
            Some("allowed")
        );
        assert_eq!(metric(ROOT, "edge_authz.identity_dropped.idp"), 1);
    });
}

#[test]
fn a_configuration_without_identity_headers_changes_no_trailers() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let mut document = configuration(&json!({"inline": issuer.jwks()}));
        document.as_object_mut().unwrap().remove("upstream");
        assert!(configure(ROOT, &document.to_string()));
        let id = request(ROOT, &head("GET", "/public"));
        let sent = [("x-user-id", "me")];
        assert_eq!(trailers(id, &sent), Some(fields(&sent)));
    });
}
