//! Compares resources of Kubernetes with the schemas of their custom resource definitions
//! ([schemas/README.md](schemas/README.md)).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::golden::{folder, root};

/// The schemas by version and kind.
struct Schemas(BTreeMap<(String, String), Validator>);

impl Schemas {
    fn read() -> Self {
        let files = fs::read_dir(folder().join("schemas")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|it| it == "json"));
        let all = files.map(|path| {
            let read: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            let text = |name: &str| read[name].as_str().unwrap().to_owned();
            let mut schema = read["openAPIV3Schema"].clone();
            // Those of Istio leave to the server what every resource has.
            for name in ["apiVersion", "kind", "metadata"] {
                schema["properties"][name] = json!({});
            }
            strict(&mut schema);
            let validator = jsonschema::draft4::new(&schema).unwrap();
            ((text("apiVersion"), text("kind")), validator)
        });
        Self(all.collect())
    }

    /// The mistakes in a resource, each with its place.
    fn mistakes(&self, resource: &Value) -> Vec<String> {
        let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        let kind = (text("apiVersion"), text("kind"));
        let Some(schema) = self.0.get(&kind) else {
            return vec![format!("there is no schema for {kind:?}")];
        };
        let mut mistakes: Vec<_> = schema
            .iter_errors(resource)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if !resource["metadata"]["name"].is_string() {
            mistakes.push("/metadata/name: is missing".to_owned());
        }
        mistakes
    }
}

/// Makes a schema refuse unknown members, as the server does with strict validation, and
/// gives `OpenAPI`'s `nullable` the form of JSON Schema.
fn strict(schema: &mut Value) {
    if let Value::Array(all) = schema {
        all.iter_mut().for_each(strict);
        return;
    }
    let Value::Object(members) = schema else {
        return;
    };
    for (name, member) in members.iter_mut() {
        match name.as_str() {
            "properties" => member
                .as_object_mut()
                .unwrap()
                .values_mut()
                .for_each(strict_property),
            "items" | "additionalProperties" | "not" => strict_property(member),
            "anyOf" | "allOf" | "oneOf" => member
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(alternatives),
            _ => {}
        }
    }
    let open = members.contains_key("additionalProperties")
        || members.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if members.contains_key("properties") && !open {
        members.insert("additionalProperties".to_owned(), json!(false));
    }
    if members.get("nullable") == Some(&json!(true)) {
        let kind = members["type"].clone();
        members.insert("type".to_owned(), json!([kind, "null"]));
    }
}

/// A member. What was cut is refused.
fn strict_property(schema: &mut Value) {
    if *schema == json!(false) {
        *schema = json!({"not": {}});
    } else {
        strict(schema);
    }
}

/// Alternatives say only what is required beside the members of the schema around them.
fn alternatives(schema: &mut Value) {
    if let Some(Value::Object(members)) = schema.get_mut("properties") {
        members.values_mut().for_each(alternatives);
    }
}

/// The resources of a text with YAML documents.
fn resources(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n").filter(|text| !text.trim().is_empty());
    documents
        .map(|text| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}")))
        .collect()
}

fn files_in(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in fs::read_dir(path).unwrap() {
        let file = file.unwrap().path();
        if file.is_dir() {
            found.extend(files_in(&file));
        } else {
            found.push(file);
        }
    }
    found
}

fn is_resource(value: &Value) -> bool {
    value["apiVersion"].is_string() && value["kind"].is_string()
}

#[test]
fn every_resource_that_is_rendered_deployed_or_documented_has_the_form_of_its_kind() {
    let schemas = Schemas::read();
    let mut places = vec![folder().join("render")];
    places.extend(["deploy", "docs", "examples", "envoy"].map(|name| root().join(name)));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut mistakes = Vec::new();
    let mut files: Vec<_> = places.iter().flat_map(|place| files_in(place)).collect();
    files.extend(["istio.yaml", "gateway.yaml"].map(|name| folder().join("import").join(name)));
    for file in files {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).unwrap_or_default();
        let texts: Vec<_> = match file.extension().and_then(|it| it.to_str()) {
            Some("yaml") => vec![text.as_str()],
            Some("md") => {
                let blocks = text.split("```yaml\n").skip(1);
                blocks
                    .filter_map(|block| block.split("```").next())
                    .collect()
            }
            _ => continue,
        };
        let texts = texts
            .into_iter()
            .filter(|text| text.contains("apiVersion:"));
        let found: Vec<_> = texts.flat_map(resources).collect();
        for resource in found.iter().filter(|one| is_resource(one)) {
            let kind = resource["kind"].as_str().unwrap();
            *counts.entry(kind.to_owned()).or_default() += 1;
            let of = schemas.mistakes(resource).into_iter();
            mistakes.extend(of.map(|mistake| format!("{name}: {kind}{mistake}")));
        }
    }
    assert_eq!(mistakes, [""; 0]);
    // Every schema is used, and every kind is found.
    assert_eq!(counts.len(), schemas.0.len(), "{counts:?}");
}

/// Changes of rendered files: the file, a text, what replaces it, and a part of the mistake.
const CHANGES: [[&str; 4]; 12] = [
    [
        "istio-wasm-plugin",
        "failStrategy",
        "failPolicy",
        "'failPolicy' was unexpected",
    ],
    [
        "istio-wasm-plugin",
        "FAIL_RELOAD",
        "FAIL_CLOSED",
        "\"FAIL_CLOSED\" is not one of",
    ],
    [
        "istio-wasm-plugin",
        "  url: ",
        "  uri: ",
        "\"url\" is a required property",
    ],
    [
        "istio-wasm-plugin",
        "extensions.istio.io/v1alpha1",
        "extensions.istio.io/v1",
        "there is no schema",
    ],
    [
        "istio",
        "phase: AUTHN",
        "phase: AUTHENTICATE",
        "is not one of",
    ],
    ["istio", "number: 80", "number: eighty", "is not of type"],
    ["istio", "mode: SIMPLE", "mode: SIMPEL", "is not one of"],
    [
        "istio",
        "metadata:\n  name:",
        "metadata:\n  title:",
        "/metadata/name",
    ],
    [
        "envoy-gateway",
        "targetRefs:",
        "targets:",
        "'targets' was unexpected",
    ],
    [
        "envoy-gateway",
        "rootID:",
        "rootId:",
        "'rootId' was unexpected",
    ],
    [
        "envoy-gateway",
        "gatewayClassName:",
        "className:",
        "is a required property",
    ],
    [
        "envoy-gateway-module",
        "dynamicModules:",
        "dynamicmodules:",
        "was unexpected",
    ],
];

#[test]
fn a_mistake_in_a_resource_is_seen() {
    let schemas = Schemas::read();
    for [file, from, to, words] in CHANGES {
        let path = folder().join(format!("render/{file}.yaml"));
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        let changed = resources(&text.replace(from, to));
        let found: Vec<_> = changed
            .iter()
            .flat_map(|one| schemas.mistakes(one))
            .collect();
        assert!(
            found.iter().any(|mistake| mistake.contains(words)),
            "{file}: {to}: {found:?}"
        );
    }
}
