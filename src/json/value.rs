//! Slices of a text that was checked as a whole.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::bytes::find;

/// One unparsed value inside a checked text: its own text, without surrounding
/// white space.
///
/// Only [`parse`](super::parse) and [`object`](super::object) make one, so its
/// content is known to be valid at every depth.
///
/// ```compile_fail,E0423
/// // Nobody else can vouch for a text.
/// let value = edge_authz::json::Value(r#"{"a":1,"a":2}"#);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Value<'a>(&'a str);

/// The kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number within the range of an `f64`.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Value<'a> {
    /// `text` must have passed the strict check.
    pub(super) fn checked(text: &'a str) -> Self {
        Self(text.trim_matches([' ', '\t', '\n', '\r']))
    }

    /// `text` must have passed the strict check, and have no white space around it.
    pub(super) const fn exact(text: &'a str) -> Self {
        Self(text)
    }

    /// The value as written: numbers and booleans are compared in this form.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.0
    }

    /// The type of the value.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'n') | None => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(_) => Kind::Number,
        }
    }

    /// The decoded string; `None` for another type.
    #[must_use]
    pub fn string(self) -> Option<Cow<'a, str>> {
        let [b'"', .., b'"'] = self.0.as_bytes() else {
            return None;
        };
        let inner = self.0.get(1..self.0.len().checked_sub(1)?)?;
        if find(inner.as_bytes(), b'\\').is_none() {
            // A checked string without escapes is decoded to itself.
            return Some(Cow::Borrowed(inner));
        }
        self.open::<Text<'a>>(Kind::String).map(|Text(text)| text)
    }

    /// The number's text (`4.1e9` stays `4.1e9`); `None` for another type.
    #[must_use]
    pub fn number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then_some(self.0)
    }

    /// The boolean; `None` for another type.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then_some(self.0 == "true")
    }

    /// The elements of an array; `None` for another type.
    #[must_use]
    pub fn elements(self) -> Option<Vec<Value<'a>>> {
        let elements: Vec<&'a RawValue> = self.open(Kind::Array)?;
        Some(elements.into_iter().map(Value::from_raw).collect())
    }

    /// The members of an object; `None` for another type.
    #[must_use]
    pub fn members(self) -> Option<Object<'a>> {
        self.open(Kind::Object)
    }

    fn open<T: Deserialize<'a>>(self, kind: Kind) -> Option<T> {
        if self.kind() != kind {
            return None;
        }
        serde_json::from_str(self.0).ok()
    }

    /// `raw` must have passed the strict check, or be a slice of such a text.
    pub(super) fn from_raw(raw: &'a RawValue) -> Self {
        Self(raw.get())
    }
}

impl fmt::Debug for Value<'_> {
    /// Shows only the type: values are claims and keys.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Value({:?})", self.kind())
    }
}

/// The members of one object, in their order in the text. Names are unique.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// The members must have passed the strict check, without duplicates.
    pub(super) fn checked(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        Self { members }
    }

    /// The number of members.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The value of the member called `name` (decoded, compared byte for byte).
    /// `None` if the member is absent; `null` is a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.iter()
            .find_map(|(member, value)| (member == name).then_some(value))
    }

    /// The names of all members, decoded.
    pub fn into_names(self) -> impl Iterator<Item = Cow<'a, str>> {
        self.members.into_iter().map(|(name, _)| name)
    }

    /// All members as name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'a>)> {
        self.members.iter().map(|(name, value)| (&**name, *value))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut reader: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = reader.next_entry()? {
            members.push((name, Value::from_raw(value)));
        }
        Ok(Object { members })
    }
}

/// A string, borrowed from the text if it has no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
