//! The request to explain.

use edge_authz::http::{HeaderMap, RequestHead};
use edge_authz::policy::TokenPlace;

/// A request as given on the command line.
#[derive(Debug)]
pub(crate) struct RequestArguments<'a> {
    pub(crate) method: &'a str,
    /// A path, or a whole URL.
    pub(crate) target: &'a str,
    /// `name: value` each.
    pub(crate) headers: &'a [String],
    /// A token, and the place for it.
    pub(crate) token: Option<(&'a str, &'a TokenPlace)>,
}

impl RequestArguments<'_> {
    /// The head as a proxy passes it to the filter.
    ///
    /// # Errors
    ///
    /// The error in the command line.
    pub(crate) fn head(&self) -> Result<RequestHead, String> {
        let (scheme, mut authority, mut path) = target(self.target);
        let mut fields = Vec::new();
        for header in self.headers {
            let (name, value) = header
                .split_once(':')
                .filter(|(name, _)| !name.trim().is_empty())
                .ok_or("a header is written `name: value`")?;
            let name = name.trim().to_ascii_lowercase();
            let value = value.trim().to_owned();
            if name == "host" {
                authority = Some(value);
            } else {
                fields.push((name, value));
            }
        }
        match self.token {
            None => {}
            Some((token, TokenPlace::Header { name, scheme })) => {
                let value = match scheme {
                    Some(scheme) => format!("{scheme} {token}"),
                    None => token.to_owned(),
                };
                fields.push((name.to_string(), value));
            }
            Some((token, TokenPlace::Cookie(name))) => {
                fields.push(("cookie".to_owned(), format!("{name}={token}")));
            }
            Some((token, TokenPlace::Query(name))) => {
                let mark = if path.contains('?') { '&' } else { '?' };
                path = format!("{path}{mark}{name}={token}");
            }
        }
        let mut all = vec![
            (":method".to_owned(), self.method.to_owned()),
            (":scheme".to_owned(), scheme),
            (":path".to_owned(), path),
        ];
        all.extend(authority.map(|authority| (":authority".to_owned(), authority)));
        all.extend(fields);
        Ok(RequestHead::new(HeaderMap::from_pairs(all)))
    }
}

/// Scheme, authority and path of a URL or of a path alone.
fn target(target: &str) -> (String, Option<String>, String) {
    let Some((scheme, rest)) = target
        .split_once("://")
        .filter(|_| !target.starts_with('/'))
    else {
        return ("https".to_owned(), None, target.to_owned());
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    (scheme.to_owned(), Some(authority.to_owned()), path)
}
