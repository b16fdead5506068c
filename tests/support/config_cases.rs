//! The cases of `tests/fixtures/config_errors`: invalid configurations, and their error
//! messages.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

/// A valid configuration.
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
pub(crate) fn text(case: &Map<String, Value>) -> String {
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

/// All cases, each with the name of its file and its own name.
pub(crate) fn cases() -> Vec<(String, Map<String, Value>)> {
    // Two crates of the workspace read them.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/fixtures/config_errors"))
        .find(|folder| folder.is_dir())
        .unwrap();
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

/// The lines that a case expects.
pub(crate) fn expected_of(case: &Map<String, Value>) -> Vec<String> {
    let lines = case["errors"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}
