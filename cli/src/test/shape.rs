//! The errors in a case file that cannot be played, with their places.
//!
//! `cases` reads a file by value and stops at the first error. Here all members are compared
//! with the known ones, so that every misspelt one is reported at its line.

use crate::cases::{CaseError, FILE_MEMBERS, Problem};
use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::source::Source;
use crate::subject::yaml_fault;
use crate::tree::{Node, parse_yaml};
use edge_authz::config::nearest;

const CASE: &[&str] = &[
    "name",
    "row",
    "only",
    "http",
    "strict_paths",
    "expect",
    "request",
    "host",
    "headers",
    "trailers",
    "body",
    "token",
    "proof",
    "sends",
    "upstream_answers",
    "each",
    "cases",
    "with",
];
const WITH: &[&str] = &["config", "key_sets", "revocation_lists", "answers"];
const EXPECT: &[&str] = &[
    "answer", "status", "reason", "reported", "body", "headers", "upstream", "envoy",
];
const EXPECT_ENVOY: &[&str] = &["answer", "status", "reason"];
const EXPECT_UPSTREAM: &[&str] = &["path", "headers", "trailers"];
const UPSTREAM: &[&str] = &["status", "headers"];
const ANSWER: &[&str] = &["status", "headers", "body"];
const TOKEN: &[&str] = &[
    "like",
    "key",
    "provider",
    "sign_as",
    "header",
    "claims",
    "without",
    "signs",
    "form",
    "signature",
    "text",
];
const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
];
const KEY: &[&str] = &["alg", "kid", "bits", "secret", "like", "published"];

/// What is wrong with a file that was refused with this error.
pub(super) fn findings(source: &Source, error: &CaseError) -> Vec<Finding> {
    let roots = match parse_yaml(&source.text) {
        Ok(roots) => roots,
        Err(fault) => return vec![yaml_fault(&source.text, &fault)],
    };
    let [root] = &*roots else {
        return vec![of(error, None)];
    };
    let mut found = Vec::new();
    file(root, &mut found);
    if found.is_empty() {
        found.push(of(error, Some(root)));
    }
    found.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
    found
}

fn file(root: &Node, found: &mut Vec<Finding>) {
    let known: Vec<&str> = FILE_MEMBERS.iter().chain(CASE).copied().collect();
    members(root, &known, "", found);
    for (name, known) in [("keys", KEY), ("tokens", TOKEN), ("answers", ANSWER)] {
        for member in root.get(name).map_or(&[][..], Node::members) {
            members(
                &member.value,
                known,
                &format!("{name}.{}", member.name),
                found,
            );
        }
    }
    for member in root.get("keys").map_or(&[][..], Node::members) {
        let value = member.value.get("alg").unwrap_or(&member.value);
        if let Some(text) = value.text() {
            let at = format!("keys.{}", member.name);
            name(value, text, "algorithm", ALGORITHMS, &at, found);
        }
    }
    case(root, root, "", found);
}

/// Reports a name that does not exist.
fn name(node: &Node, text: &str, kind: &str, known: &[&str], at: &str, found: &mut Vec<Finding>) {
    if known.contains(&text) || text.contains('$') {
        return;
    }
    let mut finding = Finding::from_sentence(
        Code::NoSuchName,
        Severity::Error,
        at.to_owned(),
        &absent(kind, text, known),
    );
    finding.put(node.span.clone(), None);
    found.push(finding);
}

fn absent(kind: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("there is no {kind} `{name}`; did you mean `{meant}`?"),
        None if known.is_empty() => format!("there is no {kind} `{name}`; define it"),
        None => format!(
            "there is no {kind} `{name}`; there are `{}`",
            known.join("`, `")
        ),
    }
}

/// The members of a case or a group, without its own names.
fn case(root: &Node, node: &Node, at: &str, found: &mut Vec<Finding>) {
    let place = |name: &str| {
        if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        }
    };
    for (name, known) in [
        ("with", WITH),
        ("token", TOKEN),
        ("proof", TOKEN),
        ("upstream_answers", UPSTREAM),
        ("expect", EXPECT),
    ] {
        if let Some(value) = node.get(name) {
            members(value, known, &place(name), found);
        }
    }
    for (name, known) in [("upstream", EXPECT_UPSTREAM), ("envoy", EXPECT_ENVOY)] {
        if let Some(value) = node.descend(&["expect", name]) {
            members(value, known, &place(&format!("expect.{name}")), found);
        }
    }
    for member in ["token", "proof"] {
        if let Some(value) = node.get(member)
            && let Some(text) = value.text()
        {
            let known = named(root, "token");
            name(value, text, "token", &known, &place(member), found);
        }
    }
    let inner = node.get("cases").map_or(&[][..], Node::elements);
    for (number, inner) in inner.iter().enumerate() {
        let at = place(&format!("cases[{number}]"));
        members(inner, CASE, &at, found);
        case(root, inner, &at, found);
    }
}

/// Reports the unknown members of an object.
fn members(node: &Node, known: &[&str], at: &str, found: &mut Vec<Finding>) {
    for member in node.members() {
        let name = &*member.name;
        if known.contains(&name) || name.starts_with('$') {
            continue;
        }
        let path = if at.is_empty() {
            name.to_owned()
        } else {
            format!("{at}.{name}")
        };
        let sentence = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("is unknown; did you mean `{meant}`?"),
            None => format!("is unknown; write `{}`", known.join("`, `")),
        };
        let mut finding = Finding::from_sentence(Code::Unknown, Severity::Error, path, &sentence);
        finding.put(member.name_span.clone(), None);
        found.push(finding);
    }
}

