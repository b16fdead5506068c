//! The head of an answer, read according to RFC 9110 and RFC 9111. Numbers are read digit
//! by digit.

use super::credentials::Headers;

/// The facts about an answer that a cache needs.
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    /// Whether its content has a coding other than `identity`.
    pub(crate) encoded: bool,
    /// In seconds: the largest value that any cache on the path has written.
    pub(crate) age: u32,
    /// How many seconds it is still fresh, if it says so.
    pub(crate) fresh_for: Option<u32>,
    /// The entity tag that can be sent back.
    pub(crate) etag: Option<String>,
    /// Whether a server or cache has written a field of its own.
    pub(crate) from_afar: bool,
}

impl Answer {
    pub(crate) fn of(headers: &Headers) -> Self {
        let ages = list(headers, "age");
        let ages = ages.iter().filter_map(|age| delta_seconds(age));
        let age = ages.max().unwrap_or(0);
        let codings = list(headers, "content-encoding");
        let marks = ["x-envoy-upstream-service-time", "date", "server", "via"];
        let is_mark = |name: &[u8]| marks.iter().any(|mark| lower(name) == mark.as_bytes());
        Self {
            status: status(headers),
            encoded: codings.iter().any(|coding| lower(coding) != b"identity"),
            age,
            fresh_for: lifetime(headers).map(|all| all.saturating_sub(age)),
            etag: etag(headers),
            from_afar: headers.iter().any(|(name, _)| is_mark(name)),
        }
    }
}

/// The first `:status`, if it is a number of 16 bits. Rust's numbers may have a sign,
/// which the proxy never writes.
fn status(headers: &Headers) -> Option<u16> {
    let (_, text) = headers.iter().find(|(name, _)| lower(name) == b":status")?;
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let number = digits_of(digits)?;
    u16::try_from(number).ok()
}

/// RFC 9110 section 8.8.3, without `obs-text`: exactly one tag of at most 256 bytes.
fn etag(headers: &Headers) -> Option<String> {
    let mut tags = headers.iter().filter(|(name, _)| lower(name) == b"etag");
    let (_, tag) = tags.next()?;
    if tags.next().is_some() {
        return None;
    }
    let tag = tag.trim_ascii();
    let opaque = if tag.starts_with(b"W/") {
        &tag[2..]
    } else {
        tag
    };
    let (first, rest) = opaque.split_first()?;
    let (last, text) = rest.split_last()?;
    let is_quoted = *first == b'"' && *last == b'"';
    let is_char = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e);
    let is_tag = is_quoted && text.iter().all(is_char) && tag.len() <= 256;
    is_tag.then(|| String::from_utf8(tag.to_vec()).unwrap())
}

/// RFC 9111 section 4.2.1: the freshness lifetime. A directive that forbids using an
/// answer without validation makes it zero (sections 5.2.2.4, 5.2.2.5), wherever the
/// directive is.
fn lifetime(headers: &Headers) -> Option<u32> {
    let directives = list(headers, "cache-control");
    let names: Vec<_> = directives.iter().map(|one| lower(one)).collect();
    if names
        .iter()
        .any(|name| name == b"no-store" || name == b"no-cache")
    {
        return Some(0);
    }
    names.iter().find_map(|directive| {
        let (name, value) = directive.split_at_checked(8)?;
        if name != b"max-age=" {
            return None;
        }
        // Section 5.2: both forms of an argument must be understood.
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        delta_seconds(value.strip_suffix(b"\"").unwrap_or(value))
    })
}

/// RFC 9111 section 1.2.2: a number that is too large counts as the maximum.
fn delta_seconds(text: &[u8]) -> Option<u32> {
    Some(u32::try_from(digits_of(text)?).unwrap_or(u32::MAX))
}

fn digits_of(text: &[u8]) -> Option<u64> {
    let mut number = None;
    for byte in text {
        let digit = match byte {
            b'0'..=b'9' => u64::from(byte - b'0'),
            _ => return None,
        };
        let so_far: u64 = number.unwrap_or(0);
        number = Some(so_far.saturating_mul(10).saturating_add(digit));
    }
    number
}

/// RFC 9110 section 5.6.1: the members of a list, without empty ones. All its fields form
/// one list.
fn list(headers: &Headers, name: &str) -> Vec<Vec<u8>> {
    let mut members = vec![Vec::new()];
    for (known, value) in headers {
        if lower(known) != name.as_bytes() {
            continue;
        }
        for byte in value {
            match byte {
                b',' => members.push(Vec::new()),
                byte => members.last_mut().unwrap().push(*byte),
            }
        }
        members.push(Vec::new());
    }
    let blank = |byte: &u8| byte.is_ascii_whitespace();
    for member in &mut members {
        let blanks = member.iter().take_while(|byte| blank(byte)).count();
        member.drain(..blanks);
        while member.last().is_some_and(blank) {
            member.pop();
        }
    }
    members.retain(|member| !member.is_empty());
    members
}

fn lower(text: &[u8]) -> Vec<u8> {
    text.to_ascii_lowercase()
}
