//! Maps places in a configuration to places in the file that contains it.

use crate::tree::Node;

/// How places in the configuration are mapped to places in the file.
#[derive(Debug)]
pub(super) enum Mapping {
    /// They are the same.
    Same,
    /// The configuration is text inside of the file. Each pair is the start of a line in
    /// the configuration and in the file.
    Lines(Vec<(usize, usize)>),
    /// It is text with another spelling in the file.
    Elsewhere,
}

impl Mapping {
    /// The places of a text's lines in the file, if it is written there line by line, as
    /// in a literal block.
    pub(super) fn of_text(inner: &str, node: &Node, text: &str) -> Self {
        let raw = text.get(node.span.clone()).unwrap_or_default();
        let mut places = Vec::new();
        let mut outer_rest = node.span.start;
        let mut inner_at = 0_usize;
        let mut rest = raw;
        for line in inner.split_inclusive('\n') {
            let content = line.trim_end_matches('\n');
            // The lines of a literal block are indented, one below the other. The block's
            // header comes before the first line.
            let found = rest.find(content).filter(|at| {
                content.is_empty()
                    || rest
                        .get(at.saturating_add(content.len())..)
                        .is_some_and(|after| {
                            after.is_empty() || after.starts_with(['\n', '\r', '"', '\''])
                        })
            });
            let Some(at) = found else {
                return Self::Elsewhere;
            };
            places.push((inner_at, outer_rest.saturating_add(at)));
            let used = at.saturating_add(content.len());
            outer_rest = outer_rest.saturating_add(used);
            rest = rest.get(used..).unwrap_or_default();
            inner_at = inner_at.saturating_add(line.len());
        }
        Self::Lines(places)
    }
}
