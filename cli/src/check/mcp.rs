//! Conditions about MCP requests that no client meets.

use std::collections::BTreeSet;

use super::collector::Warnings;
use crate::codes::Code;
use crate::patterns::Written;
use crate::subject::Step;

/// The methods whose requests have a name (MCP 2026-07-28, Streamable HTTP, "Standard
/// Request Headers").
const WITH_NAME: [&str; 3] = ["tools/call", "resources/read", "prompts/get"];

/// Warns about names with a method whose requests have none, and about those methods in
/// another letter case.
pub(super) fn of(written: &[Written], warnings: &mut Warnings<'_>) {
    let mut seen = BTreeSet::new();
    for one in written {
        let Some(condition) = &one.mcp else {
            continue;
        };
        if !seen.insert(one.place.route) {
            continue;
        }
        let routes = Step::Member("routes");
        let at = [
            routes,
            Step::Element(one.place.route.0),
            Step::Member("mcp"),
        ];
        for method in &condition.methods {
            let known = WITH_NAME
                .iter()
                .find(|known| known.eq_ignore_ascii_case(method));
            let (member, sentence) = match known {
                Some(known) if **known == **method => continue,
                Some(known) => (
                    "method",
                    format!(
                        "no client sends `{method}`, because methods are case-sensitive; write `{known}`"
                    ),
                ),
                None if condition.names.is_empty() => continue,
                None => (
                    "name",
                    format!(
                        "clients send no name with `{method}`, so all its requests are answered 400; remove the names, or write \
                         one of the methods that have a name: `tools/call`, `resources/read` and `prompts/get`"
                    ),
                ),
            };
            let steps: Vec<_> = at.into_iter().chain([Step::Member(member)]).collect();
            warnings.add(Code::McpCondition, &steps, &sentence);
        }
    }
}
