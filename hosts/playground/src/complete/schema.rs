//! What the schema permits at a place.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::place::Step;

/// The schema of the configuration.
static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(edge_authz_cli::SCHEMA).unwrap_or_default());

/// How many references and alternatives are followed from one part of the schema.
const MAX_PARTS: usize = 64;

/// The parts of the schema that apply to a value.
pub(super) struct Parts(Vec<&'static Value>);

/// A name or a value, and what it means.
pub(super) struct Choice {
    pub(super) text: String,
    pub(super) meaning: &'static str,
    /// Whether the object needs it.
    pub(super) required: bool,
    /// Whether the text is one in JSON too, and not a number or the like.
    pub(super) is_text: bool,
}

impl Parts {
    /// The parts that apply to the whole configuration.
    pub(super) fn of_document() -> Self {
        Self::all(&SCHEMA)
    }

    /// The parts that apply to the value at the end of a path. What comes before the
    /// configuration, in a bootstrap or a manifest, is left out.
    pub(super) fn at(path: &[Step]) -> Self {
        let root = Self::of_document();
        let is_known = |step: &Step| match step {
            Step::Member(name) => root.property(name).next().is_some(),
            Step::Element => false,
        };
        let start = path.iter().position(is_known).unwrap_or(path.len());
        let inner = path.get(start..).unwrap_or_default();
        inner.iter().fold(Self::of_document(), |parts, step| {
            let next: Vec<_> = match step {
                Step::Member(name) => parts.member(name),
                Step::Element => parts.members("items").collect(),
            };
            Self(
                next.into_iter()
                    .flat_map(|part| Self::all(part).0)
                    .collect(),
            )
        })
    }

    /// A part with those that it refers to.
    fn all(part: &'static Value) -> Self {
        let mut all = Vec::new();
        let mut open = vec![part];
        while let Some(part) = open.pop() {
            if all.len() >= MAX_PARTS {
                break;
            }
            all.push(part);
            let reference = part.get("$ref").and_then(Value::as_str);
            let reference = reference.and_then(|reference| reference.strip_prefix('#'));
            open.extend(reference.and_then(|pointer| SCHEMA.pointer(pointer)));
            for alternatives in ["anyOf", "oneOf", "allOf"] {
                let alternatives = part.get(alternatives).and_then(Value::as_array);
                open.extend(alternatives.into_iter().flatten());
            }
        }
        Self(all)
    }

    fn members(&self, name: &str) -> impl Iterator<Item = &'static Value> {
        self.0.iter().filter_map(move |part| part.get(name))
    }

    fn property(&self, name: &str) -> impl Iterator<Item = &'static Value> {
        let objects = self.members("properties");
        objects.filter_map(move |properties| properties.get(name))
    }

    fn member(&self, name: &str) -> Vec<&'static Value> {
        let known: Vec<_> = self.property(name).collect();
        if known.is_empty() {
            self.members("additionalProperties").collect()
        } else {
            known
        }
    }

    /// The parts that apply to the elements, if the value is a list.
    pub(super) fn elements(&self) -> Self {
        let items = self.members("items");
        Self(items.flat_map(|items| Self::all(items).0).collect())
    }

    /// The names that an object may have.
    pub(super) fn names(&self) -> Vec<Choice> {
        let required: BTreeSet<&str> = self
            .members("required")
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let objects = self.members("properties").filter_map(Value::as_object);
        objects
            .flatten()
            .map(|(name, part)| Choice {
                text: name.clone(),
                meaning: meaning(part),
                required: required.contains(&**name),
                is_text: true,
            })
            .collect()
    }

    /// The values that are listed.
    pub(super) fn values(&self) -> Vec<Choice> {
        let mut values: Vec<&'static Value> = Vec::new();
        for list in ["enum", "examples"] {
            values.extend(self.members(list).filter_map(Value::as_array).flatten());
        }
        values.extend(self.members("const"));
        let mut choices: Vec<Choice> = values.into_iter().map(choice).collect();
        let is_boolean = |part: &&Value| part.get("type").is_some_and(|kind| kind == "boolean");
        if self.0.iter().any(is_boolean) {
            choices.extend([true, false].map(|value| choice(&Value::Bool(value))));
        }
        choices
    }
}

fn choice(value: &Value) -> Choice {
    Choice {
        text: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
        meaning: "",
        required: false,
        is_text: value.is_string(),
    }
}

/// The description of a part, or of one that it refers to.
fn meaning(part: &'static Value) -> &'static str {
    let parts = Parts::all(part);
    let mut descriptions = parts.members("description").filter_map(Value::as_str);
    descriptions.next().unwrap_or_default()
}
