//! Settings of a proxy that bypass the filter, or with which proxy, filter and upstream
//! read a path in different ways.

use std::path::Path;

use super::files::{Files, Found};
use crate::codes::Code;
use crate::report::{Finding, Severity};
use crate::subject::Subject;
use crate::tree::{Node, Value};

const UNESCAPED: &str = "decodes `%2F` before the filter, so `/a%2Fb` reaches the route of `/a/b` although the upstream may read \
                         it as sent; write";

/// The settings of all files.
pub(super) fn of(files: &Files<'_>, found: &mut Found<'_>) {
    for (file, root) in files.resources() {
        walk(root, file, found);
    }
}

fn walk(node: &Node, file: usize, found: &mut Found<'_>) {
    for member in node.members() {
        let instead = match (&*member.name, member.value.text()) {
            ("path_with_escaped_slashes_action", Some("UNESCAPE_AND_FORWARD")) => {
                Some("`REJECT_REQUEST`")
            }
            ("escapedSlashesAction", Some("UnescapeAndForward")) => Some("`RejectRequest`"),
            ("normalization", Some("DECODE_AND_MERGE_SLASHES")) => Some("`MERGE_SLASHES`"),
            _ => None,
        };
        if let Some(instead) = instead {
            let sentence = format!("{UNESCAPED} {instead}");
            put(
                Code::TwoReadings,
                file,
                &member.value,
                &member.name,
                &sentence,
                found,
            );
        }
        if member.name == "typed_per_filter_config" {
            for filter in member.value.members() {
                let ours = filter.name.replace('-', "_").contains("edge_authz");
                let disabled = filter.value.get("disabled").filter(|_| ours);
                if let Some(value) = disabled.filter(|node| node.value == Value::Bool(true)) {
                    let sentence = "lets requests of this route pass unchecked, and the proxy may choose the route by \
                                    another path than the filter would; remove it, and write a `public` route in the document";
                    put(
                        Code::Bypass,
                        file,
                        value,
                        &format!("{}.disabled", filter.name),
                        sentence,
                        found,
                    );
                }
            }
        }
        walk(&member.value, file, found);
    }
    for element in node.elements() {
        walk(element, file, found);
    }
}

fn put(code: Code, file: usize, at: &Node, path: &str, sentence: &str, found: &mut Found<'_>) {
    let mut finding = Finding::from_sentence(code, Severity::Warning, path.to_owned(), sentence);
    finding.put(at.span.clone(), None);
    found.add(file, finding);
}

/// The settings of the document that carries a configuration, and its module's file. A file
/// is missed only if its folder is on this machine: the proxy may run on another one.
pub(super) fn of_carrier(subject: &Subject, found: &mut Found<'_>) {
    for setting in &subject.settings {
        let path = setting.member.to_owned();
        let mut finding =
            Finding::from_sentence(setting.code, setting.severity, path, setting.sentence);
        finding.span = Some(setting.span.clone());
        found.add_own(finding);
    }
    let Some((span, name)) = &subject.module else {
        return;
    };
    let file = Path::new(name);
    let folder = match file.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return,
    };
    if folder.is_dir() && !file.exists() {
        let sentence = format!(
            "`{name}` does not exist, so the proxy refuses the configuration; build the module, or correct the path"
        );
        let mut finding = Finding::from_sentence(
            Code::NoModule,
            Severity::Warning,
            "filename".to_owned(),
            &sentence,
        );
        finding.put(span.clone(), None);
        found.add_own(finding);
    }
}
