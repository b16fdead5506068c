//! The short form of a route's configuration, as written.

use super::{MEMBERS, MODE_AND_MEMBERS};
use crate::config::error::Sink;
use crate::config::problem::{Excerpt, ShapeProblem, ValueProblem, Wanted};
use crate::config::reader::{Field, Node, choice, object};
use crate::config::value::Value;

/// The member `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Mode {
    /// The listener's configuration alone decides.
    Enforce,
    /// Everything is refused.
    Denied,
}

const MODES: &[(&str, Mode)] = &[("enforce", Mode::Enforce), ("denied", Mode::Denied)];

/// Reads the short form of a document with a `mode`, which must be its only member.
pub(in crate::config) fn mode(root: &Node<'_>, sink: &mut Sink) -> Option<Mode> {
    let members = object(root, MODE_AND_MEMBERS, Wanted::Object, sink)?;
    let mode = members.optional("mode", sink, read);
    if let Some(member) = MEMBERS.iter().find(|member| members.has(member)) {
        let problem = ShapeProblem::NotWith { member };
        sink.report(&members.at.member("mode"), problem);
        return None;
    }
    match mode {
        Field::Is(mode) => Some(mode),
        Field::Absent | Field::Unreadable => None,
    }
}

/// Reads a mode. YAML turns `off` into `false`. Neither is a mode, because a route never
/// allows what its listener refuses.
fn read(node: &Node<'_>, sink: &mut Sink) -> Option<Mode> {
    if *node.value() != Value::Bool(false) {
        return choice(MODES)(node, sink);
    }
    let choices = MODES.iter().map(|(word, _)| *word).collect();
    let found = Excerpt::of("off");
    sink.report(&node.at, ValueProblem::NotAChoice { found, choices });
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_of_a_document_is_known() {
        let (mode, members) = MODE_AND_MEMBERS.split_first().unwrap();
        assert_eq!(*mode, "mode");
        assert_eq!(members, MEMBERS);
    }
}
