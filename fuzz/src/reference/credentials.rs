//! Finds a request's token, in the simplest way.

use super::{path, readers};

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

/// The combined result of all places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    /// No token, but something that another reader may take for one.
    Ambiguous,
    /// A token, and whether it follows `DPoP`.
    Token(Vec<u8>, bool),
    Malformed,
    Several,
}

/// The content of one field, pair or parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Nothing,
    Ambiguous,
    /// A token, and whether it follows `DPoP`.
    Token(Vec<u8>, bool),
    Malformed,
}

pub(crate) fn find(headers: &Headers, places: &[Place]) -> Credentials {
    let is_cookie = |place: &&Place| matches!(place, Place::Cookie(_));
    let (cookies, others): (Vec<&Place>, Vec<&Place>) = places.iter().partition(is_cookie);
    let mut all: Vec<Credentials> = others.iter().map(|place| at(headers, **place)).collect();
    let has_token = |one: &Credentials| !matches!(one, Credentials::None | Credentials::Ambiguous);
    if !all.iter().any(has_token) {
        all.extend(cookies.iter().map(|place| at(headers, **place)));
    }
    let mut tokens: Vec<Vec<u8>> = Vec::new();
    let (mut proof, mut ambiguous, mut several) = (false, false, false);
    for one in all {
        match one {
            Credentials::None => {}
            Credentials::Ambiguous => ambiguous = true,
            Credentials::Malformed => return Credentials::Malformed,
            Credentials::Several => several = true,
            Credentials::Token(token, with_proof) => {
                proof |= with_proof;
                tokens.push(token);
            }
        }
    }
    tokens.sort();
    tokens.dedup();
    match tokens.len() {
        0 if !several && ambiguous => Credentials::Ambiguous,
        0 if !several => Credentials::None,
        _ if ambiguous => Credentials::Malformed,
        1 if !several => Credentials::Token(tokens.remove(0), proof),
        _ => Credentials::Several,
    }
}

/// The content of one place.
fn at(headers: &Headers, place: Place) -> Credentials {
    let items = items(headers, place);
    let is_header = matches!(place, Place::Authorization | Place::Header(_));
    let tokens = items.iter().filter(|item| matches!(item, Item::Token(..)));
    let has_blank_line = is_header && items.contains(&Item::Nothing);
    match tokens.count() {
        _ if items.contains(&Item::Malformed) => Credentials::Malformed,
        0 if items.contains(&Item::Ambiguous) => Credentials::Ambiguous,
        0 => Credentials::None,
        _ if items.contains(&Item::Ambiguous) || has_blank_line => Credentials::Malformed,
        1 => {
            let one = items.into_iter().find_map(|item| match item {
                Item::Token(token, proof) => Some(Credentials::Token(token, proof)),
                _ => None,
            });
            one.unwrap()
        }
        _ => Credentials::Several,
    }
}

/// All tokens in a place.
pub(crate) fn tokens(headers: &Headers, place: Place) -> Vec<Vec<u8>> {
    let items = items(headers, place).into_iter();
    let tokens = items.filter_map(|item| match item {
        Item::Token(token, _) => Some(token),
        Item::Nothing | Item::Ambiguous | Item::Malformed => None,
    });
    tokens.collect()
}

/// Whether the text is one word, as required for a token outside of parameters.
pub(crate) fn is_one_word(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|byte| byte.is_ascii_whitespace() || *byte == b',')
}

