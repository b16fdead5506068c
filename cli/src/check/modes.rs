//! Refusals that are only reported.

use super::collector::Warnings;
use crate::codes::Code;
use crate::subject::Step;
use edge_authz::policy::{Access, Mode, Policy};

const MODE: Step<'static> = Step::Member("mode");
const NOT_REFUSED: &str = "requests that would be refused pass, and are only counted; \
    write `enforce` once `edge_authz.reported` counts none that should pass";
const NOTHING_TO_REPORT: &str =
    "has no effect, because the route has no refusals that can only be reported; remove it";
const ANOTHER_PATH: &str = "some routes are `denied` or have `mode: enforce`, but requests with an \
    ambiguous path pass, and the upstream may read it as the path of such a route; \
    give the other routes `mode: report` instead of the whole document";

/// The modes of the document and of its routes.
pub(super) fn of(policy: &Policy, warnings: &mut Warnings<'_>) {
    let is_reporting = policy.mode == Mode::Report;
    if is_reporting {
        warnings.add(Code::ReportOnly, &[MODE], NOT_REFUSED);
    }
    let mut refuses = false;
    for (index, route) in policy.routes.iter().enumerate() {
        let at = [Step::Member("routes"), Step::Element(index), MODE];
        refuses |= route.access == Access::Denied || route.mode == Mode::Enforce;
        if route.mode == Mode::Enforce || !warnings.subject().has(&at) {
            continue;
        }
        let sentence = match route.access {
            Access::Public | Access::Denied => NOTHING_TO_REPORT,
            Access::Optional | Access::Required => NOT_REFUSED,
        };
        warnings.add(Code::ReportOnly, &at, sentence);
    }
    if is_reporting && refuses {
        warnings.add(Code::ReportOnly, &[MODE], ANOTHER_PATH);
    }
}
