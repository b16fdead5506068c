//! The hosts that a route is for.

use super::{Host, HostKind};
use std::fmt;

/// A host that a route names: one host, or `*.` and a name, which matches one or
/// more labels before the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// This host and no other.
    Exact(Box<str>),
    /// Every host below this name, which is kept without the `*.`.
    Below(Box<str>),
}

impl HostPattern {
    /// Reads a host from the configuration.
    ///
    /// # Errors
    /// [`BadHostPattern`] if it is not a host, or is not in its normal form. In
    /// that case the error has the normal form.
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

/// Why a text is not a host for a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHostPattern {
    /// It is neither a host name nor an IP address.
    NotAHost,
    /// It is a URL or an origin.
    Url,
    /// A `*` is not the whole leftmost label.
    Wildcard,
    /// It holds letters outside of ASCII.
    NotAscii,
    /// It is a host, but with a port, upper case, a dot at the end, or an IPv6
    /// address that is not in its shortest form.
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
