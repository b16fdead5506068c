//! Reads JSON into a tree.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Fault, MAX_DEPTH, Member, Node, Value};

/// Reads one JSON text.
///
/// # Errors
///
/// It is not JSON, or is nested too deeply. The core reports more details.
pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| Fault {
        message: error.to_string(),
        at: 0,
    })?;
    Reader { text }.node(raw, MAX_DEPTH)
}

struct Reader<'t> {
    text: &'t str,
}

impl<'t> Reader<'t> {
    fn node(&self, raw: &'t RawValue, depth_left: usize) -> Result<Node, Fault> {
        let text = raw.get();
        let span = self.span(text);
        let too_deep = || Fault {
            message: format!("nested deeper than {MAX_DEPTH} objects and lists"),
            at: span.start,
        };
        let value = match text.as_bytes().first() {
            Some(b'{') => {
                let depth_left = depth_left.checked_sub(1).ok_or_else(too_deep)?;
                let members = pairs(text)?.into_iter();
                let member = |(name, value): (&'t RawValue, &'t RawValue)| {
                    Ok(Member {
                        name: string(name.get())?,
                        name_span: self.span(name.get()),
                        value: self.node(value, depth_left)?,
                    })
                };
                Value::Object(members.map(member).collect::<Result<_, Fault>>()?)
            }
            Some(b'[') => {
                let depth_left = depth_left.checked_sub(1).ok_or_else(too_deep)?;
                let elements: Vec<&'t RawValue> = serde_json::from_str(text).map_err(fault)?;
                let elements = elements.into_iter();
                Value::List(
                    elements
                        .map(|element| self.node(element, depth_left))
                        .collect::<Result<_, Fault>>()?,
                )
            }
            Some(b'"') => Value::Text(string(text)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') | None => Value::Null,
            Some(_) => Value::Number(text.to_owned()),
        };
        Ok(Node { span, value })
    }

    /// The position of a part of the text.
    fn span(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr();
        let start = start.saturating_sub(self.text.as_ptr().addr());
        start..start.saturating_add(part.len())
    }
}

fn string(text: &str) -> Result<String, Fault> {
    serde_json::from_str(text).map_err(fault)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` requires"
)]
fn fault(error: serde_json::Error) -> Fault {
    Fault {
        message: error.to_string(),
        at: 0,
    }
}

/// The members of an object, with their names as written.
fn pairs(text: &str) -> Result<Vec<(&RawValue, &RawValue)>, Fault> {
    struct Pairs;
    impl<'t> Visitor<'t> for Pairs {
        type Value = Vec<(&'t RawValue, &'t RawValue)>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Pairs).map_err(fault)
}