fn items(headers: &Headers, place: Place) -> Vec<Item> {
    match place {
        Place::Authorization => in_header(headers, "authorization", after_scheme),
        Place::Header(name) => in_header(headers, name, bare),
        Place::Cookie(name) => cookies(headers)
            .flat_map(|whole| {
                let (known, value) = cut(whole);
                let exact = path::decode(known) == name.as_bytes();
                let mut items = vec![if exact {
                    bare(unquoted(value))
                } else {
                    ambiguous_if(is_alike(known, name, path::decode) && !value.is_empty())
                }];
                items.extend(split_further(whole, b",", name, path::decode));
                // Some readers treat the text after white space as a separate cookie.
                items.extend(whole.split(u8::is_ascii_whitespace).skip(1).map(|part| {
                    let (known, value) = cut(part);
                    ambiguous_if(is_alike(known, name, path::decode) && !value.is_empty())
                }));
                items
            })
            .collect(),
        Place::Query(name) => parameters(headers)
            .flat_map(|pair| {
                let (known, value) = cut(pair);
                let raw = pair.iter().position(|byte| *byte == b'=');
                let raw = raw.map_or(&b""[..], |at| &pair[at + 1..]);
                let exact = form_decoded(known) == name.as_bytes();
                let mut items = vec![if exact && !raw.is_empty() {
                    Item::Token(form_decoded(raw), false)
                } else {
                    let alike = !exact && is_alike(known, name, form_decoded);
                    ambiguous_if(alike && !value.is_empty())
                }];
                items.extend(split_further(pair, b";?#", name, form_decoded));
                items
            })
            .collect(),
    }
}

fn ambiguous_if(ambiguous: bool) -> Item {
    if ambiguous {
        Item::Ambiguous
    } else {
        Item::Nothing
    }
}

/// The fields of a header, and of other names that CGI maps to the same variable.
fn in_header(headers: &Headers, name: &str, read: fn(&[u8]) -> Item) -> Vec<Item> {
    let cgi = |name: &[u8]| -> String {
        let plain = |byte: &u8| match char::from(*byte) {
            c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
            _ => '_',
        };
        name.iter().map(plain).collect()
    };
    let alike = headers
        .iter()
        .filter(|(known, _)| cgi(known) == cgi(name.as_bytes()));
    let item = |(known, value): &(Vec<u8>, Vec<u8>)| {
        if known.eq_ignore_ascii_case(name.as_bytes()) {
            read(value)
        } else {
            ambiguous_if(!value.trim_ascii().is_empty())
        }
    };
    alike.map(item).collect()
}

/// The pairs that a reader finds if it splits at more characters.
fn split_further(
    pair: &[u8],
    separators: &[u8],
    name: &str,
    decode: fn(&[u8]) -> Vec<u8>,
) -> Vec<Item> {
    let parts: Vec<_> = pair.split(|byte| separators.contains(byte)).collect();
    if parts.len() == 1 {
        return Vec::new();
    }
    let item = |part: &[u8]| {
        let (known, value) = cut(part);
        ambiguous_if(is_alike(known, name, decode) && !value.is_empty())
    };
    parts.into_iter().map(item).collect()
}

/// Whether some reader confuses two names, decoded once or twice.
fn is_alike(known: &[u8], name: &str, decode: fn(&[u8]) -> Vec<u8>) -> bool {
    let once = decode(known);
    let twice = decode(&once);
    readers::is_read_as(&once, name.as_bytes()) || readers::is_read_as(&twice, name.as_bytes())
}

pub(crate) fn values<'h>(headers: &'h Headers, name: &str) -> impl Iterator<Item = &'h [u8]> {
    let named = move |(known, _): &&(Vec<u8>, Vec<u8>)| known.eq_ignore_ascii_case(name.as_bytes());
    let matching: Vec<_> = headers.iter().filter(named).collect();
    matching.into_iter().map(|(_, value)| &**value)
}

const SCHEMES: [&str; 2] = ["bearer", "dpop"];

/// `Bearer` or `DPoP`, white space, one word.
fn after_scheme(value: &[u8]) -> Item {
    let value = value.trim_ascii();
    for scheme in SCHEMES {
        if has_scheme(value, scheme) {
            return word(&value[scheme.len()..], scheme == "dpop");
        }
    }
    let mut parts = value.split(|byte| *byte == b',').skip(1);
    let follows = |part: &[u8]| {
        SCHEMES
            .iter()
            .any(|scheme| has_scheme(part.trim_ascii(), scheme))
    };
    if parts.any(follows) {
        Item::Malformed
    } else {
        ambiguous_if(mentions_a_scheme(value) || mentions_a_token(value))
    }
}

