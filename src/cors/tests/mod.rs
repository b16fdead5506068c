//! Tests of whole policies: configuration, preflights, responses.

mod fault;
mod preflight;
mod preflight_answer;
mod requested_headers;
mod response;
mod spec;

use super::{CorsPolicy, CorsSpec};

#[expect(
    clippy::unnecessary_wraps,
    reason = "each list of the specification may be absent"
)]
fn list(entries: &[&str]) -> Option<Vec<String>> {
    Some(entries.iter().map(|entry| (*entry).to_owned()).collect())
}

fn origins(entries: &[&str]) -> CorsSpec {
    CorsSpec {
        allow_origins: list(entries),
        ..CorsSpec::default()
    }
}

/// The policy of the examples: two kinds of origin, with credentials.
fn example() -> CorsSpec {
    CorsSpec {
        allow_origins: list(&["https://app.example.com", "https://*.example.org"]),
        allow_methods: list(&["GET", "POST"]),
        allow_headers: list(&["Authorization", "Content-Type"]),
        expose_headers: list(&["X-Request-Id"]),
        allow_credentials: true,
        allow_private_network: false,
        max_age: Some(std::time::Duration::from_hours(2)),
        token_needed: true,
    }
}

fn policy(spec: &CorsSpec) -> CorsPolicy {
    spec.compile().unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Origins that are neither `https://app.example.com` nor under `example.org`:
/// every known attack on origin comparison.
const BAD_ORIGINS: [(&str, &[u8]); 52] = [
    ("null", b"null"),
    ("star", b"*"),
    ("empty", b""),
    ("scheme alone", b"https://"),
    ("file", b"file://"),
    ("extension without id", b"chrome-extension://"),
    ("other scheme", b"http://app.example.com"),
    ("other port", b"https://app.example.com:8443"),
    ("default port", b"https://app.example.com:443"),
    ("port with zero", b"https://app.example.com:0443"),
    ("empty port", b"https://app.example.com:"),
    ("path", b"https://app.example.com/x"),
    ("trailing slash", b"https://app.example.com/"),
    ("trailing dot", b"https://app.example.com."),
    ("upper-case host", b"https://App.example.com"),
    ("upper-case scheme", b"HTTPS://app.example.com"),
    ("suffix", b"https://app.example.com.evil.example"),
    ("prefix", b"https://evilapp.example.com"),
    ("dot to dash", b"https://app-example.com"),
    ("dot to letter", b"https://appXexample.com"),
    ("longer", b"https://app.example.comx"),
    ("shorter", b"https://app.example.co"),
    ("subdomain", b"https://x.app.example.com"),
    ("parent", b"https://example.com"),
    ("user info", b"https://app.example.com@evil.example"),
    ("user info before", b"https://me@app.example.com"),
    ("question mark", b"https://evil.example?app.example.com"),
    ("hash", b"https://evil.example#app.example.com"),
    ("backslash", b"https://evil.example\\app.example.com"),
    ("encoded slash", b"https://evil.example%2f.example.org"),
    ("encoded backtick", b"https://evil.example%60.example.org"),
    ("backtick", b"https://evil.example`.example.org"),
    ("brace", b"https://evil.example{.example.org"),
    ("underscore", b"https://evil_.example.org"),
    ("NUL", b"https://app.example.com\0"),
    ("NUL within", b"https://evil\0.example.org"),
    (
        "comma list",
        b"https://app.example.com,https://evil.example",
    ),
    (
        "comma list with blank",
        b"https://app.example.com, https://app.example.com",
    ),
    (
        "blank list",
        b"https://app.example.com https://evil.example",
    ),
    ("leading blank", b" https://app.example.com"),
    ("trailing blank", b"https://app.example.com "),
    ("punycode look-alike", b"https://xn--pp-8cd.example.com"),
    ("Cyrillic a", "https://\u{430}pp.example.com".as_bytes()),
    ("byte FF", b"https://\xffapp.example.com"),
    ("byte FF under wildcard", b"https://\xff.example.org"),
    ("wildcard apex", b"https://example.org"),
    ("wildcard empty label", b"https://.example.org"),
    ("wildcard without dot", b"https://evilexample.org"),
    ("wildcard port", b"https://a.example.org:8443"),
    ("wildcard http", b"http://a.example.org"),
    ("wildcard trailing dot", b"https://a.example.org."),
    ("wildcard suffix", b"https://a.example.org.evil.example"),
];
