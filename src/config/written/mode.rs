//! `mode` of the document or of a route, as written.

use crate::config::error::Sink;
use crate::config::problem::{Excerpt, ValueProblem};
use crate::config::reader::{Node, choice};
use crate::config::value::Value;
use crate::policy::Mode;

const MODES: &[(&str, Mode)] = &[("enforce", Mode::Enforce), ("report", Mode::Report)];

/// Reads a mode of a document or of one of its routes.
pub(super) fn read(node: &Node<'_>, sink: &mut Sink) -> Option<Mode> {
    one_of(MODES)(node, sink)
}

/// Reads one of these modes. YAML turns `off` into `false`. Neither is a mode: a filter
/// that is off is removed.
pub(super) fn one_of<'d, T: Copy>(
    modes: &'static [(&'static str, T)],
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<T> {
    move |node, sink| {
        if *node.value() != Value::Bool(false) {
            return choice(modes)(node, sink);
        }
        let choices = modes.iter().map(|(word, _)| *word).collect();
        let found = Excerpt::of("off");
        sink.report(&node.at, ValueProblem::NotAChoice { found, choices });
        None
    }
}
