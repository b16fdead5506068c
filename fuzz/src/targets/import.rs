//! Files that the command imports. No file makes it panic, and what it writes is a valid
//! configuration, in which nothing but the importer's own lines is outside of quotes: a name
//! of the source never becomes a member, a route or an end of a comment.
//!
//! The input is a file of any of the forms.

/// The beginnings of the lines that the importer writes.
const LINES: [&str; 31] = [
    "#",
    "providers:",
    "- name: \"",
    "issuer: \"",
    "audiences: [",
    "audiences: any",
    "scope_claims: [",
    "jwks: {",
    "token_from:",
    "- header: ",
    "scheme: ",
    "- query: \"",
    "- cookie: \"",
    "paths: {base: \"",
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
        // A claim or a header in quotes, with its values.
        let quoted = line.starts_with('"') && line.contains("\": ");
        assert!(known || quoted, "a line of its own: {line}");
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{line}"
        );
    }
}
