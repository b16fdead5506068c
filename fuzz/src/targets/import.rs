//! Files that the command imports. No file makes it panic, and what it writes is a valid
//! configuration. Its lines are those that the importer writes, and texts of the source are
//! in quotes or plain: a name of the source never becomes a member, a route or an end of a
//! comment.
//!
//! The input is a file of any of the forms.

/// The beginnings of the lines that the importer writes.
const LINES: [&str; 31] = [
    "#",
    "providers:",
    "- name: ",
    "issuer: ",
    "audiences: [",
    "audiences: any",
    "scope_claims: [",
    "jwks: {",
    "token_from:",
    "- header: ",
    "scheme: ",
    "- query: ",
    "- cookie: ",
    "paths: {base: ",
    "upstream:",
    "token: keep",
    "claims:",
    "routes:",
    "- match: ",
    "hosts: [",
    "access: ",
    "providers: [",
    "token_use: ",
    "scopes: ",
    "cors:",
    "allow_origins: [",
    "allow_methods: [",
    "allow_headers: [",
    "expose_headers: [",
    "allow_credentials: true",
    "max_age: ",
];

pub(crate) fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok((configuration, _cases)) = edge_authz_cli::imported(text) else {
        return;
    };
    for line in configuration.lines() {
        let line = line.trim_start();
        let known = LINES.iter().any(|begin| line.starts_with(begin));
        // A claim or a header, with its values.
        let entry = line.starts_with('"') && line.contains("\": ")
            || line
                .split_once(": ")
                .is_some_and(|(name, value)| is_plain(name) && is_value(value));
        assert!(known || entry, "a line of its own: {line}");
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{line}"
        );
    }
}

/// Whether a text is a word that YAML reads as text.
fn is_plain(text: &str) -> bool {
    let first = text.starts_with(|first: char| first.is_ascii_alphabetic() || "$/".contains(first));
    first
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-/.:$".contains(&byte))
}

/// Whether it is a list of values, or one text.
fn is_value(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']') || text.starts_with('"') || is_plain(text)
}
