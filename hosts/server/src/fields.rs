//! Header fields of hyper as the core takes them.

use edge_authz::http::HeaderMap;

/// Copies header fields after other ones, such as pseudo-headers. Fields whose names are in
/// `without` are left out.
pub(crate) fn copied<'a>(
    first: &[(&'a [u8], &'a [u8])],
    headers: &'a http::HeaderMap,
    without: &[&str],
) -> HeaderMap {
    let fields = headers
        .iter()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
    let all: Vec<(&[u8], &[u8])> = first.iter().copied().chain(fields).collect();
    HeaderMap::from_pairs(all.iter().copied())
}
