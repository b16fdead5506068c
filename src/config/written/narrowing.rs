//! The configuration of one of the proxy's routes, as written.

use super::{MEMBERS, mode};
use crate::config::error::Sink;
use crate::config::problem::{ShapeProblem, Wanted};
use crate::config::reader::{Field, Node, object};
use crate::config::value::Value;

/// The member `mode`.
const MODE: &str = "mode";

/// The mode of a configuration without a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum ShortForm {
    /// The listener's configuration alone decides.
    Enforce,
    /// Everything is refused.
    Denied,
}

const MODES: &[(&str, ShortForm)] = &[
    ("enforce", ShortForm::Enforce),
    ("denied", ShortForm::Denied),
];

/// Whether a configuration is a document. Otherwise it is the short form, or meant as
/// that: `mode` alone, or `denied` with other members, which would have no effect.
pub(in crate::config) fn is_document(tree: &Value<'_>) -> bool {
    let Value::Object(members) = tree else {
        return true;
    };
    match members.get(MODE) {
        None => true,
        Some(Value::Text(mode)) if **mode == *"denied" => false,
        Some(_) => further().any(|member| members.get(member).is_some()),
    }
}

/// Reads the short form, whose only member is `mode`.
pub(in crate::config) fn short_form(root: &Node<'_>, sink: &mut Sink) -> Option<ShortForm> {
    let members = object(root, MEMBERS, Wanted::Object, sink)?;
    let mode = members.optional(MODE, sink, mode::one_of(MODES));
    if let Some(member) = further().find(|member| members.has(member)) {
        let problem = ShapeProblem::NotWith { member };
        sink.report(&members.at.member(MODE), problem);
        return None;
    }
    match mode {
        Field::Is(mode) => Some(mode),
        Field::Absent | Field::Unreadable => None,
    }
}

/// The members of a document besides its mode.
fn further() -> impl Iterator<Item = &'static str> {
    MEMBERS.iter().copied().filter(|member| *member != MODE)
}
