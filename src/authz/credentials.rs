//! The token of a request: found, and taken out again before the upstream.

use std::borrow::Cow;

use super::RequestEdit;
use crate::http::{RequestHead, is_token};
use crate::policy::TokenPlace;

/// What a request's token places hold together.
#[derive(Debug, PartialEq, Eq)]
pub enum Credentials<'r> {
    /// No token, or credentials of another scheme.
    None,
    /// Credentials that are none here and that a laxer reader may take for a
    /// token, such as `Bearer` with a tab behind it.
    Unclear,
    /// What is in the place of exactly one token. If it turns out to be no token,
    /// [`Token::is_one_word`] tells whether these credentials were malformed.
    Token(Token<'r>),
    /// The scheme without a token, or with several words (RFC 6750 §2.1).
    Malformed,
    /// More than one token, in one place or in several (RFC 6750 §2).
    Several,
}

/// A token and where it was. It has not been looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Token<'r> {
    /// The token.
    pub(super) text: Cow<'r, [u8]>,
    place: &'r TokenPlace,
}

/// What one place holds.
enum Found<'r> {
    Nothing,
    Unclear,
    Token(Cow<'r, [u8]>),
    Malformed,
}

impl<'r> Credentials<'r> {
    /// Looks at every place. Two tokens are refused rather than ordered: the
    /// upstream may take the other one for the verified one.
    #[must_use]
    pub fn find(head: &'r RequestHead, places: &'r [TokenPlace]) -> Self {
        places
            .iter()
            .fold(Self::None, |credentials, place| match place {
                TokenPlace::Header { name, scheme } => {
                    let in_header = |value| match scheme {
                        Some(scheme) => after_scheme(value, scheme),
                        None => bare(value),
                    };
                    let values = head.headers().values(name);
                    credentials.and_all(values.map(in_header), place)
                }
                TokenPlace::Cookie(name) => {
                    let headers = head.headers().values("cookie");
                    let found = headers
                        .flat_map(cookies)
                        .filter(|(known, _)| decoded(known, false) == name.as_bytes())
                        .map(|(_, value)| nonempty(Cow::Borrowed(unquoted(value))));
                    credentials.and_all(found, place)
                }
                TokenPlace::Query(name) => {
                    let query = head.query().into_iter();
                    let found = query
                        .flat_map(parameters)
                        .filter(|(known, _)| decoded(known, true) == name.as_bytes())
                        .map(|(_, value)| nonempty(decoded(value, true)));
                    credentials.and_all(found, place)
                }
            })
    }

    /// These credentials and what a place holds besides.
    fn and_all(self, found: impl Iterator<Item = Found<'r>>, place: &'r TokenPlace) -> Self {
        found.fold(self, |credentials, found| match (credentials, found) {
            (credentials, Found::Nothing) => credentials,
            (_, Found::Malformed)
            | (Self::Malformed, _)
            | (Self::Unclear, Found::Token(_))
            | (Self::Token(_) | Self::Several, Found::Unclear) => Self::Malformed,
            (Self::None | Self::Unclear, Found::Unclear) => Self::Unclear,
            (Self::None, Found::Token(text)) => Self::Token(Token { text, place }),
            (Self::Token(known), Found::Token(_)) if !known.is_one_word() => Self::Malformed,
            (Self::Token(_) | Self::Several, Found::Token(text)) => {
                if (Token { text, place }).is_one_word() {
                    Self::Several
                } else {
                    Self::Malformed
                }
            }
        })
    }
}

impl Token<'_> {
    /// The token, as it stands.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> &TokenPlace {
        self.place
    }

    /// Whether it is one word, as what follows a scheme has to be (RFC 6750 §2.1):
    /// all of it is looked at. The proxy joins repeated lines of some headers with
    /// commas, which count as blanks here. Whatever is a token in form is one word.
    #[must_use]
    pub fn is_one_word(&self) -> bool {
        match self.place {
            TokenPlace::Header { .. } => {
                let separates = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
                is_plain(&self.text) || !self.text.iter().any(separates)
            }
            TokenPlace::Cookie(_) | TokenPlace::Query(_) => true,
        }
    }

    /// The changes that take the token out of the request, and nothing else.
    pub(super) fn removal(&self, head: &RequestHead) -> Option<RequestEdit> {
        match self.place {
            TokenPlace::Header { name, .. } => Some(RequestEdit::Remove(name.as_bytes().into())),
            TokenPlace::Cookie(name) => Some(without_cookie(head, name)),
            TokenPlace::Query(name) => without_parameter(head.path()?, name)
                .map(|path| RequestEdit::Set(b":path".as_slice().into(), path)),
        }
    }
}

/// The token after a scheme (RFC 9110 §11.4: compared without case, then
/// spaces). The proxy joins repeated lines of some headers with commas, which
/// no token has.
fn after_scheme<'r>(value: &'r [u8], scheme: &str) -> Found<'r> {
    let value = value.trim_ascii();
    if let Some(rest) = strip_scheme(value, scheme) {
        one_word(rest)
    } else {
        let joined = value.split(|byte| *byte == b',').skip(1);
        let hidden = joined
            .map(<[u8]>::trim_ascii)
            .any(|part| strip_scheme(part, scheme).is_some());
        if hidden {
            Found::Malformed
        } else if looks_like(value, scheme) {
            Found::Unclear
        } else {
            Found::Nothing
        }
    }
}

