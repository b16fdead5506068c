//! The headers of MCP requests, compared with a reader that follows the specification.
//!
//! The input is one header field a line, `name: value`.

use std::borrow::Cow;

use edge_authz::http::{HeaderMap, MAX_MCP_VALUE, McpFault, McpHeader, RequestHead};

use crate::reference::base64url;

pub(crate) fn target(data: &[u8]) {
    let fields = super::lines(data).filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = &line[colon + 1..];
        Some((&line[..colon], value.strip_prefix(b" ").unwrap_or(value)))
    });
    let fields: Vec<_> = fields.collect();
    let head = RequestHead::new(HeaderMap::from_pairs(fields.iter().copied()));
    let found = head.mcp();
    let found = match &found {
        Ok(read) => Ok((read.method.to_vec(), read.name.clone().map(Cow::into_owned))),
        Err(bad) => Err((bad.header, bad.fault)),
    };
    assert_eq!(found, expected(&fields));
}

type Field<'d> = (&'d [u8], &'d [u8]);
type Asked = (Vec<u8>, Option<Vec<u8>>);

fn expected(fields: &[Field<'_>]) -> Result<Asked, (McpHeader, McpFault)> {
    let header = McpHeader::Version;
    let version = only(fields, header)?.ok_or((header, McpFault::Absent))?;
    if version.contains(&b',') {
        return Err((header, McpFault::Repeated));
    }
    match date(version) {
        None => return Err((header, McpFault::Malformed)),
        Some(date) if date < (2026, 7, 28) => return Err((header, McpFault::TooOld)),
        Some(_) => {}
    }
    let header = McpHeader::Method;
    let method = only(fields, header)?.ok_or((header, McpFault::Absent))?;
    if method.contains(&b',') {
        return Err((header, McpFault::Repeated));
    }
    let method = value(method).ok_or((header, McpFault::Malformed))?;
    let header = McpHeader::Name;
    let name = match only(fields, header)? {
        None => None,
        Some(name) => Some(value(name).ok_or((header, McpFault::Malformed))?),
    };
    Ok((method, name))
}

/// The value of the only field that some upstream takes for the header, if it is the
/// header itself and no `Connection` names it.
fn only<'d>(
    fields: &[Field<'d>],
    header: McpHeader,
) -> Result<Option<&'d [u8]>, (McpHeader, McpFault)> {
    let folded = fold(header.name().as_bytes());
    let alike = fields.iter().filter(|(name, _)| fold(name) == folded);
    let alike: Vec<_> = alike.collect();
    let (name, value) = match alike.as_slice() {
        [] => return Ok(None),
        [one] => **one,
        [..] => return Err((header, McpFault::Repeated)),
    };
    let connections = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"));
    let is_named = |(_, value): &Field<'_>| {
        let whole = value.split(|byte| *byte == b',');
        let words = value.split(|byte| !is_token(*byte));
        whole
            .map(<[u8]>::trim_ascii)
            .chain(words)
            .any(|option| fold(option) == folded)
    };
    let is_it = name.eq_ignore_ascii_case(header.name().as_bytes());
    Ok((is_it && !connections.copied().any(|field| is_named(&field))).then_some(value))
}

fn fold(name: &[u8]) -> Vec<u8> {
    let fold = |byte: &u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' => *byte,
        b'A'..=b'Z' => byte + 32,
        _ => b'_',
    };
    name.iter().map(fold).collect()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#"(),/:;<=>?@[\]{}""#.contains(&byte)
}

fn date(text: &[u8]) -> Option<(u32, u32, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    if shape != "0000-00-00" {
        return None;
    }
    let mut parts = text.split('-').map(|part| part.parse::<u32>().unwrap());
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let leap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0;
    let days = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let last = days.get(usize::try_from(month).unwrap().checked_sub(1)?)?;
    (1..=*last).contains(&day).then_some((year, month, day))
}

fn value(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() > MAX_MCP_VALUE {
        return None;
    }
    let raw = std::str::from_utf8(raw).ok()?;
    if let Some(rest) = raw.strip_prefix("=?") {
        let text = rest.strip_prefix("base64?")?.strip_suffix("?=")?;
        let text = base64(text)?;
        let read = String::from_utf8(text).ok()?;
        let is_good = !read.is_empty() && !read.chars().any(char::is_control);
        return is_good.then(|| read.into_bytes());
    }
    let visible = |c: char| (' '..='~').contains(&c);
    let is_good = raw.chars().all(visible) && !raw.is_empty();
    (is_good && !raw.starts_with(' ') && !raw.ends_with(' ')).then(|| raw.as_bytes().to_vec())
}

/// Base64 with padding, by the reader for base64url, which knows no other alphabet.
fn base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['-', '_']) || !text.len().is_multiple_of(4) {
        return None;
    }
    let plain = text
        .strip_suffix("==")
        .or(text.strip_suffix('='))
        .unwrap_or(text);
    let bytes = base64url::decode(plain.replace('+', "-").replace('/', "_").as_bytes())?;
    let padding = (4 - plain.len() % 4) % 4;
    (plain.len() + padding == text.len()).then_some(bytes)
}
