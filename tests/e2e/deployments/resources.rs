//! Compares the resources of `deploy` with the schemas of their kinds.

use serde_json::{Map, Value};

use crate::support::tools;

/// A resource of Kubernetes.
pub(super) struct Resource(Value);

impl Resource {
    /// Every resource of a file under `deploy`.
    pub(super) fn all(file: &str) -> Vec<Self> {
        Self::of(&super::read(file))
    }

    /// Every resource of a text.
    pub(super) fn of(text: &str) -> Vec<Self> {
        let documents = text.split("\n---\n");
        documents.map(|text| Self(super::yaml(text))).collect()
    }

    /// The only one of its kind in a list.
    pub(super) fn only<'r>(all: &'r [Self], kind: &str) -> &'r Value {
        let mut found = all.iter().filter(|resource| resource.0["kind"] == kind);
        let first = found.next().unwrap_or_else(|| panic!("no {kind}"));
        assert!(found.next().is_none(), "several of {kind}");
        &first.0["spec"]
    }

    /// The errors in it.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let kinds = std::fs::read_to_string(tools::root().join("tests/fixtures/resources.yaml"));
        let kinds = super::yaml(&kinds.expect("the kinds"));
        let text = |name: &str| self.0[name].as_str().unwrap_or_default();
        let kind = format!("{} {}", text("apiVersion"), text("kind"));
        let mut mistakes = Vec::new();
        for member in self.0.as_object().expect("a resource").keys() {
            if !["apiVersion", "kind", "metadata", "spec"].contains(&member.as_str()) {
                mistakes.push(format!("{kind}: {member} is unknown"));
            }
        }
        for name in ["name", "namespace"] {
            if !self.0["metadata"][name].is_string() {
                mistakes.push(format!("{kind}: metadata.{name} is missing"));
            }
        }
        match kinds.get(&kind) {
            Some(form) => compare(form, &self.0["spec"], &kind, &mut mistakes),
            None => mistakes.push(format!("{kind} is unknown")),
        }
        mistakes
    }
}

/// Compares a value with its schema.
fn compare(form: &Value, value: &Value, at: &str, mistakes: &mut Vec<String>) {
    match (form, value) {
        (Value::Object(form), Value::Object(value)) => compare_members(form, value, at, mistakes),
        (Value::Array(form), Value::Array(values)) => {
            for (number, value) in values.iter().enumerate() {
                compare(&form[0], value, &format!("{at}[{number}]"), mistakes);
            }
        }
        (Value::String(form), value) => {
            let good = match form.as_str() {
                "any" => true,
                "text" => value.is_string(),
                "number" => value.is_u64(),
                "flag" => value.is_boolean(),
                words => value
                    .as_str()
                    .is_some_and(|word| words.split('|').any(|one| one == word)),
            };
            if !good {
                mistakes.push(format!("{at} is {value}, not {form}"));
            }
        }
        (form, value) => mistakes.push(format!("{at} is {value}, not {form}")),
    }
}

fn compare_members(
    form: &Map<String, Value>,
    value: &Map<String, Value>,
    at: &str,
    mistakes: &mut Vec<String>,
) {
    for (name, value) in value {
        let known = form.get(name).or_else(|| form.get(&format!("{name}!")));
        match known {
            Some(form) => compare(form, value, &format!("{at}.{name}"), mistakes),
            None => mistakes.push(format!("{at}.{name} is unknown")),
        }
    }
    for name in form.keys().filter_map(|name| name.strip_suffix('!')) {
        if !value.contains_key(name) {
            mistakes.push(format!("{at}.{name} is missing"));
        }
    }
}

#[test]
fn a_mistake_in_a_resource_is_seen() {
    let text = super::read("istio/gateway.yaml");
    let plugin = text.split("\n---\n").next().expect("a plugin").to_owned();
    let mistakes = |text: &str| Resource(super::yaml(text)).mistakes();
    assert_eq!(mistakes(&plugin), [""; 0]);
    for (from, to, mistake) in [
        ("failStrategy", "failPolicy", "failPolicy is unknown"),
        ("FAIL_RELOAD", "FAIL_CLOSED", "failStrategy is"),
        ("  url: ", "  uri: ", "url is missing"),
        ("matchLabels:", "matchLabel:", "matchLabel is unknown"),
        (
            "v1alpha1",
            "v1",
            "extensions.istio.io/v1 WasmPlugin is unknown",
        ),
        ("namespace", "nameSpace", "metadata.namespace is missing"),
    ] {
        assert!(plugin.contains(from));
        let found = mistakes(&plugin.replace(from, to)).join("\n");
        assert!(found.contains(mistake), "{to}: {found}");
    }
}
