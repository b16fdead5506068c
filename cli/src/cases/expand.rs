//! Expands groups and families of cases: each case with all that it inherits, and each
//! `$name` replaced by its value of `each`.

use serde_json::{Map, Value};

use super::Problem;

/// The maximum number of cases in one file.
const MAX_CASES: usize = 20_000;
/// The maximum depth of nested groups.
const MAX_DEPTH: u8 = 8;

/// A node of the tree of cases: a case, or a group.
pub(super) type Node = Map<String, Value>;

/// Expands the cases of a group. Besides the names of `each`, `$n` is the number of the
/// value, in two digits. The names may also appear in what a case inherits from a group
/// around its `each`.
///
/// A case inherits the members of its group: those of `headers`, `expect` and `token` one
/// by one, `with` as a merge patch (RFC 7396), names joined by a colon, the rest
/// unchanged.
pub(super) fn cases(group: Node) -> Result<Vec<Node>, Problem> {
    let mut out = Vec::new();
    expand(group, &Node::new(), &mut out, 0)?;
    Ok(out)
}

fn expand(mut node: Node, outer: &Node, out: &mut Vec<Node>, depth: u8) -> Result<(), Problem> {
    if depth > MAX_DEPTH {
        return Err(Problem::Circular("cases".to_owned()));
    }
    let Some(each) = node.remove("each") else {
        return expand_one(node, outer, out, depth);
    };
    for (number, mut values) in (1_u32..).zip(bindings(each)?) {
        values
            .entry("n")
            .or_insert_with(|| format!("{number:02}").into());
        let mut one = substituted_members(&node, &values);
        let around = substituted_members(outer, &values);
        if one.get("name") == node.get("name") && around.get("name") == outer.get("name") {
            // Cases of the same name are distinguished by their values.
            let distinguishing = |(name, value): &(&String, &Value)| {
                let is_name_or_expectation = ["n", "row", "expect"].contains(&name.as_str());
                !is_name_or_expectation && !value.is_object()
            };
            let named = values.iter().filter(distinguishing);
            let values: Vec<_> = named.map(|(_, value)| shortened(scalar(value))).collect();
            let name = node.get("name").map(scalar).unwrap_or_default();
            if !values.is_empty() {
                let name = format!("{name} [{}]", values.join(", "));
                one.insert("name".to_owned(), Value::from(name.trim()));
            }
        }
        if let Some(row) = values.get("row") {
            one.entry("row").or_insert_with(|| row.clone());
        }
        expand_one(one, &around, out, depth)?;
    }
    Ok(())
}

fn expand_one(mut node: Node, outer: &Node, out: &mut Vec<Node>, depth: u8) -> Result<(), Problem> {
    let inner = node.remove("cases");
    let whole = inherited(outer, node);
    match inner {
        Some(Value::Array(inner)) => {
            for node in inner {
                let Value::Object(node) = node else {
                    return Err(Problem::invalid(node.to_string(), "a case is a mapping"));
                };
                expand(node, &whole, out, depth.saturating_add(1))?;
            }
        }
        Some(other) => return Err(Problem::invalid(other.to_string(), "`cases` is a list")),
        None => out.push(whole),
    }
    if out.len() > MAX_CASES {
        return Err(Problem::TooLarge);
    }
    Ok(())
}

/// The values of `each`: a mapping from names to lists, which means all their
/// combinations, or a list of mappings.
fn bindings(each: Value) -> Result<Vec<Node>, Problem> {
    let wrong = |value: &Value| {
        Problem::invalid(
            value.to_string(),
            "`each` is a mapping from names to lists, or a list of mappings",
        )
    };
    match each {
        Value::Array(list) => list
            .into_iter()
            .map(|binding| {
                let members = binding.as_object().cloned();
                members.ok_or_else(|| wrong(&binding))
            })
            .collect(),
        Value::Object(lists) => {
            let mut all = vec![Node::new()];
            for (name, values) in lists {
                let Value::Array(values) = values else {
                    return Err(wrong(&values));
                };
                let with = |binding: &Node, value: &Value| {
                    let mut binding = binding.clone();
                    binding.insert(name.clone(), value.clone());
                    binding
                };
                all = all
                    .iter()
                    .flat_map(|binding| values.iter().map(move |value| with(binding, value)))
                    .collect();
                if all.len() > MAX_CASES {
                    return Err(Problem::TooLarge);
                }
            }
            Ok(all)
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            Err(wrong(&other))
        }
    }
}

