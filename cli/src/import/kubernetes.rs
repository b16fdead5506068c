//! Resources of Kubernetes in a file.

use std::ops::Range;

use super::model::{Authorizer, Issuer, Place, Trust};
use crate::tree::Node;

/// All resources in a document: those of lists too.
pub(super) fn resources<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    if node.get("kind").and_then(Node::text).is_some() && node.get("spec").is_some() {
        found.push(node);
        return;
    }
    for member in node.members() {
        resources(&member.value, found);
    }
    for element in node.elements() {
        resources(element, found);
    }
}

/// Whether a document has a resource of one of these kinds.
pub(super) fn has_kind(root: &Node, kinds: &[&str]) -> bool {
    let mut found = Vec::new();
    resources(root, &mut found);
    found
        .iter()
        .any(|one| text(one, "kind").is_some_and(|kind| kinds.contains(&kind)))
}

pub(super) fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    node.get(name).and_then(Node::text)
}

pub(super) fn name(resource: &Node) -> &str {
    resource
        .descend(&["metadata", "name"])
        .and_then(Node::text)
        .unwrap_or_default()
}

pub(super) fn namespace(resource: &Node) -> &str {
    resource
        .descend(&["metadata", "namespace"])
        .and_then(Node::text)
        .unwrap_or_default()
}

pub(super) fn elements<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    node.get(name).map_or(&[], Node::elements)
}

/// The texts of a list; `None` if it has something else.
pub(super) fn texts<'n>(node: &'n Node, name: &str) -> Option<Vec<&'n str>> {
    elements(node, name).iter().map(Node::text).collect()
}

/// An authorizer for an issuer. Without an `iss` it would accept those of every issuer.
pub(super) fn authorizer(
    at: &Range<usize>,
    issuer: Issuer,
    places: Result<Vec<Place>, String>,
) -> Authorizer {
    let trust = match &places {
        _ if issuer.iss.is_empty() => Trust::Unknown(
            "its rule names no issuer, so tokens of every issuer are accepted".to_owned(),
        ),
        Err(reason) => Trust::Unknown(reason.clone()),
        Ok(_) => Trust::Issuers(vec![issuer]),
    };
    Authorizer {
        at: at.clone(),
        trust,
        places: places.unwrap_or_default(),
    }
}

/// Where tokens are: in headers with a text before the token, in query parameters and
/// cookies. Without all of these, after `Bearer` and in `access_token`.
pub(super) fn places(
    headers: &[(&str, &str)],
    parameters: &[&str],
    cookies: &[&str],
) -> Result<Vec<Place>, String> {
    let mut places = Vec::new();
    for (name, before) in headers {
        let name = name.to_ascii_lowercase();
        let scheme = before.trim_end();
        let plain = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        places.push(match (scheme, before.len() > scheme.len()) {
            ("", false) => Place::Header(name),
            ("Bearer", true) if name == "authorization" => Place::Bearer,
            (_, true) if plain && !scheme.is_empty() => Place::Scheme(name, scheme.to_owned()),
            _ => {
                return Err(format!(
                    "its rule reads tokens after `{before}` in a header, which has no equivalent"
                ));
            }
        });
    }
    places.extend(
        parameters
            .iter()
            .map(|name| Place::Query((*name).to_owned())),
    );
    places.extend(cookies.iter().map(|name| Place::Cookie((*name).to_owned())));
    if places.is_empty() {
        places = vec![Place::Bearer, Place::Query("access_token".to_owned())];
    }
    Ok(places)
}
