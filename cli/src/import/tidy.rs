//! Refuses files that readers understand in different ways.

use std::collections::BTreeSet;

use super::problems::Problems;
use crate::tree::Node;

/// Reports members that occur twice, of which only one counts, and merge keys, which are
/// not read here and may contain an authorizer.
pub(super) fn inspect(node: &Node, problems: &Problems<'_>) {
    let mut names = BTreeSet::new();
    for member in node.members() {
        if !names.insert(&member.name) {
            problems.report(
                &member.name_span,
                &format!("`{}` is written twice; remove one", member.name),
            );
        }
        if member.name == "<<" {
            problems.report(
                &member.name_span,
                "merge keys are not supported; write the members here",
            );
        }
        inspect(&member.value, problems);
    }
    for element in node.elements() {
        inspect(element, problems);
    }
}
