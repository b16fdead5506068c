//! `CloudFormation`'s short forms: `!Ref x` is `{Ref: x}`, and `!Sub x` is `{"Fn::Sub": x}`.

use std::ops::Range;

use super::{Fault, Member, Node, Value};

/// The functions that have a short form.
const FUNCTIONS: [&str; 17] = [
    "Ref",
    "Condition",
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAtt",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
];

/// The name of the member that a tag stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShortForm {
    name: String,
    span: Range<usize>,
}

/// Reads a tag without its `!`.
///
/// # Errors
///
/// `CloudFormation` has no such short form.
pub(super) fn parse(tag: &str, span: &Range<usize>) -> Result<ShortForm, Fault> {
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        // CloudFormation documents these without a short form, but accepts one.
        "Transform" | "ToJsonString" | "Length" => format!("Fn::{tag}"),
        _ if FUNCTIONS.contains(&tag) => format!("Fn::{tag}"),
        _ => {
            return Err(Fault {
                message: format!("`!{tag}` is not a function of CloudFormation"),
                at: span.start,
            });
        }
    };
    Ok(ShortForm {
        name,
        span: span.start..span.start,
    })
}

impl ShortForm {
    /// The object that the tag and its value stand for.
    pub(super) fn wrap(self, node: Node) -> Node {
        Node {
            span: node.span.clone(),
            value: Value::Object(vec![Member {
                name: self.name,
                name_span: self.span,
                value: node,
            }]),
        }
    }
}
