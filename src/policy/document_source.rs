//! Where documents are fetched from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::telemetry::DocumentKind;

/// The index of a source in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

impl SourceId {
    /// The source at `index` of the list.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// Its index in the list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A place that serves a document, and the settings for fetching it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSource {
    /// What it serves.
    pub kind: DocumentKind,
    /// The provider whose name metrics and logs use: the first that names
    /// this source.
    pub name: Arc<str>,
    /// The proxy's cluster for it.
    pub cluster: Box<str>,
    /// What to fetch.
    pub location: DocumentLocation,
    /// The longest time that a fetch may take, and that a request may wait for
    /// it.
    pub timeout: Duration,
    /// The maximum age of the document before it is fetched again.
    pub refresh: Duration,
    /// How long the last good document is used while fetches fail.
    pub max_stale: Duration,
}

/// What to fetch from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentLocation {
    /// The document is at this URI.
    Uri(FetchUri),
    /// The issuer's metadata name the key set's URI.
    Discovery {
        /// The issuer that the metadata must name, as written.
        issuer: Box<str>,
        /// The URIs of the metadata: that of `OpenID` Connect, then that of RFC
        /// 8414, which is used if the first answers 4xx.
        metadata: [FetchUri; 2],
        /// Further hosts that may serve the key set, each with its cluster.
        hosts: BTreeMap<Box<str>, Box<str>>,
    },
}

/// An `http` or `https` URI, split into the parts that a request to a cluster
/// needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchUri {
    scheme: &'static str,
    host: Box<str>,
    authority: Box<str>,
    path: Box<str>,
}

impl FetchUri {
    /// Splits a URI into its parts (RFC 3986 §3).
    ///
    /// # Errors
    ///
    /// Another scheme, no host, user information, a fragment, or a byte that is
    /// not allowed in a URI. So no byte can end a request line early.
    pub fn parse(uri: &str) -> Result<Self, BadUri> {
        if !uri.bytes().all(is_uri_byte) {
            return Err(BadUri::Character);
        }
        let (scheme, rest) = uri.split_once("://").ok_or(BadUri::Scheme)?;
        let scheme = if scheme.eq_ignore_ascii_case("https") {
            "https"
        } else if scheme.eq_ignore_ascii_case("http") {
            "http"
        } else {
            return Err(BadUri::Scheme);
        };
        if rest.contains('#') {
            return Err(BadUri::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(BadUri::Host)?;
        if authority.contains('@') {
            return Err(BadUri::UserInfo);
        }
        let host = host_of(authority).ok_or(BadUri::Host)?;
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            scheme,
            host: host.to_ascii_lowercase().into(),
            authority: authority.to_ascii_lowercase().into(),
            path: path.into(),
        })
    }

    /// The same scheme and authority with another path, which begins with `/`.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        Self {
            path: path.into(),
            ..self.clone()
        }
    }

    /// The URI for messages. The query is left out, since it may contain a
    /// secret.
    #[must_use]
    pub fn without_query(&self) -> String {
        match self.path.split_once('?') {
            None => self.to_string(),
            Some((path, _)) => format!("{}://{}{path}?...", self.scheme, self.authority),
        }
    }

    /// `http` or `https`.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The host in lower case, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host in lower case, with the port where one is written.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path, with the query if there is one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for FetchUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

/// The host of an authority without user information; absent if the host or the
/// port is malformed.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']')?;
        let (host, rest) = authority.split_at_checked(end.checked_add(1)?)?;
        (
            host,
            rest.strip_prefix(':')
                .or_else(|| rest.is_empty().then_some("0"))?,
        )
    } else {
        authority.split_once(':').unwrap_or((authority, "0"))
    };
    let well_formed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]:".contains(&byte);
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    (!host.is_empty() && host.bytes().all(well_formed) && digits && port.parse::<u16>().is_ok())
        .then_some(host)
}

/// Whether a URI may have this byte (RFC 3986 §2).
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// Why a URI cannot be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUri {
    /// A byte that is not allowed in a URI.
    Character,
    /// Neither `http://` nor `https://`.
    Scheme,
    /// No host, or a malformed host or port.
    Host,
    /// User information before the host.
    UserInfo,
    /// A fragment.
    Fragment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_split_into_its_parts() {
        let uri = FetchUri::parse("https://Issuer.Example:8443/a/jwks.json?v=1").unwrap();
        assert_eq!(
            (uri.scheme(), uri.host(), uri.authority(), uri.path()),
            (
                "https",
                "issuer.example",
                "issuer.example:8443",
                "/a/jwks.json?v=1"
            ),
        );
        assert_eq!(
            uri.without_query(),
            "https://issuer.example:8443/a/jwks.json?..."
        );
        let plain = FetchUri::parse("https://h/a").unwrap();
        assert_eq!(plain.without_query(), "https://h/a");
        assert_eq!(FetchUri::parse("http://h").unwrap().path(), "/");
        assert_eq!(FetchUri::parse("http://h?q").unwrap().path(), "/?q");
        assert_eq!(
            FetchUri::parse("http://[::1]:80/x").unwrap().host(),
            "[::1]"
        );
    }

    #[test]
    fn a_uri_that_cannot_be_fetched_is_refused() {
        for (uri, error) in [
            ("ftp://h/", BadUri::Scheme),
            ("h/", BadUri::Scheme),
            ("https:///x", BadUri::Host),
            ("https://h:99999/", BadUri::Host),
            ("https://h:/", BadUri::Host),
            ("https://h:+80/", BadUri::Host),
            ("https://[::1/", BadUri::Host),
            ("https://u@h/", BadUri::UserInfo),
            ("https://h/#x", BadUri::Fragment),
            ("https://h/ x", BadUri::Character),
            ("https://h/\r\nx", BadUri::Character),
            ("https://h\\@evil/", BadUri::Character),
            ("https://ä/", BadUri::Character),
        ] {
            assert_eq!(FetchUri::parse(uri), Err(error), "{uri}");
        }
    }
}