fn has_scheme(value: &[u8], scheme: &str) -> bool {
    let first = value.split(|byte| *byte == b' ').next().unwrap();
    first.eq_ignore_ascii_case(scheme.as_bytes())
}

/// Whether a less strict reader finds a scheme.
fn mentions_a_scheme(value: &[u8]) -> bool {
    let text: String = value.iter().map(|byte| char::from(*byte)).collect();
    let text = text.to_ascii_lowercase();
    let found_anywhere = SCHEMES.iter().any(|scheme| {
        text.match_indices(scheme).any(|(at, _)| {
            let next = text[at + scheme.len()..].chars().next();
            next.is_some_and(|next| !('!'..='~').contains(&next))
        })
    });
    if found_anywhere {
        return true;
    }
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split([',', ';']).any(|element| {
        let element = element.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let element = element.trim_end_matches([' ', '\t', '\n', '\r', '\x0c']);
        let words: Vec<&str> = element.split(|c| !('!'..='~').contains(&c)).collect();
        let scheme_of = |word: &str| {
            SCHEMES
                .iter()
                .find_map(|scheme| word.strip_prefix(scheme))
                .map(str::to_owned)
        };
        words.iter().any(|word| match scheme_of(word) {
            None => false,
            Some(rest) => words.len() == 1 || !rest.starts_with(in_scheme),
        })
    })
}

/// Whether there is a JSON object in base64, a dot, another part, which may be empty, and a dot.
fn mentions_a_token(value: &[u8]) -> bool {
    let in_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte);
    let pieces: Vec<&[u8]> = value.split(|byte| *byte == b'.').collect();
    pieces.windows(3).any(|window| {
        let mut header = window[0];
        while let [rest @ .., b'='] = header {
            header = rest;
        }
        let from = header
            .iter()
            .rposition(|byte| !in_base64(byte))
            .map_or(0, |at| at + 1);
        let all_base64 = window[1]
            .iter()
            .all(|byte| in_base64(byte) || *byte == b'=');
        let decoded = lenient_base64(&header[from..]);
        let text: Vec<u8> = decoded
            .into_iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        all_base64 && (text.starts_with(b"{\"") || text.starts_with(b"{}"))
    })
}

/// Base64 with either alphabet and any trailing bits.
fn lenient_base64(text: &[u8]) -> Vec<u8> {
    let bits: Vec<bool> = text
        .iter()
        .flat_map(|byte| {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' | b'+' => 62,
                _ => 63,
            };
            (0..6).rev().map(move |bit| value >> bit & 1 == 1)
        })
        .collect();
    let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks_exact(8).map(byte).collect()
}

fn bare(value: &[u8]) -> Item {
    let value = value.trim_ascii();
    if value.is_empty() {
        Item::Nothing
    } else if has_scheme(value, "bearer") {
        word(&value[6..], false)
    } else {
        word(value, false)
    }
}

fn word(text: &[u8], proof: bool) -> Item {
    match text.trim_ascii() {
        [] => Item::Malformed,
        text => Item::Token(text.to_vec(), proof),
    }
}

/// The names and values of all cookies.
pub(crate) fn pairs(headers: &Headers) -> impl Iterator<Item = (&[u8], &[u8])> {
    cookies(headers).map(cut)
}

fn cookies(headers: &Headers) -> impl Iterator<Item = &[u8]> {
    let pieces = values(headers, "cookie").flat_map(|line| line.split(|byte| *byte == b';'));
    pieces.map(<[u8]>::trim_ascii)
}

/// The pairs of the query.
pub(crate) fn parameters(headers: &Headers) -> impl Iterator<Item = &[u8]> {
    let target = values(headers, ":path").next().unwrap_or_default();
    let before = path::before_query(target).len();
    let query = target.get(before + 1..);
    query
        .into_iter()
        .flat_map(|query| query.split(|byte| *byte == b'&'))
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

/// The encoding of HTML forms: a `+` is a space.
fn form_decoded(text: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    path::decode(&text)
}
