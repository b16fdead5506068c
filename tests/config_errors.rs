//! Wrong configurations and, letter for letter, what is said of each.
//!
//! `tests/fixtures/config_errors/*.yaml` are lists of cases:
//!
//! - `name`: the rule, as a sentence.
//! - what is compiled, one of: `config` (a whole configuration), `json` (its
//!   text, for what YAML cannot say), `provider`, `route` or `with` (a merge
//!   patch onto the first provider, the first route or the whole of
//!   [`GOOD`]; RFC 7396).
//! - `errors`: the lines; none where the case shows what is allowed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise ends"
)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use edge_authz::config;
use serde_json::{Map, Value, json};

/// A configuration without a fault.
fn good() -> Value {
    json!({
        "providers": [{
            "name": "main",
            "issuer": "https://issuer.example.com/",
            "audiences": ["api"],
            "jwks": {"cluster": "issuer"},
        }],
        "routes": [{"match": ["GET /pets/{id}"]}],
    })
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let target = target.as_object_mut().unwrap();
    for (name, value) in members {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The text that a case compiles.
fn text(case: &Map<String, Value>) -> String {
    let mut whole = good();
    for (name, value) in case {
        match name.as_str() {
            "json" => return value.as_str().unwrap().to_owned(),
            "config" => return value.to_string(),
            "provider" => merge(&mut whole["providers"][0], value),
            "route" => merge(&mut whole["routes"][0], value),
            "with" => merge(&mut whole, value),
            "name" | "errors" => {}
            other => panic!("a case has no member {other}"),
        }
    }
    whole.to_string()
}

fn said_of(text: &str) -> Vec<String> {
    match config::compile(text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
}

fn cases() -> Vec<(String, Map<String, Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config_errors");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let list: Vec<Map<String, Value>> = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        for case in list {
            cases.push((format!("{stem}: {}", case["name"].as_str().unwrap()), case));
        }
    }
    cases
}

fn expected_of(case: &Map<String, Value>) -> Vec<String> {
    let lines = case["errors"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_wrong_configuration_is_refused_with_these_words() {
    let cases = cases();
    let refused = cases
        .iter()
        .filter(|(_, case)| !expected_of(case).is_empty());
    assert!(refused.count() >= 130, "cases are missing");
    let mut failures = String::new();
    for (name, case) in &cases {
        let (said, expected) = (said_of(&text(case)), expected_of(case));
        if said != expected {
            writeln!(failures, "{name}\n  expected:").unwrap();
            for line in expected {
                writeln!(failures, "    {line}").unwrap();
            }
            writeln!(failures, "  said:").unwrap();
            for line in said {
                writeln!(failures, "    {line}").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Writes an object's members the other way round, at every depth.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}:{}", Value::from(name.as_str()), reversed(value))
            };
            let members: Vec<String> = members.iter().rev().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(reversed).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[test]
fn the_order_of_members_changes_nothing_that_is_said() {
    for (name, case) in cases() {
        let text = text(&case);
        // Duplicates and what is no JSON at all have no other order.
        if case.contains_key("json") {
            continue;
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said_of(&reversed(&value)), said_of(&text), "{name}");
    }
}
