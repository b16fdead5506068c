//! Where a request's token is, looked for in the plainest way.

use super::path;

/// A request as a list of header fields.
pub(crate) type Headers = Vec<(Vec<u8>, Vec<u8>)>;

/// A place that a configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `authorization` with `Bearer`.
    Authorization,
    /// A header that is the token.
    Header(&'static str),
    Cookie(&'static str),
    Query(&'static str),
}

/// What all places hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    /// None, but something that a laxer reader may take for a token.
    Unclear,
    Token(Vec<u8>, Place),
    Malformed,
    Several,
}

/// What one field, pair or parameter holds.
enum Item {
    Nothing,
    Unclear,
    Token(Vec<u8>),
    Malformed,
}

pub(crate) fn find(headers: &Headers, places: &[Place]) -> Credentials {
    let mut tokens = Vec::new();
    let mut unclear = false;
    let mut malformed = false;
    for place in places {
        for item in items(headers, *place) {
            match item {
                Item::Nothing => {}
                Item::Unclear => unclear = true,
                Item::Token(token) => tokens.push(Credentials::Token(token, *place)),
                Item::Malformed => malformed = true,
            }
        }
    }
    match tokens.len() {
        _ if malformed => Credentials::Malformed,
        0 if unclear => Credentials::Unclear,
        0 => Credentials::None,
        _ if unclear => Credentials::Malformed,
        1 => tokens.remove(0),
        _ => Credentials::Several,
    }
}

fn items(headers: &Headers, place: Place) -> Vec<Item> {
    let nonempty = |token: Vec<u8>| {
        if token.is_empty() {
            Item::Nothing
        } else {
            Item::Token(token)
        }
    };
    match place {
        Place::Authorization => values(headers, "authorization").map(bearer).collect(),
        Place::Header(name) => values(headers, name).map(bare).collect(),
        Place::Cookie(name) => pairs(headers)
            .filter(|(known, _)| path::decode(known) == name.as_bytes())
            .map(|(_, value)| nonempty(unquoted(value).to_vec()))
            .collect(),
        Place::Query(name) => parameters(headers)
            .filter(|(known, _)| form_decoded(known) == name.as_bytes())
            .map(|(_, value)| nonempty(form_decoded(value)))
            .collect(),
    }
}

pub(crate) fn values<'h>(headers: &'h Headers, name: &str) -> impl Iterator<Item = &'h [u8]> {
    let named = move |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(name.as_bytes());
    let matching: Vec<_> = headers.iter().filter(named).collect();
    matching.into_iter().map(|(_, value)| &**value)
}

/// `Bearer`, blanks, one word.
fn bearer(value: &[u8]) -> Item {
    let value = value.trim_ascii();
    if is_bearer(value) {
        return word(&value[6..]);
    }
    let mut parts = value.split(|byte| *byte == b',').skip(1);
    if parts.any(|part| is_bearer(part.trim_ascii())) {
        Item::Malformed
    } else if is_like_bearer(value) {
        Item::Unclear
    } else {
        Item::Nothing
    }
}

/// `Bearer` and then what can neither stand in a scheme nor end one.
fn is_like_bearer(value: &[u8]) -> bool {
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let scheme = value.iter().take_while(|byte| in_scheme(**byte)).count();
    value[..scheme].eq_ignore_ascii_case(b"bearer") && scheme < value.len()
}

fn is_bearer(value: &[u8]) -> bool {
    let first = value.split(|byte| *byte == b' ').next().unwrap();
    first.eq_ignore_ascii_case(b"bearer")
}

fn bare(value: &[u8]) -> Item {
    let value = value.trim_ascii();
    if value.is_empty() {
        Item::Nothing
    } else if is_bearer(value) {
        word(&value[6..])
    } else {
        word(value)
    }
}

fn word(text: &[u8]) -> Item {
    let words: Vec<_> = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect();
    match words.as_slice() {
        [one] if !one.contains(&b',') => Item::Token(one.to_vec()),
        _ => Item::Malformed,
    }
}

/// The names and values of all cookies.
pub(crate) fn pairs(headers: &Headers) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pieces = values(headers, "cookie").flat_map(|line| line.split(|byte| *byte == b';'));
    pieces.map(<[u8]>::trim_ascii).map(cut)
}

/// The names and values of the query.
pub(crate) fn parameters(headers: &Headers) -> impl Iterator<Item = (&[u8], &[u8])> {
    let target = values(headers, ":path").next().unwrap_or_default();
    let before = path::before_query(target).len();
    let query = target.get(before + 1..);
    let pieces = query
        .into_iter()
        .flat_map(|query| query.split(|byte| *byte == b'&'));
    pieces.map(cut)
}

fn cut(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii()),
        None => (pair.trim_ascii(), b""),
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        other => other,
    }
}

/// As HTML forms encode: a `+` is a blank.
fn form_decoded(text: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    path::decode(&text)
}
