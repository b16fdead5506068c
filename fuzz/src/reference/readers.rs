//! Headers and queries as different upstreams read them. All readers count alike.

use std::collections::BTreeSet;

use super::credentials::{Headers, values};
use super::path;

/// The results of all readers.
pub(crate) struct Readings {
    /// Each reader's value; `None` if it finds none.
    found: BTreeSet<Option<Vec<u8>>>,
    /// The maximum number of occurrences that any reader finds.
    times: usize,
}

impl Readings {
    /// The value, if every reader finds the same one and none of them has a reason to
    /// change it.
    pub(crate) fn agreed(self) -> Option<Vec<u8>> {
        let mut found = self.found.into_iter();
        match (self.times, found.next(), found.next()) {
            (1, Some(Some(value)), None) if is_clean(&value) => Some(value),
            _ => None,
        }
    }
}

/// The values that readers find in a header.
pub(crate) fn header(headers: &Headers, name: &str) -> Readings {
    let cgi = |name: &[u8]| -> Vec<u8> {
        let upper = name.iter().map(u8::to_ascii_uppercase);
        let plain = |byte: u8| {
            if byte.is_ascii_alphanumeric() {
                byte
            } else {
                b'_'
            }
        };
        upper.map(plain).collect()
    };
    let exact: Vec<_> = values(headers, name).map(<[u8]>::to_vec).collect();
    let folded = headers
        .iter()
        .filter(|(known, _)| cgi(known) == cgi(name.as_bytes()));
    let folded: Vec<_> = folded.map(|(_, value)| value.clone()).collect();
    let times = folded.len();
    let removed = connection_options(headers).any(|option| cgi(option) == cgi(name.as_bytes()));
    let mut found = BTreeSet::new();
    for lines in [exact, folded] {
        let joined = lines.join(&b", "[..]);
        let parts: Vec<_> = joined
            .split(|byte| *byte == b',')
            .map(<[u8]>::to_vec)
            .collect();
        for values in [&lines, &parts] {
            found.insert(values.first().cloned());
            found.insert(values.last().cloned());
            found.insert(values.first().map(|value| value.trim_ascii().to_vec()));
        }
    }
    if removed {
        found.insert(None);
    }
    Readings { found, times }
}

/// The names in `Connection`, for hops that split at commas and for hops that split at
/// any character that cannot be part of a name.
pub(crate) fn connection_options(headers: &Headers) -> impl Iterator<Item = &[u8]> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    values(headers, "connection").flat_map(move |value| {
        let options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        options.chain(value.split(move |byte| !in_name(*byte)))
    })
}

/// Whether a reader treats two names as the same.
type Same = fn(&[u8], &[u8]) -> bool;

/// The values that readers find in the query.
pub(crate) fn parameter(headers: &Headers, name: &str) -> Readings {
    let target = values(headers, ":path").next().unwrap_or_default();
    let query = target
        .splitn(2, |byte| *byte == b'?')
        .nth(1)
        .unwrap_or_default();
    let without_fragment = query.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut times = 0;
    if query.contains(&b'#') {
        found.insert(None);
    }
    for query in [query, without_fragment] {
        for separators in [&b"&"[..], b"&;", b"&;?"] {
            let readers: [Same; 4] = [
                |known: &[u8], name: &[u8]| known == name,
                |known: &[u8], name: &[u8]| known.eq_ignore_ascii_case(name),
                is_read_as,
                |known: &[u8], name: &[u8]| is_read_as(&form(known), name),
            ];
            for same in readers {
                let all: Vec<_> = query
                    .split(|byte| separators.contains(byte))
                    .map(halves)
                    .filter(|(known, _)| same(&form(known), name.as_bytes()))
                    .map(|(_, value)| value)
                    .collect();
                times = times.max(all.len());
                if all.iter().any(|value| is_broken(value)) {
                    found.insert(None);
                }
                let all: Vec<_> = all.into_iter().map(form).collect();
                for trimmed in [false, true] {
                    let value = |value: &Vec<u8>| {
                        let value = if trimmed { value.trim_ascii() } else { value };
                        value.to_vec()
                    };
                    found.insert(all.first().map(value));
                    found.insert(all.last().map(value));
                }
            }
        }
    }
    Readings { found, times }
}

/// Whether a text has a `%` without two digits, which some readers refuse.
fn is_broken(text: &[u8]) -> bool {
    (0..text.len()).any(|at| {
        let digits = text.get(at + 1..at + 3);
        text[at] == b'%' && !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether PHP and similar software may read one name as another: without surrounding
/// white space (some trim Unicode's, byte by byte), cut off at a `[` or zero byte, with
/// `_` for characters other than letters and digits, and in any letter case.
pub(crate) fn is_read_as(known: &[u8], name: &[u8]) -> bool {
    let plain = |byte: &u8| match byte.to_ascii_lowercase() {
        byte if byte.is_ascii_alphanumeric() => byte,
        _ => b'_',
    };
    let fold = |name: &[u8]| -> Vec<u8> { name.iter().map(plain).collect() };
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~');
    let start = known.iter().position(is_printable).unwrap_or(known.len());
    let end = known
        .iter()
        .rposition(is_printable)
        .map_or(start, |at| at + 1);
    let known = &known[start..end];
    let cuts = (0..known.len()).filter(|at| matches!(known[*at], b'[' | 0));
    let mut readings = cuts.chain([known.len()]).map(|end| fold(&known[..end]));
    readings.any(|reading| reading == fold(name))
}

fn halves(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

/// The encoding of HTML forms: a `+` is a space.
fn form(text: &[u8]) -> Vec<u8> {
    let plus = |byte: &u8| if *byte == b'+' { b' ' } else { *byte };
    let text: Vec<u8> = text.iter().map(plus).collect();
    path::decode(&text)
}

/// Whether no reader has a reason to change a value.
fn is_clean(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let ends = [text.chars().next(), text.chars().next_back()];
    ends.into_iter()
        .all(|end| end.is_some_and(|end| !end.is_whitespace()))
        && !text.contains(|c: char| matches!(c, '\0'..='\x1f' | '\x7f'..='\u{9f}'))
}
