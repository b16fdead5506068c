//! The identifiers of protected resources (RFC 9728 section 1.2).

use super::{BadUri, FetchUri, WELL_KNOWN};
use crate::http::Host;

/// The longest identifier of a resource, in bytes. Challenges contain it.
pub const MAX_IDENTIFIER: usize = 2_048;

/// The parts of a resource's identifier.
#[derive(Clone, Debug)]
pub struct ResourceLocation<'t> {
    identifier: &'t str,
    /// Scheme and authority: `https://api.example.com`.
    origin: &'t str,
    /// The path without a slash at its end.
    path: &'t str,
    /// The path as written, but empty for the root.
    suffix: &'t str,
    host: Host<'t>,
}

impl<'t> ResourceLocation<'t> {
    /// Reads an identifier: an absolute `https` URL without query or fragment (RFC 9728
    /// section 1.2). `http` is accepted for this machine.
    ///
    /// # Errors
    ///
    /// The first problem.
    pub fn parse(identifier: &'t str) -> Result<Self, BadResource> {
        if identifier.len() > MAX_IDENTIFIER {
            return Err(BadResource::TooLong);
        }
        let uri = FetchUri::parse(identifier).map_err(BadResource::Uri)?;
        if identifier.contains('?') {
            return Err(BadResource::Query);
        }
        // Clients compare identifiers as text.
        let (scheme, rest) = identifier
            .split_once("://")
            .filter(|(scheme, _)| *scheme == uri.scheme())
            .ok_or(BadResource::Scheme)?;
        let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
        let host = Host::parse(Some(authority.as_bytes()));
        let host = host.ok().flatten().ok_or(BadResource::Uri(BadUri::Host))?;
        if scheme == "http" && !is_this_machine(host.as_str()) {
            return Err(BadResource::Http);
        }
        let start = scheme
            .len()
            .saturating_add("://".len())
            .saturating_add(authority.len());
        let (origin, written) = identifier
            .split_at_checked(start)
            .ok_or(BadResource::Uri(BadUri::Host))?;
        let path = written.strip_suffix('/').unwrap_or(written);
        Ok(Self {
            identifier,
            origin,
            path,
            suffix: if path.is_empty() { path } else { written },
            host,
        })
    }

    /// The host in its normal form.
    #[must_use]
    pub const fn host(&self) -> &Host<'t> {
        &self.host
    }

    /// The path without a slash at its end: empty for the root.
    #[must_use]
    pub const fn path(&self) -> &'t str {
        self.path
    }

    /// The identifier, as written.
    #[must_use]
    pub const fn identifier(&self) -> &'t str {
        self.identifier
    }

    /// The URL of the metadata: the well-known path stands between host and path.
    pub(super) fn metadata_url(&self) -> String {
        [self.origin, WELL_KNOWN, self.suffix].concat()
    }
}

/// Whether a host names the machine itself, which needs no TLS.
fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Why a text is not the identifier of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadResource {
    /// Longer than [`MAX_IDENTIFIER`].
    TooLong,
    /// Not a URL.
    Uri(BadUri),
    /// It has a query.
    Query,
    /// The scheme is not in lower case.
    Scheme,
    /// It is an `http` URL of another machine.
    Http,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_an_https_url_without_query_or_fragment() {
        for (identifier, error) in [
            ("http://api.example.com/", BadResource::Http),
            ("http://localhost.example.com/", BadResource::Http),
            ("https://api.example.com/?a", BadResource::Query),
            ("https://api.example.com?a", BadResource::Query),
            (
                "https://api.example.com/#a",
                BadResource::Uri(BadUri::Fragment),
            ),
            ("HTTPS://api.example.com/", BadResource::Scheme),
            (
                "https://a@api.example.com/",
                BadResource::Uri(BadUri::UserInfo),
            ),
            ("https:///mcp", BadResource::Uri(BadUri::Host)),
            ("https://a~b/", BadResource::Uri(BadUri::Host)),
            ("urn:api", BadResource::Uri(BadUri::Scheme)),
            (
                "https://api.example.com/\"a",
                BadResource::Uri(BadUri::Character),
            ),
        ] {
            let found = ResourceLocation::parse(identifier).map(|_| ());
            assert_eq!(found, Err(error), "{identifier}");
        }
        let longest = format!("https://a/{}", "a".repeat(MAX_IDENTIFIER - 10));
        assert!(ResourceLocation::parse(&longest).is_ok());
        assert!(ResourceLocation::parse(&format!("{longest}a")).is_err());
    }
}
