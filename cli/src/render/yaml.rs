//! Writes a document as YAML in block style.

use crate::tree::{Node, Value, scalar};

/// The lines of a document, each indented by this many spaces, without the last line break.
pub(super) fn block(node: &Node, indent: usize) -> String {
    let mut lines = Vec::new();
    write(node, &mut lines);
    let margin = " ".repeat(indent);
    let lines: Vec<_> = lines.iter().map(|line| format!("{margin}{line}")).collect();
    lines.join("\n")
}

/// A text with each of its lines indented, without the last line break.
pub(super) fn indented(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let lines = text.trim_end().lines().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!("{margin}{line}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text as an element of a list.
pub(super) fn item(text: &str, indent: usize) -> String {
    let inner = indented(text, indent.saturating_add(2));
    let margin = " ".repeat(indent);
    let rest = inner.get(indent.saturating_add(2)..).unwrap_or_default();
    format!("{margin}- {rest}")
}

fn write(node: &Node, lines: &mut Vec<String>) {
    match &node.value {
        Value::Object(members) if !members.is_empty() => {
            for member in members {
                nested(&format!("{}:", scalar(&member.name)), &member.value, lines);
            }
        }
        Value::List(elements) if !elements.is_empty() => {
            for element in elements {
                let mut inner = Vec::new();
                write(element, &mut inner);
                for (number, line) in inner.iter().enumerate() {
                    let margin = if number == 0 { "- " } else { "  " };
                    lines.push(format!("{margin}{line}"));
                }
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Object(_) => lines.push(inline(node)),
    }
}

fn nested(name: &str, value: &Node, lines: &mut Vec<String>) {
    let simple = value.members().is_empty()
        && value
            .elements()
            .iter()
            .all(|one| one.members().is_empty() && one.elements().is_empty());
    if simple {
        lines.push(format!("{name} {}", inline(value)));
        return;
    }
    lines.push(name.to_owned());
    let mut inner = Vec::new();
    write(value, &mut inner);
    lines.extend(inner.iter().map(|line| format!("  {line}")));
}

fn inline(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => scalar(text),
        Value::List(elements) => {
            let elements: Vec<_> = elements.iter().map(inline).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => node.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse_yaml;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let text = r#"{"a": {"b": [1, "2", "off", "x: y", {"c": null, "d": []}], "e": {}}, "": ["GET /{id}", "\u2028"]}"#;
        let [node] = &*parse_yaml(text).unwrap() else {
            panic!("one document");
        };
        for indent in [0, 4] {
            let [read] = &*parse_yaml(&block(node, indent)).unwrap() else {
                panic!("one document");
            };
            assert_eq!(read.to_json(), node.to_json());
        }
    }
}
