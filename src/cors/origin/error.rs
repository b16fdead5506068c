//! Why a configured origin is refused, as text for its author.

use std::fmt;

/// An entry of `allow_origins` that no browser's `Origin` would ever match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    /// The problem; the first one, if there are several.
    pub fault: OriginFault,
    /// The correct spelling with all faults fixed, if it is known.
    pub write: Option<String>,
}

/// The problem of a configured origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginFault {
    /// Empty text.
    Empty,
    /// A blank, a comma or another sign that the entry has several origins.
    Several,
    /// A control character.
    Control,
    /// A character outside ASCII.
    NotAscii,
    /// An upper-case letter.
    UpperCase,
    /// No `://`.
    MissingScheme,
    /// The text before `://` is not a scheme.
    BadScheme,
    /// A scheme whose pages send `null`: `file`, `data`, `blob`, …
    OpaqueScheme,
    /// `ws` or `wss`.
    WebSocketScheme,
    /// A user name or password.
    UserInfo,
    /// A `/` at the end, with nothing after it.
    TrailingSlash,
    /// A path, query or fragment.
    Path,
    /// No host.
    EmptyHost,
    /// A host that ends in a dot.
    TrailingDot,
    /// Two dots in a row, or one at the start of the host.
    EmptyLabel,
    /// A character that is not allowed in a host.
    BadHost(char),
    /// A host that ends in a number and is not an IPv4 address in dotted decimal
    /// form.
    BadIpv4,
    /// Not an IPv6 address in brackets in its shortest form.
    BadIpv6,
    /// A `*` that is neither the port nor the only one in the leftmost label of
    /// the host.
    BadWildcard,
    /// A `*` beside other text in the label before the last: it matches names
    /// that anyone can register.
    WildcardInRegisteredName,
    /// A `*` in front of the end of an IPv4 address.
    WildcardInAddress,
    /// Not a port from 1 to 65535.
    BadPort,
    /// A port with leading zeros.
    LeadingZeroPort,
    /// The default port of the scheme, which browsers leave out.
    DefaultPort,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        match &self.write {
            Some(right) => write!(f, "; write `{right}`"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for OriginError {}

impl fmt::Display for OriginFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty; write an origin such as `https://app.example.com`",
            Self::Several => "has a space, a comma or a semicolon; write one origin in each entry",
            Self::Control => "has a control character; write an origin such as `https://app.example.com`",
            Self::NotAscii => {
                "has a character outside ASCII; browsers send the host in `xn--` form; write that"
            }
            Self::UpperCase => "has upper-case letters, which no browser sends",
            Self::MissingScheme => "has no scheme, such as `https://`",
            Self::BadScheme => "has something before `://` that is not a scheme; write one such as `https`",
            Self::OpaqueScheme => {
                "names a scheme whose pages have no origin; browsers send `null` for them, \
                 which every sandboxed frame sends too"
            }
            Self::WebSocketScheme => "names a WebSocket scheme; browsers send the origin of the page",
            Self::UserInfo => "has user info before `@`, which no browser sends",
            Self::TrailingSlash => "ends in `/`, which no browser sends",
            Self::Path => "has a path, query or fragment; an origin ends with host and port",
            Self::EmptyHost => "has no host; write one after `://`",
            Self::TrailingDot => "has a host that ends in a dot, which is a different origin",
            Self::EmptyLabel => "has a host with an empty label",
            Self::BadHost(character) => {
                return write!(f, "has {character:?} in the host, which is not allowed there");
            }
            Self::BadIpv4 => {
                "has a host that ends in a number; write an IPv4 address as four decimal numbers without leading zeros"
            }
            Self::BadIpv6 => "has a host that is not an IPv6 address in its shortest form, such as `[::1]`",
            Self::BadWildcard => {
                "has a `*` that is neither in the leftmost label of the host, once, nor the port; \
                 write such as `https://*.example.com`, `https://preview-*.example.com` or `http://localhost:*`"
            }
            Self::WildcardInRegisteredName => {
                "has a `*` within a name that anyone can register, so pages of others match; \
                 put a dot after the `*`, as in `https://*.example.com`, or list the names"
            }
            Self::WildcardInAddress => {
                "has a `*` before the end of an IPv4 address, which matches nothing; list the addresses"
            }
            Self::BadPort => "has a port that is not a number from 1 to 65535; write such a number or `*`",
            Self::LeadingZeroPort => "has a port with leading zeros, which no browser sends",
            Self::DefaultPort => "has the default port of its scheme, which browsers leave out",
        })
    }
}
