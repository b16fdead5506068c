//! The check of a whole text: everything is read, nothing is kept.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::value::Text;
use super::{Fault, JsonError};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Checks `text` and returns it as the string it is.
pub(super) fn check(text: &[u8], max_depth: usize) -> Result<&str, JsonError> {
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(JsonError {
            fault: Fault::ByteOrderMark,
            line: 1,
            column: 1,
        });
    }
    let text = std::str::from_utf8(text).map_err(|error| not_utf8(text, error.valid_up_to()))?;
    let cause = Cell::new(Fault::Syntax);
    let value = Strict {
        depth_left: max_depth,
        cause: &cause,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    value
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| JsonError {
            fault: cause.get(),
            line: error.line(),
            column: error.column(),
        })?;
    Ok(text)
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

/// Reads one value of any kind and drops it. Unlike serde's `IgnoredAny` it
/// decodes strings and numbers, so that their errors come out, and counts.
#[derive(Clone, Copy)]
struct Strict<'c> {
    depth_left: usize,
    /// Why reading stopped. A serde error carries text only.
    cause: &'c Cell<Fault>,
}

impl<'c> Strict<'c> {
    /// The check of what lies inside the object or array at hand.
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
        // Ordered, not hashed: the names are the attacker's.
        let mut seen: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(Text(name)) = members.next_key()? {
            if !seen.insert(name) {
                return Err(self.refuse(Fault::DuplicateMember));
            }
            members.next_value_seed(inside)?;
        }
        Ok(())
    }
}
