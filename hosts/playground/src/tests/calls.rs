//! Each call, and calls that are none.

use serde_json::json;

use super::{ask, document};
use crate::session::Session;

const PETS: &str = include_str!("../../../../examples/getting-started/edge-authz.yaml");

#[test]
fn a_document_is_checked_as_by_the_command() {
    let mut session = Session::EMPTY;
    let wrong = "routes:\n  - match: GET /a\n    access: public\n    acces: public\n";
    let checked = ask(
        &mut session,
        &json!({"call": "check", "document": document(wrong)}),
    );
    let checked = checked.unwrap();
    assert_eq!(checked["errors"], 1);
    assert_eq!(checked["findings"][0]["line"], 4);
    assert_eq!(checked["findings"][0]["code"], "EA002");
    assert_eq!(checked["providers"], json!(null));

    let file = std::env::temp_dir().join(format!("edge-authz-{}.yaml", std::process::id()));
    std::fs::write(&file, wrong).unwrap();
    let (_, out) = edge_authz_cli::run(&["edge-authz", "check", "--json", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let command: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(checked["findings"], command["files"][0]["findings"]);
}

#[test]
fn the_host_makes_a_difference_to_the_findings() {
    let mut session = Session::EMPTY;
    let text = PETS.replace("{cluster: login}", "{refresh: 1h}");
    for (host, errors) in [("envoy", 1), ("server", 0)] {
        let document = json!({"text": text, "host": host});
        let checked = ask(
            &mut session,
            &json!({"call": "check", "document": document}),
        );
        assert_eq!(checked.unwrap()["errors"], errors, "{host}");
    }
}

#[test]
fn the_providers_say_which_tokens_they_accept() {
    let mut session = Session::EMPTY;
    let checked = ask(
        &mut session,
        &json!({"call": "check", "document": document(PETS)}),
    );
    let provider = &checked.unwrap()["providers"][0];
    assert_eq!(provider["name"], "login");
    assert_eq!(provider["issuer"], "https://login.example.com");
    assert_eq!(provider["audience"], "pets");
    assert_eq!(provider["fetched"], true);
    assert!(
        provider["algorithms"]
            .as_array()
            .unwrap()
            .contains(&json!("ES256"))
    );
}

#[test]
fn a_decision_has_the_answer_or_the_request_of_the_upstream() {
    let mut session = Session::EMPTY;
    let mut decide = |method: &str, target: &str, headers: &[&str]| {
        let request = json!({"method": method, "target": target, "headers": headers});
        let call =
            json!({"call": "decide", "document": document(PETS), "request": request, "now": 0});
        ask(&mut session, &call).unwrap()
    };
    let public = decide(
        "GET",
        "https://api.example.com/pets?page=2",
        &["x-user: me", "accept: */*"],
    );
    assert_eq!(public["verdict"], "forward");
    assert_eq!(public["answer"], json!(null));
    assert_eq!(public["upstream"]["path"], "/pets?page=2");
    assert_eq!(public["upstream"]["headers"], json!([["accept", "*/*"]]));
    assert_eq!(public["upstream"]["removed"], json!([["x-user", "me"]]));

    let refused = decide("GET", "/pets/7", &[]);
    assert_eq!(refused["verdict"], "reply");
    assert_eq!(refused["reason"], "no_token");
    assert_eq!(refused["answer"]["status"], 401);
    assert_eq!(refused["answer"]["body"], r#"{"message":"Unauthorized"}"#);
    let challenge = json!(["www-authenticate", "Bearer realm=\"api\""]);
    assert!(
        refused["answer"]["headers"]
            .as_array()
            .unwrap()
            .contains(&challenge)
    );
    let last = refused["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["result"], "decided");

    assert_eq!(decide("HEAD", "/pets/7", &[])["answer"]["body"], "");
}

#[test]
fn mistakes_are_sentences() {
    let mut session = Session::EMPTY;
    let request = json!({"method": "GET", "target": "/", "headers": ["no colon"]});
    let call = |text: &str, request: &serde_json::Value, keys: serde_json::Value| json!({"call": "decide", "document": document(text), "request": request, "keys": keys, "now": 0});
    let sentence = ask(&mut session, &call(PETS, &request, json!({}))).unwrap_err();
    assert_eq!(sentence, "a header is written `name: value`");
    let request = json!({"method": "GET", "target": "/", "headers": []});
    let sentence = ask(&mut session, &call("routes: []", &request, json!({}))).unwrap_err();
    assert!(sentence.contains("has errors"), "{sentence}");
    let keys = json!({"login": "<html>"});
    let sentence = ask(&mut session, &call(PETS, &request, keys)).unwrap_err();
    assert!(sentence.starts_with("the key set of `login`"), "{sentence}");
    let sentence = ask(&mut session, &call(PETS, &request, json!({"other": ""}))).unwrap_err();
    assert_eq!(sentence, "the configuration has no provider `other`");
    for call in ["", "{", "null", "[]", r#"{"call":"other"}"#, "\u{0}"] {
        let answer = session.answer(call.as_bytes());
        assert!(answer.starts_with(r#"{"error":"not a call"#), "{answer}");
    }
    assert!(session.answer(b"\xff").starts_with(r#"{"error""#));
}

/// No document may end the module: what is too much is an error.
#[test]
fn hostile_documents_are_findings() {
    let mut session = Session::EMPTY;
    for text in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "- ".repeat(100_000),
        "a: &a [*a]".to_owned(),
        "routes:\n".to_owned() + &"  - match: GET /a\n".repeat(2000),
        "\u{0}\u{FEFF}\u{2028}".repeat(10_000),
        "? ".repeat(50_000),
        "!!binary |\n".repeat(1000),
    ] {
        let call = json!({"call": "check", "document": document(&text)});
        let checked = ask(&mut session, &call).unwrap();
        let begin: String = text.chars().take(20).collect();
        assert_ne!(checked["errors"], 0, "{begin}");
    }
}
