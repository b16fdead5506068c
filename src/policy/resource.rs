//! Protected resources and their metadata (RFC 9728).

use std::collections::BTreeMap;

use super::ResourceLocation;
use crate::http::Host;

/// The path of a resource's metadata begins with this. The resource's own path follows
/// (RFC 9728 section 3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A resource, and the document that describes it.
#[derive(Debug)]
pub struct Resource {
    /// Its identifier, as written.
    pub identifier: Box<str>,
    /// The path of the identifier without a slash at its end: empty for all paths.
    path: Box<str>,
    /// The host of the identifier in its normal form.
    host: Box<str>,
    /// The URL of the document.
    pub metadata_url: Box<str>,
    /// The metadata: a JSON object.
    pub document: Box<str>,
    /// How clients must ask for scopes that tokens write differently.
    pub advertised: BTreeMap<Box<str>, Box<str>>,
}

impl Resource {
    /// A resource with its document.
    #[must_use]
    pub fn new(
        location: &ResourceLocation<'_>,
        document: Box<str>,
        advertised: BTreeMap<Box<str>, Box<str>>,
    ) -> Self {
        Self {
            identifier: location.identifier().into(),
            path: location.path().into(),
            host: location.host().as_str().into(),
            metadata_url: location.metadata_url().into(),
            document,
            advertised,
        }
    }

    /// How clients must ask for this scope.
    #[must_use]
    pub fn advertised<'s>(&'s self, scope: &'s str) -> &'s str {
        self.advertised.get(scope).map_or(scope, |written| written)
    }
}

/// The protected resources of a policy.
#[derive(Debug, Default)]
pub struct Resources {
    /// Sorted by path, then by host; no two have both in common.
    list: Vec<Resource>,
    /// Whether some resources have the same path, so that the request's host decides.
    share_paths: bool,
    /// The length of the longest path.
    longest: usize,
}

