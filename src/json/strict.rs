//! Checks a whole text: it reads everything, and keeps only an object's members.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::value::{Object, Text, Value};
use super::{Fault, JsonError};
use crate::bytes::find;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Checks `text` and returns it as a string.
pub(super) fn check(text: &[u8], max_depth: usize) -> Result<&str, JsonError> {
    let text = utf8(text)?;
    let cause = Cell::new(Fault::Syntax);
    let strict = Strict {
        depth_left: max_depth,
        cause: &cause,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    strict
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| refused(cause.get(), &error))?;
    Ok(text)
}

/// Checks `text`, which must be an object, and reads its members in the same
/// pass.
///
/// It accepts the same texts as [`check`]. For a refused text [`check`] is more
/// precise: here the position is the end of the member with the fault.
pub(super) fn object(text: &str, max_depth: usize) -> Result<Object<'_>, JsonError> {
    let cause = Cell::new(Fault::Syntax);
    let outermost = Outermost(Strict {
        depth_left: max_depth,
        cause: &cause,
    });
    let mut reader = serde_json::Deserializer::from_str(text);
    reader
        .deserialize_map(outermost)
        .and_then(|object| reader.end().map(|()| object))
        .map_err(|error| refused(cause.get(), &error))
}

fn refused(fault: Fault, error: &serde_json::Error) -> JsonError {
    JsonError {
        fault,
        line: error.line(),
        column: error.column(),
    }
}

/// The text as a string. A byte order mark is refused.
pub(super) fn utf8(text: &[u8]) -> Result<&str, JsonError> {
    refuse_byte_order_mark(text)?;
    std::str::from_utf8(text).map_err(|error| not_utf8(text, error.valid_up_to()))
}

/// Like [`utf8`], for an owned text.
pub(super) fn owned_utf8(text: Vec<u8>) -> Result<String, JsonError> {
    refuse_byte_order_mark(&text)?;
    String::from_utf8(text)
        .map_err(|error| not_utf8(error.as_bytes(), error.utf8_error().valid_up_to()))
}

fn refuse_byte_order_mark(text: &[u8]) -> Result<(), JsonError> {
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(JsonError {
            fault: Fault::ByteOrderMark,
            line: 1,
            column: 1,
        });
    }
    Ok(())
}

fn not_utf8(text: &[u8], valid: usize) -> JsonError {
    let before = text.get(..valid).unwrap_or_default();
    let mut lines = before.split(|byte| *byte == b'\n').rev();
    let column = lines.next().unwrap_or_default().len().saturating_add(1);
    JsonError {
        fault: Fault::NotUtf8,
        line: lines.count().saturating_add(1),
        column,
    }
}

/// Reads one value of any type and drops it. Unlike serde's `IgnoredAny` it
/// decodes strings and numbers, so that their errors are found, and it counts
/// the depth.
#[derive(Clone, Copy)]
struct Strict<'c> {
    depth_left: usize,
    /// Why reading stopped, since a serde error carries text only.
    cause: &'c Cell<Fault>,
}

impl<'c> Strict<'c> {
    /// The check for the values inside this object or array.
    fn inside<E: Error>(self) -> Result<Strict<'c>, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Strict { depth_left, ..self }),
            None => Err(self.refuse(Fault::TooDeep)),
        }
    }

    fn refuse<E: Error>(self, fault: Fault) -> E {
        self.cause.set(fault);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while elements.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        let mut seen = Names::default();
        while let Some(Text(name)) = members.next_key()? {
            if !seen.insert(name) {
                return Err(self.refuse(Fault::DuplicateMember));
            }
            members.next_value_seed(inside)?;
        }
        Ok(())
    }
}

/// The names in one object. A few are searched linearly, which is faster. Many
/// are kept in a tree and not hashed, since an attacker chooses them.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    /// All names, once there are many.
    many: BTreeSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    const FEW: usize = 24;

    /// Adds a name; false if it is a duplicate.
    fn insert(&mut self, name: Cow<'de, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(name);
        }
        if self.few.contains(&name) {
            return false;
        }
        self.few.push(name);
        if self.few.len() > Self::FEW {
            self.many.extend(self.few.drain(..));
        }
        true
    }
}

/// Reads the outermost object and keeps its members.
struct Outermost<'c>(Strict<'c>);

impl<'de> Visitor<'de> for Outermost<'_> {
    type Value = Object<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut reader: A) -> Result<Object<'de>, A::Error> {
        let Self(strict) = self;
        let inside = strict.inside()?;
        let mut seen = Names::default();
        let mut members = Vec::new();
        while let Some(Text(name)) = reader.next_key()? {
            if !seen.insert(name.clone()) {
                return Err(strict.refuse(Fault::DuplicateMember));
            }
            let value = reader.next_value::<&RawValue>()?;
            if !is_simple(value.get()) {
                let mut reader = serde_json::Deserializer::from_str(value.get());
                // The error's position is relative to the value.
                let checked = inside.deserialize(&mut reader);
                checked.map_err(|_| A::Error::custom("refused"))?;
            }
            members.push((name, Value::from_raw(value)));
        }
        Ok(Object::checked(members))
    }
}

/// Whether a value that matches the JSON grammar needs no further check: a
/// string without escapes, a number that cannot be too large, `true`, `false` or
/// `null`.
fn is_simple(value: &str) -> bool {
    let value = value.as_bytes();
    match value.first() {
        Some(b'"') => find(value, b'\\').is_none(),
        Some(b'0'..=b'9' | b'-') => {
            value.len() < 300 && value.iter().all(|byte| !matches!(byte, b'e' | b'E'))
        }
        Some(b't' | b'f' | b'n') => true,
        Some(_) | None => false,
    }
}
