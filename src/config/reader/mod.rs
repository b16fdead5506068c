//! Reads values of a known form from the tree.
//!
//! A reader takes a [`Node`] and returns its value, or reports what is wrong and
//! returns `None`; the caller continues. Readers are combined like the forms
//! they read: `list(text)`, `one_or_many(text)`.

mod collection;
mod scalar;

pub(super) use collection::{choices, list, list_up_to, map, off_or, one_or_many, texts};
pub(super) use scalar::{any_text, boolean, choice, count, duration, text};

use super::error::Sink;
use super::path::Path;
use super::problem::{Excerpt, Kind, ShapeProblem, Wanted};
use super::suggest::nearest;
use super::value::{Object, Value};

/// A value and its position.
#[derive(Debug, Clone)]
pub(super) struct Node<'d> {
    pub(super) at: Path<'d>,
    value: &'d Value<'d>,
}

/// A value that was read, and its position.
#[derive(Debug, Clone)]
pub(super) struct Located<'d, T> {
    pub(super) at: Path<'d>,
    pub(super) value: T,
}

/// A text of the document.
pub(super) type Text<'d> = Located<'d, &'d str>;

impl Text<'_> {
    /// The text in the form that errors repeat.
    pub(super) fn excerpt(&self) -> Excerpt {
        Excerpt::of(self.value)
    }
}

/// The value of an optional member. A member that could not be read is
/// distinguished from an absent one: nothing further is reported about it.
#[derive(Debug, Clone)]
pub(super) enum Field<T> {
    /// The member is absent.
    Absent,
    /// The member is present, and its errors were reported.
    Unreadable,
    /// The value.
    Is(T),
}

/// The elements of a list that could be read.
#[derive(Debug, Clone)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// Whether these are all elements.
    pub(super) complete: bool,
}

/// A member that can be switched off.
#[derive(Debug, Clone)]
pub(super) enum Switch<T> {
    /// `off`, or the `false` that YAML turns it into.
    Off,
    /// The value, if it is not switched off.
    On(T),
}

/// The members of one object.
pub(super) struct Members<'d> {
    pub(super) at: Path<'d>,
    object: &'d Object<'d>,
}

impl<T> Field<T> {
    /// The value, if it was read.
    pub(super) fn read(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// The value, if it was read.
    pub(super) fn as_ref(&self) -> Field<&T> {
        match self {
            Self::Is(value) => Field::Is(value),
            Self::Absent => Field::Absent,
            Self::Unreadable => Field::Unreadable,
        }
    }

    /// Whether the member is present, readable or not.
    pub(super) fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<T> List<T> {
    /// Collects elements in exactly as much memory as they need.
    fn collect(read: impl ExactSizeIterator<Item = Option<T>>) -> Self {
        let mut complete = true;
        let mut items = Vec::with_capacity(read.len());
        items.extend(read.inspect(|item| complete &= item.is_some()).flatten());
        Self { items, complete }
    }
}

impl<'d> Node<'d> {
    /// The whole document.
    pub(super) fn root(value: &'d Value<'d>) -> Self {
        Self {
            at: Path::root(),
            value,
        }
    }

    /// A value inside another. A duplicate member is reported and returned as
    /// `None`.
    fn enter(at: Path<'d>, value: &'d Value<'d>, sink: &mut Sink) -> Option<Self> {
        if *value == Value::Duplicate {
            sink.report(&at, ShapeProblem::Duplicate);
            return None;
        }
        Some(Self { at, value })
    }

    fn kind(&self) -> Kind {
        match self.value {
            Value::Null | Value::Duplicate => Kind::Null,
            Value::Bool(_) => Kind::Boolean,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::Text,
            Value::List(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        }
    }

    fn refuse<T>(&self, wanted: Wanted, sink: &mut Sink) -> Option<T> {
        let found = self.kind();
        sink.report(&self.at, ShapeProblem::Kind { wanted, found });
        None
    }

    /// The value itself, for forms that no reader covers.
    pub(super) fn value(&self) -> &'d Value<'d> {
        self.value
    }

    /// Reports that the value is not `wanted`.
    pub(super) fn is_not<T>(&self, wanted: Wanted, sink: &mut Sink) -> Option<T> {
        self.refuse(wanted, sink)
    }

    fn locate<T>(&self, value: T) -> Located<'d, T> {
        Located {
            at: self.at.clone(),
            value,
        }
    }
}

/// The members of an object. Those that are not `known` are reported.
pub(super) fn object<'d>(
    node: &Node<'d>,
    known: &'static [&'static str],
    wanted: Wanted,
    sink: &mut Sink,
) -> Option<Members<'d>> {
    let Value::Object(object) = node.value else {
        return node.refuse(wanted, sink);
    };
    for (name, _) in object.iter() {
        if !known.contains(&name) {
            let nearest = (!sink.is_crowded()).then(|| nearest(name, known)).flatten();
            sink.report(
                &node.at.member(name),
                ShapeProblem::Unknown { nearest, known },
            );
        }
    }
    Some(Members {
        at: node.at.clone(),
        object,
    })
}

impl<'d> Members<'d> {
    /// Reads an optional member.
    pub(super) fn optional<T>(
        &self,
        name: &'static str,
        sink: &mut Sink,
        read: impl FnOnce(&Node<'d>, &mut Sink) -> Option<T>,
    ) -> Field<T> {
        let Some(value) = self.object.get(name) else {
            return Field::Absent;
        };
        Node::enter(self.at.member(name), value, sink)
            .and_then(|node| read(&node, sink))
            .map_or(Field::Unreadable, Field::Is)
    }

    /// Reads a required member. If it is absent, the report says what to
    /// `write`.
    pub(super) fn required<T>(
        &self,
        name: &'static str,
        write: &'static str,
        sink: &mut Sink,
        read: impl FnOnce(&Node<'d>, &mut Sink) -> Option<T>,
    ) -> Field<T> {
        let field = self.optional(name, sink, read);
        if field.is_present() {
            return field;
        }
        sink.report(&self.at.member(name), ShapeProblem::Missing { write });
        Field::Unreadable
    }

    /// The one of `names` that is present. It is an error if there are none or
    /// several.
    pub(super) fn exactly_one(
        &self,
        names: &'static [&'static str],
        sink: &mut Sink,
    ) -> Option<&'static str> {
        let is_present = |name: &&'static str| self.object.get(name).is_some();
        let found: Vec<_> = names.iter().copied().filter(is_present).collect();
        if let [one] = *found {
            return Some(one);
        }
        sink.report(&self.at, ShapeProblem::ExactlyOne { of: names, found });
        None
    }

    /// Whether it has a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some()
    }

    /// Whether it has no members.
    pub(super) fn is_empty(&self) -> bool {
        self.object.is_empty()
    }
}
