//! The paths of a document.

use crate::import::model::Api;
use crate::import::scope::Scope;
use crate::tree::Node;

/// The pattern for a path. If no pattern says the same, this is a wider one, and the
/// reason why it can only be denied.
pub(super) fn widened(path: &str) -> (String, Option<String>) {
    if path == "$default" || path == "/$default" {
        return ("$default".to_owned(), None);
    }
    let (plain, query) = match path.split_once(['?', '#']) {
        Some((plain, _)) => (plain, true),
        None => (path, false),
    };
    let mut wider = query;
    let segments: Vec<String> = plain
        .split('/')
        .enumerate()
        .map(|(number, segment)| {
            if !segment.contains(['{', '}']) || is_variable(segment) {
                return segment.to_owned();
            }
            wider = true;
            format!("{{part{number}}}")
        })
        .collect();
    let reason = wider.then(|| format!("`{path}` has no equivalent; this pattern is wider"));
    (segments.join("/"), reason)
}

fn is_variable(segment: &str) -> bool {
    let inner = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| {
        let name = inner.strip_suffix('+').unwrap_or(inner);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !name.is_empty() && name.bytes().all(allowed)
    })
}

/// Finds the path before all paths: `basePath`, or the path of all `servers`.
pub(super) fn base(scope: &Scope<'_>, root: &Node, api: &mut Api) {
    let mut bases: Vec<String> = Vec::new();
    let mut at = root.span.clone();
    if let Some(base) = scope.get(root, "basePath") {
        bases.extend(scope.text(&base));
        at = base.span.clone();
    }
    if let Some(servers) = scope.get(root, "servers") {
        at = servers.span.clone();
        for server in scope.elements(&servers) {
            let url = scope.get(&server, "url").and_then(|url| scope.text(&url));
            bases.extend(url.map(|url| of_url(&url).to_owned()));
        }
    }
    for base in &mut bases {
        base.truncate(base.trim_end_matches('/').len());
    }
    bases.dedup();
    match &*bases {
        [] => {}
        [one] if one.is_empty() => {}
        [one] if one.starts_with('/') && !one.contains(['{', '?', '#']) => {
            api.base = Some(one.clone());
        }
        _ => api.leave_out(
            &at,
            "the base paths of the servers are different, or have variables; write `paths.base`",
        ),
    }
}

/// The path of a URL.
fn of_url(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else {
        return url;
    };
    rest.find('/')
        .and_then(|slash| rest.get(slash..))
        .unwrap_or_default()
}
