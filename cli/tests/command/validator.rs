//! Implements the keywords of JSON Schema (2020-12) that the schema uses. Any other
//! keyword fails the test, so no keyword is ignored.

use serde_json::{Map, Value};

/// Whether a schema accepts a value.
pub(crate) fn is_valid(schema: &Value, value: &Value) -> bool {
    takes(schema, schema, value)
}

fn takes(root: &Value, schema: &Value, value: &Value) -> bool {
    let keywords = schema.as_object().unwrap();
    keywords
        .iter()
        .all(|(keyword, rule)| keyword_takes(root, keywords, keyword, rule, value))
}

fn keyword_takes(
    root: &Value,
    beside: &Map<String, Value>,
    keyword: &str,
    rule: &Value,
    value: &Value,
) -> bool {
    let count = || usize::try_from(rule.as_u64().unwrap()).unwrap();
    let any = |rules: &Value| {
        let rules = rules.as_array().unwrap().iter();
        rules.filter(|rule| takes(root, rule, value)).count()
    };
    match keyword {
        "$schema" | "$defs" | "title" | "description" => true,
        "$ref" => {
            let target = rule.as_str().unwrap().trim_start_matches('#');
            takes(root, root.pointer(target).unwrap(), value)
        }
        "anyOf" => any(rule) > 0,
        "oneOf" => any(rule) == 1,
        "not" => !takes(root, rule, value),
        "const" => rule == value,
        "enum" => rule.as_array().unwrap().contains(value),
        "type" => match rule {
            Value::Array(types) => types.iter().any(|name| is_a(name, value)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => is_a(rule, value),
        },
        "minimum" => value
            .as_f64()
            .is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value
            .as_f64()
            .is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minLength" => value
            .as_str()
            .is_none_or(|text| text.chars().count() >= count()),
        "pattern" => value
            .as_str()
            .is_none_or(|text| matches(rule.as_str().unwrap(), text)),
        "minItems" => value.as_array().is_none_or(|list| list.len() >= count()),
        "maxItems" => value.as_array().is_none_or(|list| list.len() <= count()),
        "items" => {
            let elements = value.as_array().into_iter().flatten();
            elements
                .into_iter()
                .all(|element| takes(root, rule, element))
        }
        other => value
            .as_object()
            .is_none_or(|object| object_takes(root, beside, other, rule, object)),
    }
}

/// The keywords of objects.
fn object_takes(
    root: &Value,
    beside: &Map<String, Value>,
    keyword: &str,
    rule: &Value,
    object: &Map<String, Value>,
) -> bool {
    let has = |name: &Value| object.contains_key(name.as_str().unwrap());
    match keyword {
        "minProperties" => object.len() >= usize::try_from(rule.as_u64().unwrap()).unwrap(),
        "required" => rule.as_array().unwrap().iter().all(has),
        "dependentRequired" => rule.as_object().unwrap().iter().all(|(name, others)| {
            !object.contains_key(name) || others.as_array().unwrap().iter().all(has)
        }),
        "properties" => object
            .iter()
            .all(|(name, member)| rule.get(name).is_none_or(|rule| takes(root, rule, member))),
        "additionalProperties" => {
            let known = beside.get("properties");
            let named = |name: &str| known.is_some_and(|known| known.get(name).is_some());
            let mut others = object.iter().filter(|(name, _)| !named(name));
            others.all(|(_, member)| *rule != false && takes(root, rule, member))
        }
        other => panic!("the keyword `{other}` is not judged"),
    }
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("the type `{other}` is not judged"),
    }
}

/// The regular expressions of the schema, implemented by hand.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^/" => text.starts_with('/'),
        "^[0-9]+(ms|s|m|h)$" => {
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
            unit.len() < text.len() && ["ms", "s", "m", "h"].contains(&unit)
        }
        "^[a-z0-9_-]{1,64}$" => {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
            (1..=64).contains(&text.len()) && text.chars().all(fits)
        }
        "^(\\$default|[A-Z]+(-[A-Z]+)* /[^ ]*)$" => {
            let is_path = |path: &str| path.starts_with('/') && !path.contains(' ');
            let is_word =
                |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase());
            let is_method = |method: &str| method.split('-').all(is_word);
            let route = text.split_once(' ');
            text == "$default"
                || route.is_some_and(|(method, path)| is_method(method) && is_path(path))
        }
        other => panic!("the pattern `{other}` is not judged"),
    }
}
