//! Compiles the only configuration of a file, for the commands that need one.

use std::path::Path;

use annotate_snippets::Renderer;
use serde_json::Value;

use super::check::{self, Host};
use super::codes::Code;
use super::report::{Finding, Severity};
use super::source::Source;
use super::subject::{Document, Subject};
use edge_authz::policy::Policy;

/// A policy, and where it is written.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) subject: Subject,
}

/// Compiles the only configuration of a file for this host.
///
/// # Errors
///
/// Its errors, or that the file has no configuration or several.
pub(crate) fn load(source: &Source, host: Host) -> Result<Loaded, Vec<Finding>> {
    let document = Document::read(source)?;
    let mut subjects = document.subjects.into_iter();
    let (Some(subject), None) = (subjects.next(), subjects.next()) else {
        return Err(vec![Finding::from_sentence(
            Code::NoFilter,
            Severity::Error,
            String::new(),
            "this file does not have exactly one configuration of edge-authz; `check` shows them",
        )]);
    };
    let policy = check::compile(&subject, source, host)?;
    Ok(Loaded { policy, subject })
}

/// The configuration that a case file names. Like [`check`], this finds it in any kind of
/// file, for example in a whole bootstrap.
///
/// # Errors
///
/// The file does not exist, or has errors; one per line.
pub fn named_configuration(case_file: &Path, name: &str) -> Result<Value, String> {
    let path = case_file.with_file_name(name);
    let shown = path.display();
    let bytes = std::fs::read(&path).map_err(|error| format!("{shown}: {error}"))?;
    let source = Source::new(shown.to_string(), bytes);
    let renderer = Renderer::plain();
    let sentences = |findings: Vec<Finding>| {
        let findings = findings.iter();
        let shown: Vec<_> = findings.map(|one| one.render(&source, &renderer)).collect();
        shown.join("\n")
    };
    let loaded = load(&source, Host::Any).map_err(sentences)?;
    serde_json::from_slice(&loaded.subject.json).map_err(|error| format!("{shown}: {error}"))
}
