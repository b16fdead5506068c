//! One configuration of a file, compiled: for the commands that need one.

use super::check;
use super::report::{Finding, Severity};
use super::source::Source;
use super::subject::{Document, Subject};
use crate::policy::Policy;

/// A policy, and where it is written.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) subject: Subject,
}

/// Compiles the one configuration of a file.
///
/// # Errors
///
/// What is wrong with it, or that the file has none or several.
pub(crate) fn load(source: &Source) -> Result<Loaded, Vec<Finding>> {
    let document = Document::read(source)?;
    let mut subjects = document.subjects.into_iter();
    let (Some(subject), None) = (subjects.next(), subjects.next()) else {
        return Err(vec![Finding::said(
            Severity::Error,
            String::new(),
            "there is not exactly one configuration of edge-authz in this file; `check` shows what there is",
        )]);
    };
    let policy = check::compile(&subject, source)?;
    Ok(Loaded { policy, subject })
}
