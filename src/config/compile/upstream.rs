//! `upstream`: the headers that carry the identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::header_name::header_name;
use super::token_from::TokenPlaces;
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{HeaderProblem, Reserved};
use crate::config::reader::{Field, Text};
use crate::config::written;
use crate::http::{FoldedName, HeaderName};
use crate::policy::{ClaimHeader, IdentityHeaders};
use crate::rules::ClaimName;

/// Compiles `upstream`.
#[inline(never)]
pub(super) fn compile(
    written: Field<written::Upstream<'_>>,
    token_places: &TokenPlaces,
    sink: &mut Sink,
) -> IdentityHeaders {
    let Some(written) = written.read() else {
        return IdentityHeaders::default();
    };
    let mut names = Names {
        token_headers: token_places
            .headers()
            .map(|name| FoldedName::of(name.as_bytes()))
            .collect(),
        taken: BTreeMap::new(),
    };
    let mut claims = Vec::new();
    for (header, source) in written.claims.read().unwrap_or_default() {
        let name = names.take(&header, sink);
        if let (Some(name), Some(claim)) = (name, source.claim.read()) {
            claims.push(ClaimHeader {
                header: name.as_str().into(),
                claim: ClaimName::new(claim.value),
                format: source.format.read().unwrap_or_default(),
            });
        }
    }
    let context = names.take_field(written.context, sink);
    let payload = names.take_field(written.payload, sink);
    IdentityHeaders::new(
        written.keep_token.read().unwrap_or(false),
        claims,
        payload,
        context,
    )
}

/// The headers of `upstream`. No two may fold to the same name, and none may be
/// reserved.
struct Names<'d> {
    token_headers: Vec<FoldedName>,
    taken: BTreeMap<FoldedName, Path<'d>>,
}

impl<'d> Names<'d> {
    /// Takes a name for a header that the filter sets. If it is not allowed,
    /// reports it and returns `None`.
    fn take(&mut self, written: &Text<'d>, sink: &mut Sink) -> Option<HeaderName> {
        let name = header_name(written, sink)?;
        // Client copies are removed in every spelling that folds to this name:
        // `content_type` would remove `content-type` from every request.
        let folded = name.folded();
        let reserved = if self.token_headers.contains(&folded) {
            Some(Reserved::Token)
        } else {
            Reserved::of(&name)
        };
        if let Some(because) = reserved {
            let name = written.excerpt();
            sink.report(&written.at, HeaderProblem::Reserved { name, because });
            return None;
        }
        if let Some(other) = self.taken.get(&folded) {
            let with = other.to_owned();
            sink.report(&written.at, HeaderProblem::FoldsTogether { with });
            return None;
        }
        self.taken.insert(folded, written.at.clone());
        Some(name)
    }

    /// Takes the name in a member.
    fn take_field(&mut self, written: Field<Text<'d>>, sink: &mut Sink) -> Option<Arc<str>> {
        let name = self.take(&written.read()?, sink)?;
        Some(name.as_str().into())
    }
}
