//! A file, and the configurations in it.

use super::Subject;
use super::carrier::find;
use super::hints;
use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::source::Source;
use crate::tree::{Fault, Node, parse_json, parse_yaml};

/// A file with the configurations in it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) roots: Vec<Node>,
    pub(crate) subjects: Vec<Subject>,
}

impl Document {
    /// Finds the configurations of a file among others. It need not have one.
    ///
    /// # Errors
    ///
    /// The file is neither JSON nor YAML.
    pub(crate) fn read_member(source: &Source) -> Result<Self, Vec<Finding>> {
        let mut document = Self::read(source)?;
        document.subjects.retain(Subject::is_evident);
        Ok(document)
    }

    /// Whether it has a configuration, or is of a form that can contain one.
    pub(crate) fn is_relevant(&self) -> bool {
        !self.subjects.is_empty() || self.roots.iter().any(is_wrapper)
    }

    /// Finds the configurations of a file.
    ///
    /// # Errors
    ///
    /// The file is neither JSON nor YAML.
    pub(crate) fn read(source: &Source) -> Result<Self, Vec<Finding>> {
        let (roots, verbatim) = match parse_json(&source.text) {
            Ok(root) => (vec![root], true),
            Err(_) if is_json(source) => return Ok(Self::of_no_json(source)),
            Err(_) => (
                parse_yaml(&source.text).map_err(|fault| vec![yaml_fault(&source.text, &fault)])?,
                false,
            ),
        };
        let single = roots.len() <= 1;
        let mut subjects = Vec::new();
        for root in &roots {
            let before = subjects.len();
            find(root, &source.text, &mut subjects);
            let is_one = single || root.get("routes").is_some();
            if subjects.len() == before && is_one && !is_wrapper(root) {
                subjects.push(Subject::plain(root.clone(), source, verbatim));
            }
        }
        if roots.is_empty() {
            subjects.push(Subject::unreadable(Vec::new()));
        }
        Ok(Self { roots, subjects })
    }

    /// A file that should be JSON and is not: the core reports the error.
    fn of_no_json(source: &Source) -> Self {
        Self {
            roots: Vec::new(),
            subjects: vec![Subject::unreadable(source.bytes.clone())],
        }
    }
}

/// An error of YAML with its place.
pub(crate) fn yaml_fault(text: &str, fault: &Fault) -> Finding {
    if let Some((place, sentence)) = hints::of(text, fault) {
        let mut finding =
            Finding::from_sentence(Code::Syntax, Severity::Error, String::new(), &sentence);
        finding.put(place, None);
        return finding;
    }
    let sentence = format!(
        "not YAML ({}); look at the line before it too",
        fault.message
    );
    let mut finding =
        Finding::from_sentence(Code::Syntax, Severity::Error, String::new(), &sentence);
    finding.put(fault.at..fault.at.saturating_add(1), None);
    finding
}

fn is_json(source: &Source) -> bool {
    let extension = std::path::Path::new(&source.name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        || std::str::from_utf8(&source.bytes).is_err()
}

/// Whether a document contains configurations, rather than being one.
fn is_wrapper(root: &Node) -> bool {
    let known = [
        "static_resources",
        "dynamic_resources",
        "apiVersion",
        "kind",
        "resources",
        "@type",
        "http_filters",
    ];
    known.iter().any(|name| root.get(name).is_some()) && root.get("routes").is_none()
}
