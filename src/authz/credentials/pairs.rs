//! Tokens in cookies and query parameters.

use super::header::bare;
use super::{Found, Presented};
use crate::http::RequestHead;
use crate::http::pairs::{Plus, cut, decoded, is_like};

/// Reads a place in the cookies.
pub(super) fn cookie<'r>(head: &'r RequestHead, name: &str) -> Found<'r> {
    let pairs = cookies(head).map(|pair| {
        let comma = |byte: &u8| *byte == b',';
        let whole = read(pair, name, Plus::Itself, &comma, in_cookie);
        // Python's `SimpleCookie` takes text after a blank for the next cookie.
        let later = pair.split(u8::is_ascii_whitespace).skip(1);
        later.fold(whole, |found, part| {
            let (known, value) = cut(part);
            found.and(lookalike(known, value, name, Plus::Itself))
        })
    });
    pairs.reduce(Found::and).unwrap_or(Found::Nothing)
}

/// Reads a place in the query.
pub(super) fn parameter<'r>(head: &'r RequestHead, name: &str) -> Found<'r> {
    let pairs = parameters(head).map(|pair| {
        // Some readers split at `;`; some end a query at its last `?`.
        let separates = |byte: &u8| matches!(byte, b';' | b'?' | b'#');
        read(pair, name, Plus::Space, &separates, in_parameter)
    });
    pairs.reduce(Found::and).unwrap_or(Found::Nothing)
}

/// The request's cookies without those that hold the token under one of these
/// names. `None` if nothing has to be removed; empty if no cookie is left.
pub(super) fn without_cookie(head: &RequestHead, names: &[&str], token: &[u8]) -> Option<Vec<u8>> {
    if names.is_empty() {
        return None;
    }
    let is_token = |pair: &[u8]| {
        let (known, value) = cut(pair);
        is_one_of(known.trim_ascii(), Plus::Itself, names)
            && matches!(in_cookie(value), Found::Token(text, _) if *text == *token)
    };
    if !cookies(head).any(is_token) {
        return None;
    }
    let kept = cookies(head).filter(|pair| !pair.is_empty() && !is_token(pair));
    Some(kept.collect::<Vec<_>>().join(b"; ".as_slice()))
}

/// The request's path without the parameters that hold the token. `None` if
/// nothing has to be removed.
pub(super) fn without_parameter(
    head: &RequestHead,
    names: &[&str],
    token: &[u8],
) -> Option<Vec<u8>> {
    if names.is_empty() {
        return None;
    }
    let is_token = |pair: &[u8]| {
        let (known, value) = cut(pair);
        is_one_of(known, Plus::Space, names)
            && matches!(in_parameter(value), Found::Token(text, _) if *text == *token)
    };
    if !parameters(head).any(is_token) {
        return None;
    }
    let mut path = head.path()?.split(|byte| *byte == b'?').next()?.to_vec();
    let kept: Vec<_> = parameters(head).filter(|pair| !is_token(pair)).collect();
    if !kept.is_empty() {
        path.push(b'?');
        path.extend(kept.join(b"&".as_slice()));
    }
    Some(path)
}

fn is_one_of(known: &[u8], plus: Plus, names: &[&str]) -> bool {
    let known = decoded(known, plus).text;
    names.iter().any(|name| *known == *name.as_bytes())
}

/// The pairs of the `Cookie` headers (RFC 6265 section 4.2), as received.
fn cookies(head: &RequestHead) -> impl Iterator<Item = &[u8]> {
    let headers = head.headers().values("cookie");
    headers
        .flat_map(|header| header.split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
}

/// The pairs of the query, as received.
fn parameters(head: &RequestHead) -> impl Iterator<Item = &[u8]> {
    let query = head.query().into_iter();
    query.flat_map(|query| query.split(|byte| *byte == b'&'))
}

/// Reads a place in one pair. Empty values are ignored.
fn read<'r>(
    pair: &'r [u8],
    name: &str,
    plus: Plus,
    separates: &dyn Fn(&u8) -> bool,
    token: fn(&'r [u8]) -> Found<'r>,
) -> Found<'r> {
    let (known, value) = cut(pair);
    let known = decoded(known.trim_ascii(), plus).text;
    let whole = if *known == *name.as_bytes() {
        token(value)
    } else {
        lookalike(&known, value, name, plus)
    };
    // The parts that a reader finds if it splits pairs further.
    let parts = pair.split(separates).filter(|part| part.len() < pair.len());
    parts.fold(whole, |found, part| {
        let (known, value) = cut(part);
        found.and(lookalike(&decoded(known, plus).text, value, name, plus))
    })
}

/// Whether some reader takes a decoded name for the name of the place, directly or after
/// decoding it once more.
fn lookalike<'r>(known: &[u8], value: &[u8], name: &str, plus: Plus) -> Found<'r> {
    let is_like = |known: &[u8]| is_like(known, name.as_bytes());
    let is_empty = value.trim_ascii().is_empty();
    if !is_empty && (is_like(known) || is_like(&decoded(known, plus).text)) {
        Found::Ambiguous
    } else {
        Found::Nothing
    }
}

/// A cookie's value: the token, perhaps in double quotes or after `Bearer `.
fn in_cookie(value: &[u8]) -> Found<'_> {
    bare(unquoted(value.trim_ascii()))
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .unwrap_or(value)
}

fn in_parameter(value: &[u8]) -> Found<'_> {
    match decoded(value, Plus::Space).text {
        text if text.is_empty() => Found::Nothing,
        text => Found::Token(text, Presented::Plainly),
    }
}
