//! The configuration as a tree of values, before it is interpreted.
//!
//! [`crate::json`] is not used here: it stops at the first error, which is right
//! for a token. A person wants to see every error at once, each with its path,
//! so this tree keeps a duplicate member as a value of its own kind.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Number;

/// One value of the configuration.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'d> {
    /// `null`. It is always refused: a member without a value must be left out.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number. Envoy passes every number as a double.
    Number(Number),
    /// A string.
    Text(Cow<'d, str>),
    /// An array.
    List(Vec<Value<'d>>),
    /// An object.
    Object(Object<'d>),
    /// Replaces both values of a duplicate member. Neither is used.
    Duplicate,
}

/// The members of an object, sorted by name, so that the order in which they
/// were written cannot have a meaning.
#[derive(Debug, PartialEq)]
pub(super) struct Object<'d>(Vec<(Cow<'d, str>, Value<'d>)>);

/// Reads a [`Value`] with a limit on its depth.
pub(super) struct Tree<'c> {
    /// How many more levels objects and arrays may nest.
    pub(super) depth_left: usize,
    /// Set when reading stopped because of the depth, since an error of the
    /// parser carries text only.
    pub(super) too_deep: &'c std::cell::Cell<bool>,
}

impl<'d> Object<'d> {
    fn new(mut members: Vec<(Cow<'d, str>, Value<'d>)>) -> Self {
        crate::order::sort(&mut members, |(one, _), (other, _)| one.cmp(other));
        members.dedup_by(|(later, _), (earlier, value)| {
            let twice = later == earlier;
            if twice {
                *value = Value::Duplicate;
            }
            twice
        });
        Self(members)
    }

    /// The value of the member called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Value<'d>> {
        let found = self
            .0
            .binary_search_by(|(member, _)| (**member).cmp(name))
            .ok()?;
        self.0.get(found).map(|(_, value)| value)
    }

    /// All members, sorted by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'d>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many members it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no members.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'c> Tree<'c> {
    fn inside<E: Error>(&self) -> Result<Tree<'c>, E> {
        let Some(depth_left) = self.depth_left.checked_sub(1) else {
            self.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        };
        Ok(Tree {
            depth_left,
            too_deep: self.too_deep,
        })
    }
}

impl<'d> DeserializeSeed<'d> for &Tree<'_> {
    type Value = Value<'d>;

    fn deserialize<D: Deserializer<'d>>(self, reader: D) -> Result<Value<'d>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for &Tree<'_> {
    type Value = Value<'d>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value<'d>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'d>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'d>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'d>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'d>, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'d str) -> Result<Value<'d>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'d>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut elements: A) -> Result<Value<'d>, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(&inside)? {
            list.push(element);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'d>>(self, mut reader: A) -> Result<Value<'d>, A::Error> {
        let inside = self.inside()?;
        let mut members = Vec::new();
        while let Some(Name(name)) = reader.next_key()? {
            members.push((name, reader.next_value_seed(&inside)?));
        }
        Ok(Value::Object(Object::new(members)))
    }
}

/// A member's name, borrowed from the text if it has no escapes.
struct Name<'d>(Cow<'d, str>);

impl<'d> Deserialize<'d> for Name<'d> {
    fn deserialize<D: Deserializer<'d>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'d> Visitor<'d> for NameVisitor {
    type Value = Name<'d>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'d str) -> Result<Name<'d>, E> {
        Ok(Name(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Name<'d>, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}

impl Serialize for Value<'_> {
    /// Writes the value as JSON, so that an inline key set is parsed from text.
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null | Value::Duplicate => writer.serialize_unit(),
            Value::Bool(value) => writer.serialize_bool(*value),
            Value::Number(number) => number.serialize(writer),
            Value::Text(text) => writer.serialize_str(text),
            Value::List(list) => {
                let mut elements = writer.serialize_seq(Some(list.len()))?;
                for element in list {
                    elements.serialize_element(element)?;
                }
                elements.end()
            }
            Value::Object(object) => {
                let mut members = writer.serialize_map(Some(object.0.len()))?;
                for (name, value) in object.iter() {
                    members.serialize_entry(name, value)?;
                }
                members.end()
            }
        }
    }
}
