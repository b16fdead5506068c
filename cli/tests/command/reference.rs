//! `docs/reference.md` contains the schema as tables. Both must have the same content.

use std::fmt::Write;

use serde_json::Value;

use super::golden::{Golden, root, run};

const HEAD: &str = "\
# Every member at a glance

This page is generated from the JSON Schema that `edge-authz schema` prints. For the meaning of the members see the
[
configuration's own page](configuration.md).

* [The document](#the-document)
";

/// The objects that have members, in the order of the document.
const OBJECTS: &[(&str, &str)] = &[
    ("provider", "one of `providers`"),
    ("dpop", "`dpop` of a provider"),
    ("jwks", "`jwks` of a provider"),
    ("revoked", "`revoked` of a provider"),
    ("token_place", "one of `token_from`"),
    ("upstream", "`upstream`"),
    ("claim_header", "one of `upstream.claims`, in its long form"),
    ("paths", "`paths`"),
    ("route", "one of `routes`"),
    ("mcp", "`mcp` of a route"),
    ("authentication", "`authentication` of a route"),
    ("scope_lists", "`scopes` of a route, in its long form"),
    ("claim_lists", "one of `claims`, in its long form"),
    (
        "claim_prefix",
        "a value in `claims` or in `mcp`, by its beginning",
    ),
    ("resource", "one of `resources`"),
    ("cors", "`cors`, of the document or of a route"),
    ("responses", "`responses`"),
    ("telemetry", "`telemetry`"),
    ("token_cache", "`token_cache`"),
];

#[test]
fn the_reference_is_the_schema_as_tables() {
    let schema: Value = serde_json::from_str(&run(&["schema"], "").out).unwrap();
    let mut golden = Golden::default();
    let page = root().join("docs/reference.md");
    golden.compare(&page, &reference(&schema));
    golden.finish();
}

fn reference(schema: &Value) -> String {
    let definitions = schema["$defs"].as_object().unwrap();
    let with_members = |value: &&Value| value.get("properties").is_some();
    let count = definitions.values().filter(with_members).count();
    assert_eq!(count, OBJECTS.len(), "an object is left out");
    let mut page = HEAD.to_owned();
    for (name, what) in OBJECTS {
        writeln!(page, "* [`{name}`](#{name}): {what}").unwrap();
    }
    writeln!(page, "\n## The document").unwrap();
    table(&mut page, schema, schema);
    for (name, what) in OBJECTS {
        writeln!(page, "\n## `{name}`\n\n{}", sentence(what)).unwrap();
        table(&mut page, &definitions[*name], schema);
    }
    page
}

fn table(page: &mut String, object: &Value, schema: &Value) {
    writeln!(page, "\n| member | holds | |\n|---|---|---|").unwrap();
    let required = object["required"].as_array();
    for (name, value) in object["properties"].as_object().unwrap() {
        let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
        let mark = if is_required { ", required" } else { "" };
        let holds = holds(value, schema);
        let about = described(value, schema).replace('|', "\\|");
        writeln!(page, "| `{name}` | {holds}{mark} | {about} |").unwrap();
    }
}

/// The description of a member, or of the definition that it refers to.
fn described(value: &Value, schema: &Value) -> String {
    let own = value["description"].as_str();
    let of_target = || target(value, schema).and_then(|(_, target)| target["description"].as_str());
    own.or_else(of_target).unwrap_or_default().to_owned()
}

fn target<'s>(value: &'s Value, schema: &'s Value) -> Option<(&'s str, &'s Value)> {
    let name = value["$ref"].as_str()?.strip_prefix("#/$defs/")?;
    Some((name, &schema["$defs"][name]))
}

/// The type of a value, in words.
fn holds(value: &Value, schema: &Value) -> String {
    if let Some(values) = value["enum"].as_array() {
        return alternatives(values.iter().map(|value| format!("`{}`", plain(value))));
    }
    if let Some(constant) = value.get("const") {
        return format!("`{}`", plain(constant));
    }
    if let Some(values) = value["anyOf"].as_array() {
        return alternatives(values.iter().map(|value| holds(value, schema)));
    }
    if let Some((name, target)) = target(value, schema) {
        return match name {
            "text" | "duration" => format!("a {name}"),
            // It is narrower than the list that it refers to.
            "texts" if value.get("items").is_some() => {
                format!("a list of {}", holds(&value["items"], schema))
            }
            "texts" => "a list of texts".to_owned(),
            "pattern" => "a pattern".to_owned(),
            "value" => "a text or [`claim_prefix`](#claim_prefix)".to_owned(),
            "values" => "a text, [`claim_prefix`](#claim_prefix) or a list of these".to_owned(),
            "claims" => format!(
                "by name, {}",
                holds(&target["additionalProperties"], schema)
            ),
            _ if target.get("properties").is_some() => format!("[`{name}`](#{name})"),
            _ => holds(target, schema),
        };
    }
    match value["type"].as_str() {
        Some("array") => match &*holds(&value["items"], schema) {
            "a text" => "a list of texts".to_owned(),
            "a pattern" => "a list of patterns".to_owned(),
            others => format!("a list of {others}"),
        },
        Some("object") => format!("by name, {}", holds(&value["additionalProperties"], schema)),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => format!("{} to {}", value["minimum"], value["maximum"]),
        Some("string") => "a text".to_owned(),
        Some(other) => panic!("what is {other}?"),
        None => alternatives(value["type"].as_array().unwrap().iter().map(|kind| {
            let kind = plain(kind).replace("string", "text");
            let article = if kind.starts_with('o') { "an" } else { "a" };
            format!("{article} {kind}")
        })),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn alternatives(words: impl Iterator<Item = String>) -> String {
    let words: Vec<_> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
