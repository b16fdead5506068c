//! Locates the filter's configuration in a file.
//!
//! A file is either the configuration itself or a document that carries it: an Envoy
//! bootstrap (or any part of one: a listener, an Istio `EnvoyFilter`) with the Wasm or the
//! dynamic module, an Istio
//! `TrafficExtension` or `WasmPlugin`, an Envoy Gateway `EnvoyExtensionPolicy`.

mod carrier;
mod document;
mod hints;
mod mapping;

use std::fmt::Write;
use std::ops::Range;

use super::source::{Source, first_line, offset, position};
use super::tree::{Member, Node, Value, parse_json};
pub(crate) use carrier::Setting;
pub(crate) use document::{Document, yaml_fault};
use mapping::Mapping;

/// A configuration that was found in a file.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Its tree; `None` if it is a text that is not JSON.
    pub(crate) root: Option<Node>,
    /// Its JSON, for the core.
    pub(crate) json: Vec<u8>,
    /// The value that contains it, or the name of that value.
    holder: Range<usize>,
    mapping: Mapping,
    /// Whether positions reported by the core are positions in the text.
    verbatim: bool,
    /// Whether another document contains it.
    carried: bool,
    /// Dangerous settings of the document that carries it.
    pub(crate) settings: Vec<Setting>,
    /// The file of the module, and where its name is written.
    pub(crate) module: Option<(Range<usize>, String)>,
}

impl Subject {
    fn plain(root: Node, source: &Source, verbatim: bool) -> Self {
        let json = if verbatim {
            source.bytes.clone()
        } else {
            root.to_json().into_bytes()
        };
        Self {
            holder: first_line(&source.text, &root.span),
            root: Some(root),
            json,
            mapping: Mapping::Same,
            verbatim,
            carried: false,
            settings: Vec::new(),
            module: None,
        }
    }

    /// A filter without a configuration: the core gets nothing to check.
    fn absent(holder: Range<usize>) -> Self {
        Self {
            holder,
            verbatim: false,
            carried: true,
            ..Self::unreadable(Vec::new())
        }
    }

    fn unreadable(bytes: Vec<u8>) -> Self {
        Self {
            root: None,
            json: bytes,
            holder: 0..0,
            mapping: Mapping::Same,
            verbatim: true,
            carried: false,
            settings: Vec::new(),
            module: None,
        }
    }

    /// The configuration in a member, as an object or as text.
    fn held(name: &Range<usize>, node: &Node, text: &str) -> Self {
        let (json, root, mapping, verbatim) = match node.text() {
            Some(inner) => {
                let root = parse_json(inner).ok();
                let mapping = Mapping::of_text(inner, node, text);
                (inner.as_bytes().to_vec(), root, mapping, true)
            }
            None => (
                node.to_json().into_bytes(),
                Some(node.clone()),
                Mapping::Same,
                false,
            ),
        };
        Self {
            root,
            json,
            holder: name.clone(),
            mapping,
            verbatim,
            carried: true,
            settings: Vec::new(),
            module: None,
        }
    }

    /// The place in the file for a place in the configuration's text. If the text has
    /// another spelling in the file, the place is also described in words.
    pub(crate) fn place(&self, span: &Range<usize>) -> (Range<usize>, Option<String>) {
        match &self.mapping {
            Mapping::Same => (span.clone(), None),
            Mapping::Lines(lines) => {
                let outer = |at: usize| {
                    let line = lines.iter().rev().find(|(inner, _)| *inner <= at);
                    line.map_or(at, |(inner, outer)| {
                        at.saturating_sub(*inner).saturating_add(*outer)
                    })
                };
                (outer(span.start)..outer(span.end), None)
            }
            Mapping::Elsewhere => {
                let text = String::from_utf8_lossy(&self.json);
                let at = position(&text, span.start);
                let words = format!("line {}, column {} of the text", at.line, at.column);
                (self.holder.clone(), Some(words))
            }
        }
    }

    /// The place in the file for a position that the core reports.
    pub(crate) fn position(&self, line: usize, column: usize) -> (Range<usize>, Option<String>) {
        if !self.verbatim {
            return (self.holder.clone(), None);
        }
        let text = String::from_utf8_lossy(&self.json);
        let at = offset(&text, line, column);
        let end = at.saturating_add(1).min(text.len());
        self.place(&(at..text.ceil_char_boundary(end)))
    }

    /// Whether it is meant as a configuration: a document contains it, or it has routes.
    pub(crate) fn is_evident(&self) -> bool {
        let evident = |root: &Node| root.get("routes").is_some();
        self.carried || self.root.as_ref().map_or(!self.json.is_empty(), evident)
    }

    /// Whether a value is present.
    pub(crate) fn has(&self, steps: &[Step<'_>]) -> bool {
        self.get(steps).is_some()
    }

    /// The value that these steps lead to.
    pub(crate) fn get(&self, steps: &[Step<'_>]) -> Option<&Node> {
        let root = self.root.as_ref()?;
        steps.iter().try_fold(root, |node, step| match step {
            Step::Member(name) => node.get(name),
            Step::Element(index) => node.elements().get(*index),
        })
    }

    /// The place that these steps lead to. For a member it is the name if `name` is set
    /// or if the value is an object or a list, otherwise the value. If the member is
    /// missing, it is the nearest enclosing value.
    pub(crate) fn locate<'s>(
        &self,
        steps: impl IntoIterator<Item = Step<'s>>,
        name: bool,
    ) -> (Range<usize>, Option<String>) {
        let Some(root) = &self.root else {
            return (self.holder.clone(), None);
        };
        let mut node = root;
        let mut names: Option<&Member> = None;
        for step in steps {
            let next = match step {
                Step::Member(wanted) => {
                    let mut members = node.members().iter().rev();
                    let member = members.find(|member| member.name == wanted);
                    member.map(|member| (&member.value, Some(member)))
                }
                Step::Element(index) => node.elements().get(index).map(|element| (element, None)),
            };
            let Some((next, member)) = next else {
                break;
            };
            (node, names) = (next, member);
        }
        if std::ptr::eq(node, root) && !matches!(self.mapping, Mapping::Same) {
            return (self.holder.clone(), None);
        }
        let block = matches!(node.value, Value::List(_) | Value::Object(_));
        let span = match names {
            Some(member) if name || block => member.name_span.clone(),
            Some(_) | None => node.span.clone(),
        };
        self.place(&span)
    }
}

/// A step into a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'s> {
    Member(&'s str),
    Element(usize),
}

/// A path as the core writes it; names are quoted if necessary.
pub(crate) fn shown(steps: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in steps {
        let infallible = match step {
            Step::Member(name) if path.is_empty() => path.write_str(name),
            Step::Member(name) if name.contains(['.', ':']) => write!(path, "[{name:?}]"),
            Step::Member(name) => write!(path, ".{name}"),
            Step::Element(index) => write!(path, "[{index}]"),
        };
        debug_assert!(infallible.is_ok(), "a string takes all");
    }
    path
}
