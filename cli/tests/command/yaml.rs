//! Writes a value in the style of handwritten YAML.

use std::fmt::Write;

use serde_json::Value;

/// Writes objects as blocks, and lists of scalars in brackets.
pub(crate) fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                write!(out, "{pad}{}:", scalar(&Value::from(name.as_str()))).unwrap();
                inner(value, indent + 2, out);
            }
        }
        Value::Array(elements) if is_block(value) => {
            for element in elements {
                let mut text = String::new();
                block(element, indent + 2, &mut text);
                writeln!(out, "{pad}- {}", text.trim()).unwrap();
            }
        }
        Value::Object(_)
        | Value::Array(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_) => writeln!(out, "{pad}{}", flow(value)).unwrap(),
    }
}

fn inner(value: &Value, indent: usize, out: &mut String) {
    let is_object = matches!(value, Value::Object(members) if !members.is_empty());
    if is_object || is_block(value) {
        out.push('\n');
        block(value, indent, out);
    } else {
        writeln!(out, " {}", flow(value)).unwrap();
    }
}

/// Whether a list contains lists or objects.
fn is_block(value: &Value) -> bool {
    let nested = |element: &Value| element.is_object() || element.is_array();
    value
        .as_array()
        .is_some_and(|elements| elements.iter().any(nested))
}

fn flow(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(flow).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(_) => "{}".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar(value),
    }
}

/// Writes text without quotes if it cannot be mistaken for another type.
fn scalar(value: &Value) -> String {
    let plain = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
            && text.len() > 3
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
            && !["true", "false", "null"].contains(&text)
    };
    match value {
        Value::String(text) if plain(text) => text.clone(),
        Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_) => value.to_string(),
    }
}