fn substituted_members(node: &Node, values: &Node) -> Node {
    node.iter()
        .map(|(name, value)| (in_text(name, values), substituted(value, values)))
        .collect()
}

fn substituted(value: &Value, values: &Node) -> Value {
    match value {
        Value::String(text) => {
            // A text that is only a name becomes the value itself.
            let whole = text.strip_prefix('$').and_then(|name| values.get(name));
            whole.map_or_else(|| Value::String(in_text(text, values)), Clone::clone)
        }
        Value::Array(list) => list.iter().map(|item| substituted(item, values)).collect(),
        Value::Object(node) => Value::Object(substituted_members(node, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Replaces each `$name` by its value; other dollar signs stay.
fn in_text(text: &str, values: &Node) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(part.len());
        let (name, rest) = part.split_at_checked(end).unwrap_or((part, ""));
        if let Some(value) = values.get(name) {
            out.push_str(&scalar(value));
            out.push_str(rest);
        } else {
            out.push('$');
            out.push_str(part);
        }
    }
    out
}

fn scalar(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The beginning of a text, for use in a name.
fn shortened(text: String) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn inherited(outer: &Node, node: Node) -> Node {
    let mut whole = outer.clone();
    for (name, value) in node {
        let known = whole.remove(&name);
        let value = match (name.as_str(), known, value) {
            ("name", Some(outer), inner) => {
                Value::from(format!("{}: {}", scalar(&outer), scalar(&inner)))
            }
            ("token", Some(outer), inner @ Value::Object(_)) => token(outer, inner),
            ("expect", Some(outer), inner) => merged(expectation(outer), expectation(inner)),
            ("with" | "headers", Some(outer), inner @ Value::Object(_)) => patched(outer, inner),
            (_, _, inner) => inner,
        };
        whole.insert(name, value);
    }
    whole
}

/// A token that has more members than the group's token: it is like that one, with these
/// members added.
fn token(outer: Value, inner: Value) -> Value {
    match (outer, inner) {
        (Value::Object(outer), Value::Object(inner)) => {
            if inner.contains_key("like") {
                return Value::Object(inner);
            }
            let mut whole = outer;
            for (name, value) in inner {
                let known = whole.remove(&name);
                let value = match (name.as_str(), known, value) {
                    ("claims" | "header", Some(outer), inner) => merged(outer, inner),
                    (_, _, inner) => inner,
                };
                whole.insert(name, value);
            }
            Value::Object(whole)
        }
        (Value::String(name), Value::Object(mut inner)) => {
            inner.entry("like").or_insert(Value::String(name));
            Value::Object(inner)
        }
        (_, inner) => inner,
    }
}

/// The long form of an expectation: `403 missing_scope` and `200` are short forms.
pub(super) fn expectation(short: Value) -> Value {
    let mut long = match short {
        Value::Number(status) => Map::from_iter([("status".to_owned(), Value::Number(status))]),
        Value::String(text) => {
            let (status, reason) = text.split_once(' ').unwrap_or((&text, ""));
            let status = status
                .parse::<u16>()
                .map_or_else(|_| Value::from(status), Value::from);
            let mut long = Map::from_iter([("status".to_owned(), status)]);
            if !reason.is_empty() {
                long.insert("reason".to_owned(), Value::from(reason.trim()));
            }
            long
        }
        Value::Object(mut long) => {
            if let Some(short) = long.remove("answer")
                && let Value::Object(answer) = expectation(short)
            {
                long.extend(answer);
            }
            long
        }
        other @ (Value::Null | Value::Bool(_) | Value::Array(_)) => return other,
    };
    if let Some(envoy) = long.remove("envoy") {
        long.insert("envoy".to_owned(), expectation(envoy));
    }
    Value::Object(long)
}

/// The members of both. The inner members take precedence; objects in them are merged in
/// the same way.
fn merged(outer: Value, inner: Value) -> Value {
    match (outer, inner) {
        (Value::Object(mut outer), Value::Object(inner)) => {
            for (name, value) in inner {
                let value = match outer.remove(&name) {
                    Some(known) => merged(known, value),
                    None => value,
                };
                outer.insert(name, value);
            }
            Value::Object(outer)
        }
        (_, inner) => inner,
    }
}

/// A merge patch (RFC 7396): `null` removes a member.
pub(super) fn patched(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut target = if let Value::Object(target) = target {
        target
    } else {
        Map::new()
    };
    for (name, value) in patch {
        let known = target.remove(&name);
        if !value.is_null() {
            target.insert(name, patched(known.unwrap_or_default(), value));
        }
    }
    Value::Object(target)
}
