//! A document as a tree in which every value has its position.
//!
//! YAML and JSON become the same tree. It keeps duplicate members, so that the core can
//! refuse them, and is written as JSON for the core: only the core decides what a
//! configuration means.

mod json;
mod quoted;
mod scalar;
mod short_form;
#[cfg(test)]
mod tests;
mod yaml;

use std::ops::Range;

pub(crate) use json::parse as parse_json;
pub(crate) use quoted::{quoted, scalar};
pub(crate) use yaml::{parse as parse_yaml, parse_template};

/// The maximum depth of nested objects and lists: that of a configuration, plus room for
/// the bootstrap or manifest around it.
const MAX_DEPTH: usize = 128;

/// A value and its range of bytes in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As written in JSON.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_span: Range<usize>,
    pub(crate) value: Node,
}

/// Why a text is not a document, and the byte at which the error starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) at: usize,
}

impl Node {
    /// The members, if it is an object.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Object(members) => members,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                &[]
            }
        }
    }

    /// The elements, if it is a list.
    pub(crate) fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(elements) => elements,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                &[]
            }
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                None
            }
        }
    }

    /// The value of the last member with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let mut members = self.members().iter().rev();
        members
            .find(|member| member.name == name)
            .map(|member| &member.value)
    }

    /// The value at the end of a path of names.
    pub(crate) fn descend(&self, names: &[&str]) -> Option<&Self> {
        names.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The texts of a list, or a single text in place of a list.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self.text() {
            Some(text) => vec![text],
            None => self.elements().iter().filter_map(Self::text).collect(),
        }
    }

    /// The value as JSON.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => out.push_str(number),
            Value::Text(text) => out.push_str(&json_text(text)),
            Value::List(elements) => {
                out.push('[');
                for (number, element) in elements.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    element.write_json(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (number, member) in members.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    out.push_str(&json_text(&member.name));
                    out.push(':');
                    member.value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
