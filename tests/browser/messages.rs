//! The console's messages about a blocked call: they tell the page's developer whether
//! the cause is the origin, the method or a header.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;
use crate::support::process::wait_until;

const APP: &str = "app.example.test";
const EVIL: &str = "evil.test";

fn document(port: u16) -> Value {
    json!({
        "routes": [
            {"match": ["GET /items", "PUT /items"], "access": "public"},
            {"match": ["GET /open", "PUT /open"], "access": "public", "cors": {
                "allow_origins": ["*"], "allow_headers": ["*", "Authorization"],
            }},
            {"match": ["GET /denied", "PUT /denied"], "access": "denied"},
        ],
        "cors": {
            "allow_origins": [format!("http://{APP}:{port}")],
            "allow_headers": ["Authorization", "Content-Type"],
            "max_age": "0s",
        },
    })
}

/// The console's message about a call that the page cannot read.
fn blocked(stage: &Stage, path: &str, options: Value) -> String {
    stage.browser.console();
    let outcome = stage.call(path, options);
    assert_eq!(outcome, json!({"error": "TypeError"}), "{path}");
    let message = wait_until(Duration::from_secs(20), || {
        let said = stage.browser.console();
        said.into_iter().find(|line| line.contains("CORS policy"))
    });
    message.expect("a message about CORS")
}

#[test]
fn the_console_names_the_method_or_the_header_that_is_not_allowed() {
    let stage = Stage::start(document);
    stage.open_page(APP);
    for path in ["/items", "/denied"] {
        let method = blocked(&stage, path, json!({"method": "DELETE"}));
        assert!(
            method.contains("Method DELETE is not allowed by Access-Control-Allow-Methods"),
            "{method}"
        );
        let header = blocked(&stage, path, json!({"headers": {"x-trace": "1"}}));
        assert!(
            header.contains(
                "Request header field x-trace is not allowed by Access-Control-Allow-Headers"
            ),
            "{header}"
        );
        // The origin is not the cause.
        for message in [method, header] {
            assert!(
                !message.contains("Access-Control-Allow-Origin"),
                "{message}"
            );
        }
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn the_console_names_the_origin_that_is_not_allowed() {
    let stage = Stage::start(document);
    stage.open_page(EVIL);
    for options in [
        json!({"method": "PUT"}),
        json!({"method": "DELETE"}),
        json!({"headers": {"x-trace": "1"}}),
    ] {
        let message = blocked(&stage, "/items", options);
        assert!(
            message.contains("No 'Access-Control-Allow-Origin' header is present"),
            "{message}"
        );
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn what_is_allowed_says_nothing() {
    let stage = Stage::start(document);
    stage.open_page(APP);
    let json = json!({"content-type": "application/json", "authorization": "Bearer x"});
    for (path, headers) in [
        ("/items", json.clone()),
        (
            "/open",
            json!({"x-anything": "1", "authorization": "Bearer x"}),
        ),
    ] {
        let options = json!({"method": "PUT", "headers": headers});
        let outcome = stage.call(path, options);
        assert_eq!(outcome["status"], 200, "{path}: {outcome}");
    }
    // A refusal that the page can read.
    let denied = json!({"method": "PUT", "headers": json});
    assert_eq!(stage.call("/denied", denied)["status"], 403);
    let said = stage.browser.console();
    let of_cors = |line: &&String| line.contains("CORS policy");
    assert_eq!(said.iter().find(of_cors), None, "{said:?}");
}
