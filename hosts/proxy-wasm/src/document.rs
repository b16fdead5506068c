//! The configuration as a host passes it.
//!
//! Envoy passes on a `StringValue` as its text. A `Struct`, which is what YAML members
//! become, it passes on in protobuf's binary form, although its documentation says JSON.
//! This module converts it back to JSON text. Only the size is checked here: memory is
//! checked before it is used.

use std::io::{self, Write};

use super::memory::{self, Need};
use edge_authz::config::MAX_BYTES;
use edge_authz::json::decimal;

/// The maximum nesting depth. Envoy reads no deeper messages either, and the
/// configuration's own limit is lower.
const MAX_DEPTH: usize = 100;

/// The maximum size of a message, in bytes. No larger message has a text within
/// [`MAX_BYTES`]. A list of one-digit numbers has the largest binary form relative to its
/// text: eleven bytes for two characters.
pub(super) const MAX_BINARY: usize = 6 * MAX_BYTES;

/// Why a configuration has no text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoText {
    /// It is larger than [`MAX_BYTES`].
    TooLarge,
    /// Memory is insufficient.
    NoMemory,
}

/// The JSON text of a configuration: converted from a `Struct` in binary form, or the
/// bytes unchanged.
///
/// The two cannot be confused: a non-empty `Struct` has the byte 0x12 before each value,
/// a control character that JSON allows nowhere.
pub(super) fn json(bytes: Vec<u8>) -> Result<Vec<u8>, NoText> {
    let mut length = Length::default();
    if !bytes.contains(&0x12) || structure(&bytes, MAX_DEPTH, &mut length).is_none() {
        return Ok(bytes);
    }
    let Length(length) = length;
    if length > MAX_BYTES {
        return Err(NoText::TooLarge);
    }
    if !memory::is_available(Need::block(length).and(order_of(bytes.len()))) {
        return Err(NoText::NoMemory);
    }
    let mut text = Vec::with_capacity(length);
    match structure(&bytes, MAX_DEPTH, &mut text) {
        Some(()) => Ok(text),
        // It was a valid `Struct` in the previous step.
        None => Ok(bytes),
    }
}

/// The memory for sorting the members of a message of this size, in bytes. A message has
/// at most one member for every eight bytes.
pub(super) const fn order_of(bytes: usize) -> usize {
    (bytes / 8).saturating_mul(size_of::<Entry<'_>>())
}

/// Counts the bytes that are written.
#[derive(Default)]
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name and the value of a member.
type Entry<'a> = (&'a [u8], &'a [u8]);

/// `message Struct { map<string, Value> fields = 1; }`
///
/// A map has no order, and protobuf writes its entries in any order. Members are sorted,
/// so that the same configuration is always the same text.
fn structure(bytes: &[u8], depth: usize, text: &mut impl Write) -> Option<()> {
    let mut members = Vec::with_capacity(Fields(bytes).count());
    let mut fields = Fields(bytes);
    while !fields.0.is_empty() {
        let (1, Content::Bytes(member)) = fields.next()? else {
            return None;
        };
        members.push(entry(member)?);
    }
    edge_authz::order::sort(&mut members, Ord::cmp);
    let mut separator = "{";
    for (name, content) in &members {
        put(text, separator)?;
        separator = ",";
        string(name, text)?;
        put(text, ":")?;
        value(content, depth, text)?;
    }
    put(text, if members.is_empty() { "{}" } else { "}" })
}

/// An entry of the map: `string key = 1; Value value = 2;`
fn entry(bytes: &[u8]) -> Option<Entry<'_>> {
    let mut fields = Fields(bytes);
    let (1, Content::Bytes(name)) = fields.next()? else {
        return None;
    };
    let (2, Content::Bytes(content)) = fields.next()? else {
        return None;
    };
    fields.is_at_end()?;
    Some((name, content))
}

/// `message Value`: one of null, number, string, bool, `Struct`, `ListValue`.
fn value(bytes: &[u8], depth: usize, text: &mut impl Write) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let mut fields = Fields(bytes);
    match fields.next()? {
        (1, Content::Number(_)) => put(text, "null")?,
        (2, Content::Double(number)) => put(text, &decimal(number)?)?,
        (3, Content::Bytes(content)) => string(content, text)?,
        (4, Content::Number(0)) => put(text, "false")?,
        (4, Content::Number(_)) => put(text, "true")?,
        (5, Content::Bytes(content)) => structure(content, depth, text)?,
        (6, Content::Bytes(content)) => list(content, depth, text)?,
        _ => return None,
    }
    fields.is_at_end()
}

/// `message ListValue { repeated Value values = 1; }`
fn list(bytes: &[u8], depth: usize, text: &mut impl Write) -> Option<()> {
    let mut fields = Fields(bytes);
    put(text, "[")?;
    let mut separator = "";
    while !fields.0.is_empty() {
        let (1, Content::Bytes(content)) = fields.next()? else {
            return None;
        };
        put(text, separator)?;
        separator = ",";
        value(content, depth, text)?;
    }
    put(text, "]")
}

fn string(bytes: &[u8], text: &mut impl Write) -> Option<()> {
    let content = std::str::from_utf8(bytes).ok()?;
    serde_json::to_writer(text, content).ok()
}

fn put(text: &mut impl Write, piece: &str) -> Option<()> {
    text.write_all(piece.as_bytes()).ok()
}

/// The unread fields of a message.
struct Fields<'a>(&'a [u8]);

