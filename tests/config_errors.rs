//! Invalid configurations and the exact error messages for each.
//!
//! `tests/fixtures/config_errors/*.yaml` are lists of cases:
//!
//! - `name`: the rule, as a sentence.
//! - what is compiled, one of: `config` (a whole configuration), `json` (its text, if
//!   YAML cannot express it), `provider`, `route` or `with` (a merge patch onto the first
//!   provider, the first route or the whole of [`GOOD`]; RFC 7396).
//! - `errors`: the lines; empty if the configuration is valid.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first unexpected result"
)]

use std::fmt::Write;

use config_cases::{cases, expected_of, text};
use edge_authz::config;
use serde_json::Value;

#[path = "support/config_cases.rs"]
mod config_cases;

fn errors_of(text: &str) -> Vec<String> {
    match config::compile(text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    }
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
        let (found, expected) = (errors_of(&text(case)), expected_of(case));
        if found != expected {
            writeln!(failures, "{name}\n  expected:").unwrap();
            for line in expected {
                writeln!(failures, "    {line}").unwrap();
            }
            writeln!(failures, "  found:").unwrap();
            for line in found {
                writeln!(failures, "    {line}").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

/// Reverses the order of an object's members, at every depth.
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
fn the_order_of_members_changes_no_error() {
    for (name, case) in cases() {
        let text = text(&case);
        // Duplicates and invalid JSON have no other order.
        if case.contains_key("json") {
            continue;
        }
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(errors_of(&reversed(&value)), errors_of(&text), "{name}");
    }
}
