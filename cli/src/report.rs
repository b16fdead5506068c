//! Errors and warnings, and how they are shown.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::codes::Code;
use super::source::Source;

/// A message about a place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    /// The place inside the configuration, such as `routes[2].match[0]`.
    pub(crate) path: String,
    /// What is wrong there.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
    /// The range of bytes in the file; `None`: the file as a whole.
    pub(crate) span: Option<Range<usize>>,
    /// A related place.
    pub(crate) related: Option<(Range<usize>, &'static str)>,
}

/// The severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// The filter refuses it, or it can never work.
    Error,
    /// It is valid and risky.
    Warning,
}

/// A finding as JSON.
#[derive(Debug, Serialize)]
struct JsonFinding<'f> {
    code: &'static str,
    severity: Severity,
    path: &'f str,
    message: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'f str>,
    #[serde(flatten)]
    place: Option<JsonPlace>,
}

/// From the first character to the one after the last; counted from 1.
#[derive(Debug, Serialize)]
struct JsonPlace {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Finding {
    /// Splits a sentence of the core at its first semicolon into the problem and the
    /// advice.
    pub(crate) fn from_sentence(
        code: Code,
        severity: Severity,
        path: String,
        sentence: &str,
    ) -> Self {
        let (message, help) = match semicolon(sentence) {
            Some((message, help)) => (message, Some(help.to_owned())),
            None => (sentence, None),
        };
        Self {
            code,
            severity,
            path,
            message: message.to_owned(),
            help,
            span: None,
            related: None,
        }
    }

    /// Sets the finding's place in the file. If the file does not show the place, it is
    /// described in words.
    pub(crate) fn put(&mut self, span: Range<usize>, words: Option<String>) {
        self.span = Some(span);
        if let Some(words) = words {
            self.message = format!("{} ({words})", self.message);
        }
    }

    /// An error about a file as a whole.
    pub(crate) fn of_file(code: Code, message: &str, help: &str) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: String::new(),
            message: message.to_owned(),
            help: Some(help.to_owned()),
            span: None,
            related: None,
        }
    }

    /// The finding with the relevant lines of the file.
    pub(crate) fn render(&self, source: &Source, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = match &*self.path {
            "" => self.message.clone(),
            path => format!("{path}: {}", self.message),
        };
        if self.span.is_none() {
            title = format!("{}: {title}", source.name);
        }
        let mut group = Group::with_title(level.primary_title(title).id(self.code.id()));
        let snippet = Snippet::source(&source.text).path(&source.name);
        if let Some(span) = &self.span {
            group = group.element(
                snippet
                    .annotation(AnnotationKind::Primary.span(span.clone()))
                    .annotations(self.related.iter().map(|(span, label)| {
                        AnnotationKind::Context.span(span.clone()).label(*label)
                    })),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// The finding in one line, with its place.
    pub(crate) fn line(&self, source: &Source) -> String {
        let place = self.span.as_ref().map(|span| source.position(span.start));
        let place = place.map(|at| format!("{}:{}: ", at.line, at.column));
        let path = match &*self.path {
            "" => String::new(),
            path => format!("{path}: "),
        };
        let help = self.help.as_ref().map(|help| format!("; {help}"));
        let (place, help) = (place.unwrap_or_default(), help.unwrap_or_default());
        format!("{place}{path}{}{help}", self.message)
    }

    /// The finding as a value for other programs.
    pub(crate) fn to_json(&self, source: &Source) -> serde_json::Value {
        let place = self.span.as_ref().map(|span| {
            let (start, end) = (source.position(span.start), source.position(span.end));
            JsonPlace {
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
            }
        });
        let finding = JsonFinding {
            code: self.code.id(),
            severity: self.severity,
            path: &self.path,
            message: &self.message,
            help: self.help.as_deref(),
            place,
        };
        serde_json::to_value(finding).unwrap_or_default()
    }
}

/// Splits at the first semicolon outside of quotes.
fn semicolon(sentence: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut escaped = false;
    let at = sentence.char_indices().find_map(|(at, character)| {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '`') => quote = Some(character),
            (None, ';') => return Some(at),
            (Some(_) | None, _) => {}
        }
        None
    })?;
    let (message, rest) = sentence.split_at_checked(at)?;
    Some((message, rest.strip_prefix("; ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_cut_at_the_semicolon_that_belongs_to_it() {
        for (sentence, message, help) in [
            ("is missing; write it", "is missing", Some("write it")),
            (
                r#""a; \"b;" is bad; c; d"#,
                r#""a; \"b;" is bad"#,
                Some("c; d"),
            ),
            ("no `;` there", "no `;` there", None),
        ] {
            let finding =
                Finding::from_sentence(Code::Value, Severity::Error, String::new(), sentence);
            assert_eq!(
                (finding.message.as_str(), finding.help.as_deref()),
                (message, help)
            );
        }
    }
}
