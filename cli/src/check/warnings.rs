//! Valid but risky settings in a policy.
//!
//! What a configuration means is read from the compiled policy: nothing here decides it. The
//! lists of CORS policies, which are compiled to answers, are read as they are written.

use super::collector::Warnings;
use super::{cors, coverage, modes, providers, resources, rules};
use crate::patterns::written;
use crate::report::Finding;
use crate::subject::Subject;
use edge_authz::policy::Policy;

/// All risks in a policy.
pub(super) fn of(policy: &Policy, subject: &Subject) -> Vec<Finding> {
    let mut warnings = Warnings::about(subject);
    let written = written(policy, subject);
    modes::of(policy, &mut warnings);
    providers::of(policy, &mut warnings);
    rules::of(policy, &mut warnings);
    resources::of(policy, &mut warnings);
    cors::of(policy, &written, &mut warnings);
    coverage::of(policy, &written, &mut warnings);
    warnings.finish()
}
