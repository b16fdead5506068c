//! Reads YAML into trees, one for each document of the text.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::short_form::{self, ShortForm};
use super::{Fault, MAX_DEPTH, Member, Node, Value, scalar};

/// The maximum number of values that aliases may create: `*a` for a list of `*b` for a
/// list of `*c` … is small as text and huge when expanded.
const MAX_NODES: usize = 2_000_000;

/// Reads the documents of a YAML text; empty ones are left out.
///
/// # Errors
///
/// The first part that is not YAML, or that JSON cannot represent.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, Fault> {
    read(text, Builder::default())
}

/// Reads the documents of a `CloudFormation` template, in which a tag such as `!Ref` is the
/// short form of an object such as `{Ref: …}`.
///
/// # Errors
///
/// As [`parse`], and a tag that is no short form.
pub(crate) fn parse_template(text: &str) -> Result<Vec<Node>, Fault> {
    let builder = Builder {
        short_forms: true,
        ..Builder::default()
    };
    read(text, builder)
}

fn read(text: &str, mut builder: Builder) -> Result<Vec<Node>, Fault> {
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Fault {
            message: error.info(),
            at: error.marker().byte_offset().unwrap_or_default(),
        })?;
        builder.take(event, range(span))?;
    }
    Ok(builder.documents)
}

fn range(span: Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, Size)>,
    nodes: usize,
    /// Whether tags are short forms. Otherwise they have no meaning.
    short_forms: bool,
}

/// An object or list that is being read.
struct Open {
    start: usize,
    anchor: usize,
    content: Content,
    size: Size,
    short_form: Option<ShortForm>,
}

enum Content {
    List(Vec<Node>),
    Object(Vec<Member>, Option<(String, Range<usize>)>),
}

/// The size of a value.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

const ONE: Size = Size { nodes: 1, depth: 0 };

impl Size {
    /// The size with an object around the value.
    const fn wrapped(self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(1),
            depth: self.depth.saturating_add(1),
        }
    }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(form) = self.short_form(tag.as_deref(), &span)? {
                    let value = Value::Text(text.into_owned());
                    let node = form.wrap(Node { span, value });
                    return self.finish(node, None, anchor, ONE.wrapped());
                }
                let value = meaning(&text, style, tag.as_deref());
                let name = matches!(style, ScalarStyle::Plain).then(|| text.into_owned());
                self.finish(Node { span, value }, name, anchor, ONE)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let form = self.short_form(tag.as_deref(), &span)?;
                self.open(Content::List(Vec::new()), anchor, form, &span)
            }
            Event::MappingStart(_, anchor, tag) => {
                let form = self.short_form(tag.as_deref(), &span)?;
                self.open(Content::Object(Vec::new(), None), anchor, form, &span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span),
            Event::Alias(anchor) => {
                let fault = |message: &str| Fault {
                    message: message.to_owned(),
                    at: span.start,
                };
                let (node, size) = self
                    .anchors
                    .get(&anchor)
                    .ok_or_else(|| fault("an alias inside its own definition"))?;
                if self.nodes.saturating_add(size.nodes) > MAX_NODES {
                    return Err(fault("its aliases expand to too much data"));
                }
                let (node, size) = (node.clone(), *size);
                let name = node.text().map(str::to_owned);
                self.finish(Node { span, ..node }, name, 0, size)
            }
            // No values.
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | _ => Ok(()),
        }
    }

    fn short_form(
        &self,
        tag: Option<&Tag>,
        span: &Range<usize>,
    ) -> Result<Option<ShortForm>, Fault> {
        match tag {
            Some(tag) if self.short_forms && tag.handle() == "!" => {
                short_form::parse(tag.suffix(), span).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        short_form: Option<ShortForm>,
        span: &Range<usize>,
    ) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span.start));
        }
        self.open.push(Open {
            start: span.start,
            anchor,
            content,
            size: ONE,
            short_form,
        });
        Ok(())
    }

    fn close(&mut self, span: &Range<usize>) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let (value, last) = match open.content {
            Content::List(elements) => {
                let last = elements.last().map(|element| element.span.end);
                (Value::List(elements), last)
            }
            Content::Object(members, _) => {
                let last = members.last().map(|member| member.value.span.end);
                (Value::Object(members), last)
            }
        };
        // The parser reports the end of a block at the start of the next item. The block
        // ends with its last value.
        let end = if span.is_empty() {
            last.unwrap_or(span.end)
        } else {
            span.end
        };
        let span = open.start..end.max(open.start);
        let node = Node { span, value };
        match open.short_form {
            Some(form) => self.finish(form.wrap(node), None, open.anchor, open.size.wrapped()),
            None => self.finish(node, None, open.anchor, open.size),
        }
    }

    /// Adds a value to its parent. `name` is its meaning as the name of a member, if that
    /// is not its text.
    fn finish(
        &mut self,
        node: Node,
        name: Option<String>,
        anchor: usize,
        size: Size,
    ) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(size.nodes);
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let depth = self.open.len();
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        if depth.saturating_add(size.depth) > MAX_DEPTH {
            return Err(too_deep(node.span.start));
        }
        parent.size.nodes = parent.size.nodes.saturating_add(size.nodes);
        parent.size.depth = parent.size.depth.max(size.depth.saturating_add(1));
        match &mut parent.content {
            Content::List(elements) => elements.push(node),
            Content::Object(members, pending) => match pending.take() {
                Some((name, name_span)) => members.push(Member {
                    name,
                    name_span,
                    value: node,
                }),
                None => match name.or_else(|| node.text().map(str::to_owned)) {
                    Some(name) => *pending = Some((name, node.span)),
                    None => {
                        return Err(Fault {
                            message: "a member's name is not text".to_owned(),
                            at: node.span.start,
                        });
                    }
                },
            },
        }
        Ok(())
    }
}

fn too_deep(at: usize) -> Fault {
    Fault {
        message: format!("nested deeper than {MAX_DEPTH} objects and lists"),
        at,
    }
}

fn meaning(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    // `!!str` and the plain `!` force a scalar to be a string.
    let is_text = tag.is_some_and(|tag| {
        tag.is_yaml_core_schema_tag("str") || (tag.handle().is_empty() && tag.suffix() == "!")
    });
    match style {
        ScalarStyle::Plain if !is_text => scalar::resolve(text),
        ScalarStyle::Plain
        | ScalarStyle::SingleQuoted
        | ScalarStyle::DoubleQuoted
        | ScalarStyle::Literal
        | ScalarStyle::Folded => Value::Text(text.to_owned()),
    }
}
