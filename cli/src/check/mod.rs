//! `edge-authz check`: the filter's errors for a file, and its risks.

mod clusters;
mod collector;
mod cors;
mod coverage;
mod files;
mod foreign;
mod formats;
mod gateway;
mod istio;
mod mcp;
mod methods;
mod modes;
mod overlap;
mod providers;
mod resources;
mod rules;
mod settings;
mod similar;
mod strangers;
mod strictness;
mod warnings;

use std::io::Write;
use std::ops::Range;

use annotate_snippets::Renderer;
use serde_json::json;

use super::codes::Code;
use super::report::{Finding, Severity};
use super::source::{Source, first_line};
use super::subject::{Document, Step, Subject};
use clusters::Clusters;
pub(crate) use clusters::fetches;
use edge_authz::config::{
    self, ConfigError, ConfigErrors, ErrorPosition, Fetching, PathStep, Problem, RouteProblem,
    ShapeProblem,
};
use edge_authz::policy::Policy;
use files::{Files, Found};
pub(crate) use formats::{github, sarif};

/// The findings in one file.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) source: Source,
    /// The number of configurations in the file.
    pub(crate) configurations: usize,
    /// In the order of their places.
    pub(crate) findings: Vec<Finding>,
}

/// The host for which a configuration is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// A module in Envoy, which fetches through Envoy's clusters.
    Envoy,
    /// `edge-authz-server`, which fetches directly.
    Server,
    /// Any of them.
    Any,
}

/// Checks a file.
pub(crate) fn check(source: Source, host: Host) -> Checked {
    match Document::read(&source) {
        Ok(document) if document.subjects.is_empty() => {
            Checked::of(source, 0, vec![no_configuration("this file")])
        }
        Ok(document) => {
            let checked = together(vec![(source, document)], host);
            checked.into_iter().next().unwrap_or_default()
        }
        Err(findings) => Checked::of(source, 0, findings),
    }
}

/// Checks the files of a folder together: a resource of one may name a resource of another.
/// `folder` is its name.
pub(crate) fn check_folder(folder: &str, sources: Vec<Source>, host: Host) -> Vec<Checked> {
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        match Document::read_member(&source) {
            Ok(document) if document.is_relevant() => files.push((source, document)),
            Ok(_) => {}
            Err(findings) => wrong.push(Checked::of(source, 0, findings)),
        }
    }
    if files
        .iter()
        .all(|(_, document)| document.subjects.is_empty())
        && wrong.is_empty()
    {
        let source = Source::new(folder, Vec::new());
        return vec![Checked::of(
            source,
            0,
            vec![no_configuration("this folder")],
        )];
    }
    wrong.extend(together(files, host));
    wrong
}

fn no_configuration(what: &str) -> Finding {
    Finding::of_file(
        Code::NoFilter,
        &format!("{what} has no configuration of edge-authz"),
        "give the plugin or the resource a name with `edge_authz` in it, or write the configuration itself",
    )
}

/// Checks files that belong together.
fn together(files: Vec<(Source, Document)>, host: Host) -> Vec<Checked> {
    let mut of: Vec<Vec<Finding>> = files.iter().map(|_| Vec::new()).collect();
    let all = Files { all: &files };
    let clusters = Clusters::of(&all);
    for (number, (source, document)) in files.iter().enumerate() {
        let mut found = Found::new(&mut of, number);
        for subject in &document.subjects {
            let findings = match compile(subject, source, host) {
                Ok(policy) => {
                    let fetches = clusters::fetches(&policy);
                    for fetch in fetches.iter().filter(|_| host != Host::Server) {
                        clusters.judge(fetch, subject, &mut found);
                        istio::judge(&all, fetch, subject, &mut found);
                    }
                    warnings::of(&policy, subject)
                }
                Err(errors) => errors,
            };
            for finding in findings {
                found.add_own(finding);
            }
            settings::of_carrier(subject, &mut found);
        }
    }
    let mut found = Found::new(&mut of, 0);
    settings::of(&all, &mut found);
    gateway::of(&all, &mut found);
    let checked = files.into_iter().zip(of);
    checked
        .map(|((source, document), found)| Checked::of(source, document.subjects.len(), found))
        .collect()
}

/// Compiles a configuration as the host does.
///
/// # Errors
///
/// All its errors, with their places in the file.
pub(crate) fn compile(
    subject: &Subject,
    source: &Source,
    host: Host,
) -> Result<Policy, Vec<Finding>> {
    let compiled = match host {
        Host::Envoy => config::compile(&subject.json),
        Host::Server => config::compile_for(&subject.json, Fetching::Direct),
        Host::Any => config::compile_for_any_host(&subject.json),
    };
    compiled.map_err(|errors| error_findings(&errors, subject, source))
}

