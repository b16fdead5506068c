//! Warnings as they are found.

use crate::report::{Finding, Severity};
use crate::subject::{Step, Subject, shown};

/// Collects warnings, each at its place.
pub(super) struct Warnings<'s> {
    subject: &'s Subject,
    found: Vec<Finding>,
}

impl<'s> Warnings<'s> {
    /// None yet.
    pub(super) const fn about(subject: &'s Subject) -> Self {
        Self {
            subject,
            found: Vec::new(),
        }
    }

    /// What they are about.
    pub(super) const fn subject(&self) -> &'s Subject {
        self.subject
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<Finding> {
        self.found
    }

    /// Adds a warning about what stands at a path.
    pub(super) fn add(&mut self, steps: &[Step<'_>], sentence: &str) {
        let (span, words) = self.subject.locate(steps.iter().copied(), false);
        let mut finding = Finding::said(Severity::Warning, shown(steps), sentence);
        finding.put(span, words);
        self.found.push(finding);
    }
}
