//! The hosts that a route is for.

use super::{Host, HostKind};
use std::fmt;

/// A host that a route names: one host, or `*.` before a name, which stands
/// for one or more labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// This host and no other.
    Exact(Box<str>),
    /// Every host below this name, which is kept without the `*.`.
    Below(Box<str>),
}

impl HostPattern {
    /// Takes a host as a configuration writes it.
    ///
    /// # Errors
    /// [`BadHostPattern`] when it is no host, or is written otherwise than
    /// hosts are compared: then with the spelling to write instead.
    pub fn parse(text: &str) -> Result<Self, BadHostPattern> {
        let (wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if name.contains("://") {
            return Err(BadHostPattern::Url);
        }
        if name.contains('*') {
            return Err(BadHostPattern::Wildcard);
        }
        if !name.is_ascii() {
            return Err(BadHostPattern::NotAscii);
        }
        let Ok(Some(host)) = Host::parse(Some(name.as_bytes())) else {
            return Err(BadHostPattern::NotAHost);
        };
        if wildcard && host.kind == HostKind::Address {
            return Err(BadHostPattern::Wildcard);
        }
        let parsed = if wildcard {
            Self::Below(host.as_str().into())
        } else {
            Self::Exact(host.as_str().into())
        };
        if host.as_str() == name {
            Ok(parsed)
        } else {
            Err(BadHostPattern::Spelling { instead: parsed })
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => out.write_str(host),
            Self::Below(name) => write!(out, "*.{name}"),
        }
    }
}

/// Why a text is not a host that a route can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHostPattern {
    /// It is no host name and no IP address.
    NotAHost,
    /// It is a URL or an origin.
    Url,
    /// A `*` stands elsewhere than for the whole left of a name.
    Wildcard,
    /// It holds letters outside of ASCII.
    NotAscii,
    /// It is a host, but with a port, upper case, a dot at the end or an IPv6
    /// address in another form than its shortest.
    Spelling {
        /// The host that is meant.
        instead: HostPattern,
    },
}

impl fmt::Display for BadHostPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAHost => out.write_str("not a host; write a name such as `api.example.com`"),
            Self::Url => out.write_str("not a host but a URL; write its host only"),
            Self::Wildcard => out.write_str(
                "`*` stands only for the whole left part of a name, as in `*.example.com`; \
                 for every host leave `hosts` out",
            ),
            Self::NotAscii => {
                out.write_str("write the name as DNS has it, in ASCII (`xn--…`, punycode)")
            }
            Self::Spelling { instead } => write!(
                out,
                "hosts are compared in lower case, without port and without a dot at the end; \
                 write `{instead}`"
            ),
        }
    }
}

impl std::error::Error for BadHostPattern {}
