//! The resources of `deploy`. The command's tests compare them with the schemas of their
//! kinds (`cli/tests/command/schemas.rs`).

use serde_json::Value;

/// A resource of Kubernetes.
pub(super) struct Resource(Value);

impl Resource {
    /// Every resource of a file under `deploy`.
    pub(super) fn all(file: &str) -> Vec<Self> {
        let text = super::read(file);
        let documents = text.split("\n---\n");
        documents.map(|text| Self(super::yaml(text))).collect()
    }

    /// The only one of its kind in a list.
    pub(super) fn only<'r>(all: &'r [Self], kind: &str) -> &'r Value {
        let mut found = all.iter().filter(|resource| resource.0["kind"] == kind);
        let first = found.next().unwrap_or_else(|| panic!("no {kind}"));
        assert!(found.next().is_none(), "several of {kind}");
        &first.0["spec"]
    }
}
