//! The browser sends a new preflight when `max_age` has passed, and not before. Fetch,
//! section 4.9: a preflight without `Access-Control-Max-Age` is cached for five seconds.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

const APP: &str = "app.example.test";

fn document(port: u16) -> Value {
    let policy = |max_age: Value| {
        let mut policy = json!({
            "allow_origins": [format!("http://{APP}:{port}"), format!("http://other.example.test:{port}")],
            "allow_headers": ["X-Custom", "X-Further"],
        });
        if !max_age.is_null() {
            policy["max_age"] = max_age;
        }
        policy
    };
    let route = |path: &str, max_age: Value| {
        json!({
            "match": [format!("GET {path}"), format!("PUT {path}")],
            "access": "public",
            "cors": policy(max_age),
        })
    };
    let header = |name: &str| {
        json!({
            "allow_origins": [format!("http://{APP}:{port}")],
            "allow_headers": [name],
            "max_age": "2h",
        })
    };
    json!({
        "routes": [
            {"match": "GET /mixed", "access": "public", "cors": header("X-Custom")},
            {"match": "POST /mixed", "access": "public", "cors": header("X-Further")},
            route("/hours", "2h".into()),
            route("/never", "0s".into()),
            route("/seconds", "5s".into()),
            route("/unsaid", Value::Null),
        ],
    })
}

/// A call for which every browser sends a preflight.
fn call(stage: &Stage, path: &str, method: &str, header: &str) {
    let outcome = stage.call(path, json!({"method": method, "headers": {header: "1"}}));
    assert_eq!(outcome["status"], 200, "{path}: {outcome}");
}

/// The number of preflights of a path.
fn preflights(stage: &Stage, path: &str) -> usize {
    let wire = stage.wire();
    let asked = |entry: &&(String, String)| entry.0 == "OPTIONS" && entry.1 == path;
    wire.iter().filter(asked).count()
}

#[test]
fn a_remembered_preflight_is_not_sent_again() {
    let stage = Stage::start(document);
    stage.open_page(APP);
    for _ in 0..3 {
        call(&stage, "/hours", "PUT", "x-custom");
    }
    assert_eq!(preflights(&stage, "/hours"), 1);
    assert_eq!(stage.upstream.count(), 3);

    // No new preflight is sent even after the default of five seconds.
    sleep(Duration::from_secs(6));
    call(&stage, "/hours", "PUT", "x-custom");
    assert_eq!(preflights(&stage, "/hours"), 1);

    // One answer contains the whole policy: other methods and headers are allowed, too.
    call(&stage, "/hours", "GET", "x-further");
    assert_eq!(preflights(&stage, "/hours"), 1);

    // It is valid for the page that asked, not for a page of another origin.
    stage.open_page("other.example.test");
    call(&stage, "/hours", "PUT", "x-custom");
    assert_eq!(preflights(&stage, "/hours"), 2);
}

#[test]
fn with_a_max_age_of_zero_each_call_asks() {
    let stage = Stage::start(document);
    stage.open_page(APP);
    for asked in 1..=3 {
        call(&stage, "/never", "PUT", "x-custom");
        assert_eq!(preflights(&stage, "/never"), asked);
    }
}

#[test]
fn a_remembered_preflight_is_forgotten_in_time() {
    let stage = Stage::start(document);
    stage.open_page(APP);
    for path in ["/seconds", "/unsaid"] {
        call(&stage, path, "PUT", "x-custom");
        call(&stage, path, "PUT", "x-custom");
    }
    assert_eq!(preflights(&stage, "/seconds"), 1);
    assert_eq!(preflights(&stage, "/unsaid"), 1);
    sleep(Duration::from_secs(6));
    for path in ["/seconds", "/unsaid"] {
        call(&stage, path, "PUT", "x-custom");
        assert_eq!(preflights(&stage, path), 2, "{path}");
    }
}

#[test]
fn what_one_policy_of_a_path_allows_is_not_remembered_for_another() {
    let stage = Stage::start(document);
    stage.open_page(APP);
    for asked in 1..=2 {
        call(&stage, "/mixed", "GET", "x-custom");
        assert_eq!(preflights(&stage, "/mixed"), asked);
    }
    // `POST` needs no permission of its own: the result for `GET` would be enough, if it
    // were cached for the path.
    let post = json!({"method": "POST", "headers": {"x-custom": "1"}});
    let outcome = stage.call("/mixed", post);
    assert_eq!(outcome, json!({"error": "TypeError"}));
    assert_eq!(preflights(&stage, "/mixed"), 3);
    assert_eq!(stage.upstream.count(), 2, "it was not sent");
    call(&stage, "/mixed", "POST", "x-further");
}
