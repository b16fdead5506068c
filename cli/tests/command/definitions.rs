//! The schemas of custom resource definitions ([schemas/README.md](schemas/README.md)).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

/// The schemas by version and kind.
pub(crate) struct Schemas(BTreeMap<(String, String), Validator>);

impl Schemas {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The schemas in a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let files = fs::read_dir(folder).unwrap();
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
    pub(crate) fn mistakes(&self, resource: &Value) -> Vec<String> {
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
