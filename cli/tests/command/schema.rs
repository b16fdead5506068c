//! `schema`, `routes` and `completions`.

use std::collections::BTreeSet;
use std::fs;

use edge_authz::config::{self, Problem, ShapeProblem};
use serde_json::{Value, json};

use super::config_cases;
use super::golden::{Golden, folder, root, run, run_in};
use super::validator;

fn schema() -> Value {
    let ran = run(&["schema"], "");
    assert_eq!(ran.code, 0);
    serde_json::from_str(&ran.out).unwrap()
}

/// The members that the configuration knows at a place, from its error message about an
/// unknown one.
fn known(mut document: Value, pointer: &str) -> BTreeSet<String> {
    let unknown = "qqqqqqqqqqqq";
    let target = document.pointer_mut(pointer).unwrap();
    target[unknown] = json!(1);
    let errors = config::compile(document.to_string().as_bytes()).unwrap_err();
    let known = errors.iter().find_map(|error| {
        let Problem::Shape(ShapeProblem::Unknown { known, .. }) = &error.problem else {
            return None;
        };
        error.place.to_string().ends_with(unknown).then_some(*known)
    });
    let known = known.unwrap_or_else(|| panic!("{pointer} takes every member"));
    known.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn schema_and_configuration_have_the_same_members_everywhere() {
    let schema = schema();
    let document = json!({
        "providers": [{"jwks": {}, "dpop": {"max_age": "1s"}, "revoked": {}, "claims": {"a": {"any_of": []}}}],
        "token_from": [{"header": "a"}],
        "upstream": {"claims": {"x": {"claim": "sub"}}},
        "paths": {"base": "/"},
        "routes": [{"mcp": {"method": "a"}, "authentication": {"acr": ["a"]}, "scopes": {"any_of": ["a"]}, "claims": {"a": {"any_of": ["a", {"prefix": "b"}]}}, "cors": {"max_age": "1s"}}],
        "resources": [{"resource": "https://a.example"}],
        "cors": {"max_age": "1s"},
        "responses": {"realm": "a"},
        "telemetry": {"filter_state": ["reason"]},
        "token_cache": {"max_tokens": 1},
    });
    let mut covered = BTreeSet::new();
    for (pointer, definition) in [
        ("", ""),
        ("/providers/0", "/$defs/provider"),
        ("/providers/0/jwks", "/$defs/jwks"),
        ("/providers/0/revoked", "/$defs/revoked"),
        ("/providers/0/claims/a", "/$defs/claim_lists"),
        ("/token_from/0", "/$defs/token_place"),
        ("/upstream", "/$defs/upstream"),
        ("/upstream/claims/x", "/$defs/claim_header"),
        ("/providers/0/dpop", "/$defs/dpop"),
        ("/paths", "/$defs/paths"),
        ("/routes/0", "/$defs/route"),
        ("/routes/0/mcp", "/$defs/mcp"),
        ("/routes/0/authentication", "/$defs/authentication"),
        ("/routes/0/scopes", "/$defs/scope_lists"),
        ("/routes/0/claims/a", "/$defs/claim_lists"),
        ("/routes/0/claims/a/any_of/1", "/$defs/claim_prefix"),
        ("/routes/0/cors", "/$defs/cors"),
        ("/resources/0", "/$defs/resource"),
        ("/cors", "/$defs/cors"),
        ("/responses", "/$defs/responses"),
        ("/telemetry", "/$defs/telemetry"),
        ("/token_cache", "/$defs/token_cache"),
    ] {
        let object = schema.pointer(definition).unwrap();
        assert_eq!(object["additionalProperties"], false, "{definition}");
        let members = object["properties"].as_object().unwrap();
        let members: BTreeSet<String> = members.keys().cloned().collect();
        assert_eq!(members, known(document.clone(), pointer), "{definition}");
        covered.insert(definition.to_owned());
    }
    // Checks that no object of the schema was omitted above.
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        if definition.get("properties").is_some() {
            assert!(covered.contains(&format!("/$defs/{name}")), "{name}");
        }
    }
}

#[test]
fn every_member_of_the_schema_is_described() {
    let schema = schema();
    let described = |value: &Value| {
        let target = value["$ref"]
            .as_str()
            .map(|target| target.trim_start_matches('#'));
        let target = target.and_then(|target| schema.pointer(target));
        value.get("description").is_some()
            || target.is_some_and(|target| target.get("description").is_some())
    };
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .chain([("", &schema)])
    {
        for (member, value) in definition["properties"].as_object().into_iter().flatten() {
            let named = ["name", "jwks"].contains(&member.as_str());
            assert!(described(value) || named, "{name}.{member}");
        }
    }
}

#[test]
fn the_schema_accepts_what_the_configuration_accepts() {
    let schema = schema();
    let validator = |value: &Value| validator::is_valid(&schema, value);
    let whole = fs::read_to_string(root().join("tests/fixtures/whole.yaml")).unwrap();
    let whole: Value = serde_saphyr::from_str(&whole).unwrap();
    assert!(validator(&whole), "tests/fixtures/whole.yaml");
    let mut refused = 0;
    for (name, case) in config_cases::cases() {
        let Ok(value) = serde_json::from_str(&config_cases::text(&case)) else {
            continue;
        };
        // The schema describes only the form. It may accept invalid configurations, but
        // must never refuse valid ones.
        let errors = config_cases::expected_of(&case);
        let valid = validator(&value);
        assert!(valid || !errors.is_empty(), "{name}");
        refused += usize::from(!valid);
    }
    assert!(
        refused >= 40,
        "the schema refuses only {refused} wrong configurations"
    );
}

#[test]
fn routes_are_a_table_of_permissions() {
    let mut golden = Golden::default();
    let folder = folder();
    let ran = run_in(&folder, &["routes", "explain/config.yaml"], "");
    assert_eq!(ran.code, 0);
    golden.compare(&folder.join("routes.out"), &ran.out);
    let output = run_in(&folder, &["routes", "--json", "explain/config.yaml"], "");
    golden.compare(&folder.join("routes.json.out"), &output.out);
    golden.finish();
}

#[test]
fn every_shell_is_completed_and_every_command_has_an_example() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell], "");
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("explain"), "{shell}");
    }
    for command in [
        "check",
        "explain",
        "routes",
        "test",
        "schema",
        "completions",
    ] {
        let ran = run(&["help", command], "");
        assert!(
            ran.out.contains("Examples:\n  edge-authz") || ran.out.contains("Examples:"),
            "{command}"
        );
    }
}
