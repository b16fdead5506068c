//! Places of a configuration as places of the file around it.

use crate::tree::Node;

/// How places of the configuration become places of the file.
#[derive(Debug)]
pub(super) enum Mapping {
    /// They are the same.
    Same,
    /// The configuration is text inside of the file; each of its lines begins
    /// here in the one and there in the other.
    Lines(Vec<(usize, usize)>),
    /// It is text that is spelled otherwise than it reads.
    Elsewhere,
}

impl Mapping {
    /// Where the lines of a text are in the file, if it is written there line by
    /// line, as in a literal block.
    pub(super) fn of_text(inner: &str, node: &Node, text: &str) -> Self {
        let raw = text.get(node.span.clone()).unwrap_or_default();
        let mut places = Vec::new();
        let mut outer_rest = node.span.start;
        let mut inner_at = 0_usize;
        let mut rest = raw;
        for line in inner.split_inclusive('\n') {
            let content = line.trim_end_matches('\n');
            // A literal block's lines stand one below the other, behind an
            // indentation; what comes before the first is the block's header.
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