impl Resources {
    /// The resources of a policy. No two may have the same path and host.
    #[must_use]
    pub fn new(mut list: Vec<Resource>) -> Self {
        crate::order::sort(&mut list, |one, other| {
            let by_path = one.path.cmp(&other.path);
            by_path.then_with(|| one.host.cmp(&other.host))
        });
        let mut pairs = list.iter().zip(list.iter().skip(1));
        Self {
            share_paths: pairs.any(|(one, other)| one.path == other.path),
            longest: list.iter().map(|one| one.path.len()).max().unwrap_or(0),
            list,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All resources, sorted by path and host.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.list.iter()
    }

    /// Whether some resources have the same path, so that the request's host matters.
    #[must_use]
    pub const fn uses_hosts(&self) -> bool {
        self.share_paths
    }

    /// Whether a request's `:path` is one at which metadata may be. It must be spelled
    /// exactly like this: any other spelling is an ordinary path.
    #[must_use]
    pub fn is_metadata_path(&self, path: &[u8]) -> bool {
        !self.is_empty() && path.starts_with(WELL_KNOWN.as_bytes())
    }

    /// The resource whose metadata is at this `:path`. A slash at the end makes no
    /// difference.
    #[must_use]
    pub fn described_at(&self, path: &[u8], host: Option<&Host<'_>>) -> Option<&Resource> {
        let path = without_query(path).strip_prefix(WELL_KNOWN.as_bytes())?;
        self.at(path.strip_suffix(b"/").unwrap_or(path), host)
    }

    /// The resource with the longest path that this `:path` is under: it is the same, or
    /// continues it after a `/`. Among resources with the same path, the host decides.
    #[must_use]
    pub fn covering(&self, path: &[u8], host: Option<&Host<'_>>) -> Option<&Resource> {
        if self.is_empty() {
            return None;
        }
        let mut part = without_query(path);
        loop {
            if let Some(found) = self.at(part, host) {
                return Some(found);
            }
            let end = part.iter().rposition(|byte| *byte == b'/')?;
            part = part.get(..end)?;
        }
    }

    /// The resource with exactly this path.
    fn at(&self, path: &[u8], host: Option<&Host<'_>>) -> Option<&Resource> {
        if path.len() > self.longest {
            return None;
        }
        let of = |resource: &Resource| resource.path.as_bytes().cmp(path);
        let start = self.list.partition_point(|one| of(one).is_lt());
        let rest = self.list.get(start..)?;
        let same = rest.partition_point(|one| of(one).is_eq());
        match rest.get(..same)? {
            [] => None,
            [only] => Some(only),
            several => {
                let host = host?.as_str();
                let found = several.binary_search_by(|one| (*one.host).cmp(host)).ok()?;
                several.get(found)
            }
        }
    }
}

fn without_query(path: &[u8]) -> &[u8] {
    let query = path.iter().position(|byte| *byte == b'?');
    let end = query.unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(identifier: &str) -> Resource {
        let location = ResourceLocation::parse(identifier).unwrap();
        Resource::new(&location, "{}".into(), BTreeMap::new())
    }

    fn resources(identifiers: &[&str]) -> Resources {
        Resources::new(identifiers.iter().map(|one| resource(one)).collect())
    }

    fn host(name: &str) -> Host<'_> {
        Host::parse(Some(name.as_bytes())).unwrap().unwrap()
    }

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        for (identifier, url) in [
            (
                "https://api.example.com",
                "https://api.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://api.example.com/",
                "https://api.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://API.example.com:8443/mcp",
                "https://API.example.com:8443/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "http://localhost:8080/a/mcp/",
                "http://localhost:8080/.well-known/oauth-protected-resource/a/mcp/",
            ),
        ] {
            assert_eq!(&*resource(identifier).metadata_url, url);
        }
    }

    #[test]
    fn a_path_is_under_the_longest_resource_that_it_equals_or_continues() {
        let resources = resources(&["https://a/", "https://a/mcp", "https://a/mcp/tools/"]);
        let covering = |path: &str| {
            &*resources
                .covering(path.as_bytes(), None)
                .unwrap()
                .identifier
        };
        for (path, identifier) in [
            ("/", "https://a/"),
            ("/mcpx", "https://a/"),
            ("/%6dcp", "https://a/"),
            ("/mcp", "https://a/mcp"),
            ("/mcp/", "https://a/mcp"),
            ("/mcp?a=/mcp/tools", "https://a/mcp"),
            ("/mcp/tool", "https://a/mcp"),
            ("/mcp/tools", "https://a/mcp/tools/"),
            ("/mcp/tools/x/y", "https://a/mcp/tools/"),
        ] {
            assert_eq!(covering(path), identifier, "{path}");
        }
    }

    #[test]
    fn the_host_decides_only_between_resources_with_one_path() {
        let list = ["https://a/mcp", "https://B:8443/mcp/", "https://c/x"];
        let resources = resources(&list);
        assert!(resources.uses_hosts());
        let path = b"/.well-known/oauth-protected-resource/mcp";
        let found = |name| {
            let found = resources.described_at(path, Some(&host(name)))?;
            Some(&*found.identifier)
        };
        assert_eq!(found("a:80"), Some("https://a/mcp"));
        assert_eq!(found("b"), Some("https://B:8443/mcp/"));
        assert_eq!(found("c"), None);
        assert!(resources.described_at(path, None).is_none());
        let other = b"/.well-known/oauth-protected-resource/x/?q";
        assert!(resources.described_at(other, None).is_some());
        assert!(!self::resources(&["https://a/x", "https://b/y"]).uses_hosts());
    }

    #[test]
    fn resources_are_listed_by_path_and_then_by_host() {
        let resources = resources(&["https://b/x", "https://c/", "https://a/x"]);
        let listed: Vec<_> = resources.iter().map(|one| &*one.identifier).collect();
        assert_eq!(listed, ["https://c/", "https://a/x", "https://b/x"]);
    }

    #[test]
    fn metadata_has_one_spelling() {
        let resources = resources(&["https://a/", "https://a/mcp"]);
        let at = |path: &str| {
            let is_metadata = resources.is_metadata_path(path.as_bytes());
            let found = resources.described_at(path.as_bytes(), None);
            assert!(is_metadata || found.is_none(), "{path}");
            found.map(|found| &*found.identifier)
        };
        let well_known = WELL_KNOWN;
        assert_eq!(at(well_known), Some("https://a/"));
        assert_eq!(at(&format!("{well_known}/")), Some("https://a/"));
        assert_eq!(at(&format!("{well_known}/mcp")), Some("https://a/mcp"));
        assert_eq!(at(&format!("{well_known}/mcp?x")), Some("https://a/mcp"));
        for path in [
            "/.well-known/oauth-protected-resourcemcp",
            "/.well-known/oauth-protected-resource//mcp",
            "/.well-known/oauth-protected-resource/mcp//",
            "/.well-known/oauth-protected-resource/mc%70",
            "/.well-known/oauth-protected-resource/MCP",
            "/.Well-Known/oauth-protected-resource",
            "/%2Ewell-known/oauth-protected-resource",
            "//.well-known/oauth-protected-resource",
            "/mcp/.well-known/oauth-protected-resource",
            "",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
    }
}