fn error_findings(errors: &ConfigErrors, subject: &Subject, source: &Source) -> Vec<Finding> {
    let mut findings: Vec<_> = errors.iter().map(|error| finding(error, subject)).collect();
    if errors.omitted() > 0 {
        let sentence = format!("and {} more errors; fix these first", errors.omitted());
        findings.push(Finding::from_sentence(
            Code::Value,
            Severity::Error,
            String::new(),
            &sentence,
        ));
    }
    if source.text.is_empty() {
        for finding in &mut findings {
            finding.span = None;
        }
    }
    findings
}

fn finding(error: &ConfigError, subject: &Subject) -> Finding {
    let sentence = error.problem.to_string();
    let (path, (span, words)) = match &error.place {
        ErrorPosition::Position { line, column } => {
            (String::new(), subject.position(*line, *column))
        }
        ErrorPosition::Value(path) => {
            let steps = steps(path.steps());
            let place = subject.locate(steps, is_of_the_name(&error.problem));
            (path.to_string(), place)
        }
    };
    let mut finding = Finding::from_sentence(
        error.problem.code().into(),
        Severity::Error,
        path,
        &sentence,
    );
    finding.put(span, words);
    finding.related = related(error, subject);
    if let (Problem::Shape(ShapeProblem::Unknown { .. }), ErrorPosition::Value(path)) =
        (&error.problem, &error.place)
        && let Some(PathStep::Member(name)) = path.steps().last()
        && let Some(instead) = foreign::instead(name)
    {
        finding.help = Some(format!("write {instead}"));
    }
    finding
}

/// Whether a problem concerns a member's name rather than its value.
fn is_of_the_name(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Shape(
            ShapeProblem::Unknown { .. }
                | ShapeProblem::Duplicate
                | ShapeProblem::OnlyWith { .. }
                | ShapeProblem::NotWith { .. }
        )
    )
}

/// The other place that an error mentions.
fn related(error: &ConfigError, subject: &Subject) -> Option<(Range<usize>, &'static str)> {
    let (first, label) = match &error.problem {
        Problem::Shape(ShapeProblem::Repeated { first }) => (first, "it is here first"),
        Problem::Route(RouteProblem::Clash { with, .. }) => (with, "the other route"),
        Problem::Document(_)
        | Problem::Shape(_)
        | Problem::Value(_)
        | Problem::Provider(_)
        | Problem::Route(_)
        | Problem::Resource(_)
        | Problem::Claim(_)
        | Problem::Header(_)
        | Problem::Cors(_)
        | Problem::CorsEntry(..) => return None,
    };
    let (span, words) = subject.locate(steps(first.steps()), false);
    words.is_none().then_some((span, label))
}

fn steps(steps: &[PathStep<Box<str>>]) -> impl Iterator<Item = Step<'_>> {
    steps.iter().map(|step| match step {
        PathStep::Member(name) => Step::Member(name),
        PathStep::Element(index) => Step::Element(*index),
    })
}

impl Checked {
    /// Sorts findings by place.
    pub(crate) fn of(source: Source, configurations: usize, mut findings: Vec<Finding>) -> Self {
        let shown = |span: &Range<usize>| first_line(&source.text, span);
        for finding in &mut findings {
            finding.span = finding.span.as_ref().map(shown);
            if let Some((span, _)) = &mut finding.related {
                *span = shown(span);
            }
        }
        findings.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
        Self {
            source,
            configurations,
            findings,
        }
    }

    /// The number of findings of this severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        let findings = self.findings.iter();
        findings
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// Shows every finding with its lines, and a summary.
    ///
    /// # Errors
    ///
    /// The errors of the writer.
    pub(crate) fn show(&self, renderer: &Renderer, out: &mut dyn Write) -> std::io::Result<()> {
        for finding in &self.findings {
            writeln!(out, "{}\n", finding.render(&self.source, renderer))?;
        }
        let name = &self.source.name;
        match (self.count(Severity::Error), self.count(Severity::Warning)) {
            (0, 0) => writeln!(out, "{name}: good"),
            (0, warnings) => writeln!(out, "{name}: good, with {}", times(warnings, "warning")),
            (errors, 0) => writeln!(out, "{name}: {}", times(errors, "error")),
            (errors, warnings) => writeln!(
                out,
                "{name}: {} and {}",
                times(errors, "error"),
                times(warnings, "warning")
            ),
        }
    }

    /// The same, for other programs.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let findings = self.findings.iter();
        json!({
            "file": self.source.name,
            "configurations": self.configurations,
            "errors": self.count(Severity::Error),
            "warnings": self.count(Severity::Warning),
            "findings": findings.map(|finding| finding.to_json(&self.source)).collect::<Vec<_>>(),
        })
    }
}

fn times(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
