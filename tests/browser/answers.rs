//! The page can read the answer, whether it comes from the upstream, the filter or Envoy
//! itself, and errors too. It cannot read what it must not read, for any headers of the
//! upstream.

use serde_json::{Value, json};

use crate::stage::Stage;
use crate::support::server::Answer;

const APP: &str = "app.example.test";
const EVIL: &str = "evil.test";

fn document(port: u16) -> Value {
    json!({
        "routes": [
            {"match": "ANY /api/{proxy+}", "access": "public"},
            {"match": "ANY /private/{proxy+}"},
            {"match": "GET /closed", "access": "denied"},
            {"match": "GET /off", "access": "public", "cors": "off"},
            {"match": "GET /fonts", "access": "public", "cors": {
                "allow_origins": ["*"], "allow_headers": ["*"], "expose_headers": ["*"],
            }},
        ],
        "cors": {
            "allow_origins": [format!("http://{APP}:{port}"), "http://*.apps.test:*"],
            "allow_headers": ["Authorization", "Content-Type"],
            "expose_headers": ["X-Request-Id"],
            "max_age": "2h",
        },
    })
}

#[track_caller]
fn assert_unreadable(outcome: &Value) {
    assert_eq!(*outcome, json!({"error": "TypeError"}));
}

#[test]
fn a_page_reads_every_error_and_only_an_allowed_page() {
    let stage = Stage::start(document);
    let dark = json!({"headers": {"authorization": stage.dark_bearer()}});
    let none = json!({});
    let calls = [
        ("/private/a", &none, 401, "Unauthorized"),
        ("/private/a", &dark, 503, "Service Unavailable"),
        ("/closed", &none, 403, "Forbidden"),
        ("/nowhere", &none, 404, "Not Found"),
        ("/api//a", &none, 400, "Bad Request"),
    ];
    for (host, readable) in [(APP, true), ("a.b.apps.test", true), (EVIL, false)] {
        stage.open_page(host);
        for (path, options, status, message) in calls {
            let outcome = stage.call(path, options.clone());
            if !readable {
                assert_unreadable(&outcome);
                continue;
            }
            assert_eq!(outcome["status"], status, "{path}: {outcome}");
            let body = outcome["body"].as_str().expect("a body");
            let body: Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(body["message"], message);
            let headers = &outcome["headers"];
            assert_eq!(headers["www-authenticate"].is_string(), status == 401);
            assert_eq!(headers["retry-after"].is_string(), status == 503);
        }
    }
}

#[test]
fn a_page_reads_what_the_upstream_answers_with_the_policys_headers() {
    let stage = Stage::start(document);
    for status in [201, 400, 401, 404, 429, 500, 503] {
        stage.upstream.answer_with(
            Answer::new(status, "of the upstream")
                .header("x-request-id", "r-1")
                .header("x-secret", "s-1")
                .header("www-authenticate", "Upstream")
                .header("access-control-allow-origin", "*")
                .header("access-control-expose-headers", "*"),
        );
        stage.open_page(APP);
        let outcome = stage.call("/api/a", json!({}));
        assert_eq!(outcome["status"], status, "{outcome}");
        assert_eq!(outcome["body"], "of the upstream");
        assert_eq!(outcome["headers"]["x-request-id"], "r-1");
        // It is not our header, and so is exposed only if `expose_headers` lists it.
        assert_eq!(outcome["headers"]["x-secret"], Value::Null);
        assert_eq!(outcome["headers"]["www-authenticate"], Value::Null);
        stage.open_page(EVIL);
        assert_unreadable(&stage.call("/api/a", json!({})));
    }
}

#[test]
fn a_page_reads_envoys_own_503() {
    let mut stage = Stage::start(document);
    stage.upstream.stop();
    stage.open_page(APP);
    let outcome = stage.call("/api/a", json!({}));
    assert_eq!(outcome["status"], 503, "{outcome}");
    let body = outcome["body"].as_str().expect("a body");
    assert!(body.contains("upstream connect error"), "{body}");
    stage.open_page(EVIL);
    assert_unreadable(&stage.call("/api/a", json!({})));
}

#[test]
fn the_browsers_cache_keeps_the_answers_of_two_origins_apart() {
    let stage = Stage::start(document);
    stage.upstream.answer_with(
        Answer::new(200, "for an hour")
            .header("cache-control", "public, max-age=3600")
            // The two lines become one `Vary` line.
            .header("vary", "Accept-Encoding"),
    );
    // Two origins of one site share the browser's cache.
    for host in ["one.apps.test", "two.apps.test"] {
        stage.open_page(host);
        for _ in 0..2 {
            let outcome = stage.call("/api/cached", json!({}));
            assert_eq!(outcome["body"], "for an hour", "{host}: {outcome}");
        }
    }
    assert_eq!(stage.upstream.count(), 2, "each origin once");
}

#[test]
fn a_page_that_is_not_allowed_can_send_a_simple_request_but_never_read() {
    let stage = Stage::start(document);
    stage.open_page(EVIL);
    let blind = stage.call("/api/a", json!({"mode": "no-cors"}));
    assert_eq!(blind["type"], "opaque");
    assert_eq!(blind["status"], 0);
    assert_eq!(blind["body"], "");
    assert_eq!(stage.upstream.count(), 1);
    assert_unreadable(&stage.call("/api/a", json!({"method": "DELETE"})));
    assert_eq!(stage.upstream.count(), 1, "the preflight was refused");
}

#[test]
fn without_a_policy_the_upstream_decides() {
    let stage = Stage::start(document);
    stage.open_page(EVIL);
    assert_unreadable(&stage.call("/off", json!({})));
    stage
        .upstream
        .answer_with(Answer::new(200, "open").header("access-control-allow-origin", "*"));
    assert_eq!(stage.call("/off", json!({}))["body"], "open");
}

#[test]
fn wildcards_of_headers_hold_without_credentials() {
    let stage = Stage::start(document);
    stage
        .upstream
        .answer_with(Answer::new(200, "a font").header("x-anything", "1"));
    stage.open_page(EVIL);
    let custom = json!({"headers": {"x-made-up": "1"}});
    let outcome = stage.call("/fonts", custom);
    assert_eq!(outcome["body"], "a font", "{outcome}");
    assert_eq!(outcome["headers"]["x-anything"], "1");
    // By the standard `*` never covers it, and the filter's log says so. Chromium
    // currently treats it as covered. This only affects an answer that is open anyway.
    let authorized = json!({"headers": {"authorization": "Bearer x"}});
    let outcome = stage.call("/fonts", authorized);
    if outcome["body"] != "a font" {
        assert_unreadable(&outcome);
    }
    assert_unreadable(&stage.call("/fonts", json!({"credentials": "include"})));
}

#[test]
fn a_page_of_the_public_network_needs_a_permission_and_no_header() {
    let stage = Stage::start(|port| {
        json!({
            "routes": [{"match": "ANY /api/{proxy+}", "access": "public"}],
            "cors": {"allow_origins": [format!("http://127.0.0.1:{port}")]},
        })
    });
    stage.open_public_page("127.0.0.1");
    assert_unreadable(&stage.call("/api/a", json!({})));
    assert!(stage.wire().is_empty(), "the browser sent no preflight");
    stage.browser.permit("loopback-network");
    assert_eq!(stage.call("/api/a", json!({}))["status"], 200);
    assert_eq!(stage.wire().len(), 1, "the browser still sent no preflight");
}
