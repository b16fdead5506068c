//! Findings for other programs: SARIF 2.1.0, and the annotations of GitHub's workflows.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Checked;
use crate::codes::Code;
use crate::report::{Finding, Severity};

/// All findings as one SARIF log.
pub(crate) fn sarif(all: &[Checked]) -> Value {
    let results: Vec<Value> = all
        .iter()
        .flat_map(|checked| checked.findings.iter().map(|one| result(checked, one)))
        .collect();
    let rules: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.id(),
                "shortDescription": {"text": code.title()},
                "fullDescription": {"text": code.text()},
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "edge-authz",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(checked: &Checked, finding: &Finding) -> Value {
    let mut place = serde_json::Map::new();
    place.insert(
        "artifactLocation".to_owned(),
        json!({"uri": checked.source.name}),
    );
    if let Some(span) = &finding.span {
        let (start, end) = (
            checked.source.position(span.start),
            checked.source.position(span.end),
        );
        let region = json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        });
        place.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": finding.code.id(),
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": {"text": sentence(finding)},
        "locations": [{"physicalLocation": place}],
    })
}

/// The findings as workflow commands.
pub(crate) fn github(all: &[Checked]) -> String {
    let mut out = String::new();
    for checked in all {
        for finding in &checked.findings {
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let mut properties = format!("file={}", property(&checked.source.name));
            if let Some(span) = &finding.span {
                let (start, end) = (
                    checked.source.position(span.start),
                    checked.source.position(span.end),
                );
                let _infallible = write!(
                    properties,
                    ",line={},col={},endLine={},endColumn={}",
                    start.line, start.column, end.line, end.column
                );
            }
            let code = finding.code.id();
            let _infallible = writeln!(
                out,
                "::{level} {properties},title={}::{}",
                property(code),
                data(&sentence(finding))
            );
        }
    }
    out
}

fn sentence(finding: &Finding) -> String {
    let mut text = match &*finding.path {
        "" => finding.message.clone(),
        path => format!("{path}: {}", finding.message),
    };
    if let Some(help) = &finding.help {
        text.push_str("; ");
        text.push_str(help);
    }
    text
}

/// The escapes of workflow commands: a line break would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
