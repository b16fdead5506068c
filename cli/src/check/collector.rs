//! Collects warnings.

use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::subject::{Step, Subject, shown};

/// Collects warnings with their places.
pub(super) struct Warnings<'s> {
    subject: &'s Subject,
    found: Vec<Finding>,
}

impl<'s> Warnings<'s> {
    /// An empty collection.
    pub(super) const fn about(subject: &'s Subject) -> Self {
        Self {
            subject,
            found: Vec::new(),
        }
    }

    /// The subject of the warnings.
    pub(super) const fn subject(&self) -> &'s Subject {
        self.subject
    }

    /// All warnings.
    pub(super) fn finish(self) -> Vec<Finding> {
        self.found
    }

    /// Adds a warning about the value at a path.
    pub(super) fn add(&mut self, code: Code, steps: &[Step<'_>], sentence: &str) {
        let (span, words) = self.subject.locate(steps.iter().copied(), false);
        let mut finding = Finding::from_sentence(code, Severity::Warning, shown(steps), sentence);
        finding.put(span, words);
        self.found.push(finding);
    }

    /// Adds a warning about the value at a path, with a second place.
    pub(super) fn add_related(
        &mut self,
        code: Code,
        steps: &[Step<'_>],
        sentence: &str,
        (other, label): (&[Step<'_>], &'static str),
    ) {
        self.add(code, steps, sentence);
        let (span, words) = self.subject.locate(other.iter().copied(), false);
        if let Some(finding) = self.found.last_mut().filter(|_| words.is_none()) {
            finding.related = Some((span, label));
        }
    }
}
