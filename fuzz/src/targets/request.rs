//! Requests as texts, for the targets that judge whole requests.

use edge_authz::http::{HeaderEdit, HeaderMap, RequestHead};

use crate::reference::credentials::Headers;
use crate::reference::keys;

/// A token with this subject and scope, valid until 2100.
pub(super) fn token(issuer: &str, subject: &str) -> String {
    let claims = format!(
        r#"{{"iss":"{issuer}","sub":"{subject}","aud":"api","exp":4102444800,"scope":"read"}}"#
    );
    keys::token(
        "HS256",
        br#"{"alg":"HS256","kid":"oct"}"#,
        claims.as_bytes(),
    )
}

pub(super) const ISSUER: &str = "https://issuer.example";

/// The issuer whose keys are never available.
pub(super) const SILENT: &str = "https://silent.example";

/// Reads lines of `name: value`, a pseudo-header at most once. `$A` and `$B`
/// stand for the tokens of Alice and Bob, `$S` for one of the silent issuer.
pub(super) fn headers(lines: &[u8]) -> Headers {
    let mut headers: Headers = Vec::new();
    for line in super::lines(lines).take(64) {
        let Some(colon) = line.iter().skip(1).position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon + 1);
        let value = value[1..].strip_prefix(b" ").unwrap_or(&value[1..]);
        let again = headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !(name.starts_with(b":") && again) {
            headers.push((name.to_vec(), with_tokens(value)));
        }
    }
    for (name, value) in [
        (":method", "GET"),
        (":path", "/x"),
        (":authority", "a.test"),
    ] {
        if !headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
        {
            headers.push((name.into(), value.into()));
        }
    }
    headers
}

fn with_tokens(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = value;
    loop {
        rest = match rest {
            [] => return out,
            [b'$', b'A', rest @ ..] => {
                out.extend(token(ISSUER, "alice").bytes());
                rest
            }
            [b'$', b'B', rest @ ..] => {
                out.extend(token(ISSUER, "bob").bytes());
                rest
            }
            [b'$', b'S', rest @ ..] => {
                out.extend(token(SILENT, "alice").bytes());
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
        };
    }
}

pub(super) fn head(headers: &Headers) -> RequestHead {
    let pairs = headers.iter().map(|(name, value)| (name, value));
    RequestHead::new(HeaderMap::from_pairs(pairs))
}

/// The request that the upstream gets.
pub(super) fn edited(headers: &Headers, edits: &[HeaderEdit<'_>]) -> Headers {
    let mut headers = headers.clone();
    for edit in edits {
        let (name, value, replaces) = match edit {
            HeaderEdit::Remove(name) => (name, None, true),
            HeaderEdit::Set(name, value) => (name, Some(value), true),
            HeaderEdit::Add(name, value) => (name, Some(value), false),
        };
        headers.retain(|(known, _)| !replaces || !known.eq_ignore_ascii_case(name));
        headers.extend(value.map(|value| (name.to_vec(), value.to_vec())));
    }
    headers
}

/// The only shared key, as in a configuration.
pub(super) fn inline_keys() -> String {
    let keys = crate::reference::json::parse(keys::KEY_SET.as_bytes(), 4).unwrap();
    let all = keys.get("keys").unwrap().array().unwrap();
    let secret = all
        .iter()
        .find(|key| key.get("kty").unwrap().string() == Some("oct"));
    format!(r#"{{"keys":[{}]}}"#, secret.unwrap().text)
}