/// The content of a field.
enum Content<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    /// The next field with its number, if there is one and its kind is known.
    fn next(&mut self) -> Option<(u64, Content<'a>)> {
        let tag = self.number()?;
        let content = match tag & 7 {
            0 => Content::Number(self.number()?),
            1 => {
                let (number, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Content::Double(f64::from_le_bytes(*number))
            }
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                let (content, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Content::Bytes(content)
            }
            _ => return None,
        };
        Some((tag >> 3, content))
    }

    /// The number of fields up to the first malformed one.
    fn count(mut self) -> usize {
        std::iter::from_fn(|| self.next()).count()
    }

    fn is_at_end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// A number in groups of seven bits, the lowest group first (varint).
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that contains bytes.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(content);
        bytes
    }

    fn entry(name: &str, value: &[u8]) -> Vec<u8> {
        let entry = [field(1, name.as_bytes()), field(2, value)].concat();
        field(1, &entry)
    }

    fn json_of(bytes: &[u8]) -> String {
        String::from_utf8(json(bytes.to_vec()).unwrap()).unwrap()
    }

    #[test]
    fn every_kind_of_value_becomes_its_json() {
        let number = |number: f64| [&[2 << 3 | 1][..], &number.to_le_bytes()].concat();
        let text = field(3, b"a\"\n");
        let list = field(6, &[field(1, &text), field(1, &number(1.5))].concat());
        for (value, expected) in [
            (vec![1 << 3, 0], "null"),
            (vec![4 << 3, 1], "true"),
            (vec![4 << 3, 0], "false"),
            (number(600.0), "600"),
            (number(-0.5), "-0.5"),
            (text.clone(), r#""a\"\n""#),
            (field(3, b""), r#""""#),
            (field(6, b""), "[]"),
            (list, r#"["a\"\n",1.5]"#),
            (field(5, b""), "{}"),
            (field(5, &entry("b", &text)), r#"{"b":"a\"\n"}"#),
        ] {
            let bytes = entry("a", &value);
            assert_eq!(json_of(&bytes), format!(r#"{{"a":{expected}}}"#));
            let two = [entry("z", &[1 << 3, 0]), bytes].concat();
            // The order of the members does not matter.
            assert_eq!(json_of(&two), format!(r#"{{"a":{expected},"z":null}}"#));
        }
    }

    #[test]
    fn text_is_unchanged() {
        for text in [
            "",
            "{}",
            "\n{\"a\": 1}",
            "\n\n{\n \"a\": 1}",
            "\u{12}",
            "\n\u{4}\n\u{1}a",
        ] {
            assert_eq!(json_of(text.as_bytes()), text);
        }
    }

    #[test]
    fn an_incomplete_structure_stays_unchanged() {
        let good = entry("a", &field(3, b"text"));
        for cut in 1..good.len() {
            let (start, _) = good.split_at(cut);
            assert_eq!(json(start.to_vec()).unwrap(), start);
        }
        let infinite = [&[2 << 3 | 1][..], &f64::INFINITY.to_le_bytes()].concat();
        for value in [
            field(3, b"\xff"),
            field(7, b""),
            Vec::new(),
            infinite,
            vec![4 << 3, 1, 4 << 3, 1],
            vec![5],
            [0xff; 12].to_vec(),
        ] {
            let bytes = entry("a", &value);
            assert_eq!(json(bytes.clone()).unwrap(), bytes);
        }
    }

    #[test]
    fn nesting_beyond_the_limit_is_unchanged() {
        let nested = |depth: usize| {
            let innermost = vec![1 << 3, 0];
            let value = (1..depth).fold(innermost, |value, _| field(6, &field(1, &value)));
            entry("a", &value)
        };
        assert!(json_of(&nested(MAX_DEPTH)).starts_with(r#"{"a":[["#));
        for depth in [MAX_DEPTH + 1, 2_000] {
            let bytes = nested(depth);
            assert_eq!(json(bytes.clone()).unwrap(), bytes);
        }
    }

    /// A list of this many elements, as the one member of a configuration.
    fn list_of(count: usize, element: &[u8]) -> Vec<u8> {
        entry("a", &field(6, &field(1, element).repeat(count)))
    }

    #[test]
    fn no_text_beyond_the_limit_is_made() {
        let longest = [&[2 << 3 | 1][..], &1e308_f64.to_le_bytes()].concat();
        let bytes = list_of(MAX_BYTES / 310, &longest);
        assert!(bytes.len() < MAX_BYTES / 20);
        assert_eq!(json_of(&bytes).len() / 310, MAX_BYTES / 310);
        let bytes = list_of(MAX_BYTES / 310 + 1, &longest);
        assert_eq!(json(bytes), Err(NoText::TooLarge));
    }

    #[test]
    fn no_text_within_the_limit_has_a_larger_binary_form() {
        let shortest = [&[2 << 3 | 1][..], &1_f64.to_le_bytes()].concat();
        let bytes = list_of(1_000, &shortest);
        let text = json_of(&bytes);
        assert!(bytes.len() < 6 * text.len(), "{} for {text}", bytes.len());
        assert!(bytes.len() > 5 * text.len());
    }

    #[test]
    fn the_text_is_made_only_if_memory_suffices() {
        let bytes = entry("a", &field(3, &[b'x'; 1_000]));
        let needed = br#"{"a":""}"#.len() + 1_000 + order_of(bytes.len());
        memory::pretend(Some(needed - 1));
        assert_eq!(json(bytes.clone()), Err(NoText::NoMemory));
        memory::pretend(Some(needed));
        assert!(json(bytes).is_ok());
        memory::pretend(None);
    }

    #[test]
    fn the_members_of_a_message_fit_the_memory_for_sorting() {
        let shortest = entry("", &[1 << 3, 0]);
        assert_eq!(shortest.len(), 8);
    }
}