/// The error that stopped the reader.
fn of(error: &CaseError, root: Option<&Node>) -> Finding {
    let sentence = match &error.problem {
        Problem::Shape(text) | Problem::Yaml(text) => plain(text),
        Problem::Unknown { kind, name } => {
            let names = root.map_or_else(Vec::new, |root| named(root, kind));
            if names.is_empty() {
                error.problem.to_string()
            } else {
                absent(kind, name, &names)
            }
        }
        Problem::Config(_)
        | Problem::File(_)
        | Problem::Circular(_)
        | Problem::TooLarge
        | Problem::Invalid { .. }
        | Problem::Missing(_)
        | Problem::Key(_) => error.problem.to_string(),
    };
    let code = match &error.problem {
        Problem::Unknown { .. } => Code::NoSuchName,
        Problem::Yaml(_) => Code::Syntax,
        Problem::Shape(_)
        | Problem::Config(_)
        | Problem::File(_)
        | Problem::Circular(_)
        | Problem::TooLarge
        | Problem::Invalid { .. }
        | Problem::Missing(_)
        | Problem::Key(_) => Code::CaseFile,
    };
    let mut finding = Finding::from_sentence(code, Severity::Error, error.place.clone(), &sentence);
    if let Some(node) = root.and_then(|root| place(root, &error.place)) {
        finding.put(node.span.clone(), None);
    }
    finding
}

/// The names of a kind that the file defines.
fn named<'n>(root: &'n Node, kind: &str) -> Vec<&'n str> {
    let list = match kind {
        "key" => "keys",
        "token" => "tokens",
        "algorithm" => return ALGORITHMS.to_vec(),
        _ => return Vec::new(),
    };
    let members = root.get(list).map_or(&[][..], Node::members);
    members.iter().map(|member| &*member.name).collect()
}

/// The value at a place of an error.
fn place<'n>(root: &'n Node, place: &str) -> Option<&'n Node> {
    if let Some(name) = place
        .strip_prefix("case `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        // The names of `each` are added to a case's name.
        let name = name.split(" [").next().unwrap_or(name);
        return of_case(root, name);
    }
    let steps: Vec<&str> = place.split('.').collect();
    root.descend(&steps)
}

fn of_case<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let inner = node.get("cases").map_or(&[][..], Node::elements);
    inner.iter().find_map(|case| {
        let own = case.get("name").filter(|own| own.text() == Some(name));
        own.or_else(|| of_case(case, name))
    })
}

/// A message of the reader in our words.
fn plain(text: &str) -> String {
    let text = text.split(" at line ").next().unwrap_or(text);
    let between = |text: &str| text.split('`').nth(1).map(str::to_owned);
    if text.starts_with("missing field")
        && let Some(name) = between(text)
    {
        return format!("`{name}` is missing; write it");
    }
    if text.starts_with("unknown variant")
        && let Some((_, choices)) = text.split_once(", expected ")
    {
        let value = between(text).unwrap_or_default();
        let choices = choices.strip_prefix("one of ").unwrap_or(choices);
        return format!("`{value}` is not allowed here; write {choices}");
    }
    if let Some((found, expected)) = text
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        return format!(
            "has {}, not {}; correct the value",
            kind(found),
            wanted(expected)
        );
    }
    if text.starts_with("invalid value: ") {
        return "has a number that is out of range; write a smaller one".to_owned();
    }
    "has a value of a form that is not known here; see the case files' documentation (docs/case-files.md)".to_owned()
}

fn kind(found: &str) -> &'static str {
    match found.split(' ').next() {
        Some("string") => "a text",
        Some("integer" | "floating") => "a number",
        Some("boolean") => "`true` or `false`",
        Some("sequence") => "a list",
        Some("map") => "an object",
        _ => "no value",
    }
}

fn wanted(expected: &str) -> &'static str {
    if expected.starts_with('u') || expected.starts_with('i') {
        "a whole number"
    } else if expected.contains("sequence") {
        "a list"
    } else if expected.contains("string") {
        "a text"
    } else if expected.contains("boolean") {
        "`true` or `false`"
    } else {
        "an object"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_two_letters_are_a_typing_error() {
        assert_eq!(nearest("reqest", CASE.iter().copied()), Some("request"));
        assert_eq!(nearest("tokn", CASE.iter().copied()), Some("token"));
        assert_eq!(nearest("something", CASE.iter().copied()), None);
    }

    #[test]
    fn the_words_of_the_reader_are_never_shown() {
        for (text, shown) in [
            ("missing field `request`", "`request` is missing; write it"),
            (
                "invalid type: string \"x\", expected u16",
                "has a text, not a whole number; correct the value",
            ),
            (
                "unknown variant `a`, expected `b` or `c`",
                "`a` is not allowed here; write `b` or `c`",
            ),
        ] {
            assert_eq!(plain(text), shown);
        }
        let other = plain("data did not match any variant of untagged enum Lines");
        assert!(!other.contains("enum"));
    }
}
