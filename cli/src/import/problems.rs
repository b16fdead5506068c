//! Collects the problems of an import, with their places.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::source::{Source, first_line};

/// The most problems that are shown: a file can have one for each of thousands of routes.
const MAX_SHOWN: usize = 50;

/// The problems that were found. If there is one, nothing is written.
pub(super) struct Problems<'s> {
    source: &'s Source,
    found: RefCell<Vec<Finding>>,
    /// The number of those that are not shown.
    omitted: Cell<usize>,
    /// Names whose values are missing, so that each is reported once.
    missing: RefCell<BTreeSet<String>>,
}

impl<'s> Problems<'s> {
    pub(super) fn new(source: &'s Source) -> Self {
        Self {
            source,
            found: RefCell::default(),
            omitted: Cell::new(0),
            missing: RefCell::default(),
        }
    }

    /// Reports a problem: a sentence with its remedy after a semicolon.
    pub(super) fn report(&self, at: &Range<usize>, sentence: &str) {
        self.add(Code::NotImported, at, sentence);
    }

    fn add(&self, code: Code, at: &Range<usize>, sentence: &str) {
        let mut finding = Finding::from_sentence(code, Severity::Error, String::new(), sentence);
        finding.span = Some(first_line(&self.source.text, at));
        let mut found = self.found.borrow_mut();
        if found.contains(&finding) {
            return;
        }
        if found.len() < MAX_SHOWN {
            found.push(finding);
        } else {
            self.omitted.set(self.omitted.get().saturating_add(1));
        }
    }

    /// Reports a value that the file does not contain. `what` describes the value.
    pub(super) fn missing(&self, at: &Range<usize>, name: &str, what: &str) {
        if self.missing.borrow_mut().insert(name.to_owned()) {
            let argument = quoted(name);
            self.add(
                Code::ValueNeeded,
                at,
                &format!("the file does not contain {what}; give it: `--param {argument}=VALUE`"),
            );
        }
    }

    /// Reports a value that the file does not contain, and that is probably this one:
    /// `argument` is its name and the value. `condition` says when it is right.
    pub(super) fn confirm(
        &self,
        at: &Range<usize>,
        argument: (&str, &str),
        what: &str,
        condition: &str,
    ) {
        let (name, value) = argument;
        if self.missing.borrow_mut().insert(name.to_owned()) {
            let argument = quoted(&format!("{name}={value}"));
            self.add(
                Code::ValueNeeded,
                at,
                &format!("{what}; {condition}, give it: `--param {argument}`"),
            );
        }
    }

    /// The text of the file at a place.
    pub(super) fn text(&self, at: &Range<usize>) -> &'s str {
        self.source.text.get(at.clone()).unwrap_or_default()
    }

    /// The findings in the order of their places.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
        let omitted = self.omitted.get();
        if omitted > 0 {
            let sentence = format!("and {omitted} more errors; correct these first");
            let (code, severity) = (Code::NotImported, Severity::Error);
            let mut finding = Finding::from_sentence(code, severity, String::new(), &sentence);
            // Findings are shown in the order of their places.
            finding.span = found.last().and_then(|last| last.span.clone());
            found.push(finding);
        }
        found
    }

    /// Whether nothing was reported.
    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }
}

/// A name as a shell reads it.
fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":._-/=".contains(&byte);
    if name.bytes().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}