/// A header that is the token, with or without `Bearer ` before it.
fn bare(value: &[u8]) -> Found<'_> {
    let value = value.trim_ascii();
    match strip_scheme(value, "Bearer") {
        Some(rest) => one_word(rest),
        None if value.is_empty() => Found::Nothing,
        None => one_word(value),
    }
}

/// What follows the scheme; absent if the credentials are of another one.
fn strip_scheme<'r>(value: &'r [u8], scheme: &str) -> Option<&'r [u8]> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    let ends = rest.first().is_none_or(|byte| *byte == b' ');
    (start.eq_ignore_ascii_case(scheme.as_bytes()) && ends).then_some(rest)
}

/// Whether the value begins with the scheme and then with what is neither a
/// blank nor part of another scheme's name.
fn looks_like(value: &[u8], scheme: &str) -> bool {
    value
        .split_at_checked(scheme.len())
        .is_some_and(|(start, rest)| {
            let next = rest.first().is_some_and(|byte| !is_token(&[*byte]));
            start.eq_ignore_ascii_case(scheme.as_bytes()) && next
        })
}

/// What is to be one word, which is looked at where it is not a token.
fn one_word(rest: &[u8]) -> Found<'_> {
    match rest.trim_ascii() {
        [] => Found::Malformed,
        word => Found::Token(Cow::Borrowed(word)),
    }
}

/// Whether there is neither a comma nor anything below `!`, looked for in eight
/// bytes at a time: what is sent in place of a token may be long.
fn is_plain(word: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const BANGS: u64 = u64::from_ne_bytes([b'!'; 8]);
    const COMMAS: u64 = u64::from_ne_bytes([b','; 8]);
    // The high bit of some byte is set if and only if one of the eight is less.
    let below = |eight: u64, least: u64| eight.wrapping_sub(least) & !eight;
    let (chunks, rest) = word.as_chunks();
    let found = chunks.iter().fold(0, |found, chunk| {
        let eight = u64::from_ne_bytes(*chunk);
        found | below(eight, BANGS) | below(eight ^ COMMAS, ONES)
    });
    found & HIGH == 0 && rest.iter().all(|byte| *byte >= b'!' && *byte != b',')
}

fn nonempty(value: Cow<'_, [u8]>) -> Found<'_> {
    if value.is_empty() {
        Found::Nothing
    } else {
        Found::Token(value)
    }
}

/// The pairs of a `Cookie` header (RFC 6265 §4.2), as they stand.
fn cookies(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header
        .split(|byte| *byte == b';')
        .map(|pair| cut(pair.trim_ascii()))
}

/// The pairs of a query, as they stand.
fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|byte| *byte == b'&').map(cut)
}

/// Cuts a pair at its first `=`.
fn cut(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default();
    (
        name.trim_ascii(),
        halves.next().unwrap_or_default().trim_ascii(),
    )
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// Percent-decoded; what is no encoding stays as it is, as upstreams read it.
fn decoded(text: &[u8], plus_is_space: bool) -> Cow<'_, [u8]> {
    if !text
        .iter()
        .any(|byte| *byte == b'%' || (plus_is_space && *byte == b'+'))
    {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let encoded = (*byte == b'%')
            .then(|| after.split_first_chunk::<2>())
            .flatten();
        if let Some((octet, after)) =
            encoded.and_then(|(digits, after)| Some((hex(*digits)?, after)))
        {
            out.push(octet);
            rest = after;
        } else {
            out.push(if plus_is_space && *byte == b'+' {
                b' '
            } else {
                *byte
            });
            rest = after;
        }
    }
    Cow::Owned(out)
}

fn hex(digits: [u8; 2]) -> Option<u8> {
    let digits = std::str::from_utf8(&digits).ok()?;
    let both = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    both.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn without_cookie(head: &RequestHead, name: &str) -> RequestEdit {
    let kept: Vec<&[u8]> = head
        .headers()
        .values("cookie")
        .flat_map(|header| header.split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty() && decoded(cut(pair).0, false) != name.as_bytes())
        .collect();
    if kept.is_empty() {
        RequestEdit::Remove(b"cookie".as_slice().into())
    } else {
        RequestEdit::Set(b"cookie".as_slice().into(), kept.join(b"; ".as_slice()))
    }
}

fn without_parameter(path: &[u8], name: &str) -> Option<Vec<u8>> {
    let mark = path.iter().position(|byte| *byte == b'?')?;
    let (before, query) = path.split_at_checked(mark)?;
    let kept: Vec<&[u8]> = query
        .get(1..)?
        .split(|byte| *byte == b'&')
        .filter(|pair| decoded(cut(pair).0, true) != name.as_bytes())
        .collect();
    let mut path = before.to_vec();
    if !kept.is_empty() {
        path.push(b'?');
        path.extend(kept.join(b"&".as_slice()));
    }
    Some(path)
}
