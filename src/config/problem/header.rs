//! Problems of a header's name or value: `token_from`, `upstream`, `responses`.

use std::fmt;

use super::Excerpt;
use crate::config::path::ConfigPath;

/// The problem of a name or value that is used in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderProblem {
    /// Not the name of a header.
    NotAName(Excerpt),
    /// A pseudo-header, which is not a header field.
    Pseudo(Excerpt),
    /// A header that the filter must not set: client copies of it would be
    /// removed, in every spelling.
    Reserved {
        /// The name as written.
        name: Excerpt,
        /// The kind of header.
        because: Reserved,
    },
    /// A name that upstreams may take for another name in `upstream`.
    FoldsTogether {
        /// The other name.
        with: ConfigPath,
    },
    /// A header in which no client sends a token, or that the proxy or the
    /// connection uses.
    HoldsNoToken {
        /// The name as written.
        name: Excerpt,
        /// The kind of header.
        because: Reserved,
    },
    /// The `cookie` header as a whole.
    CookieHeader,
    /// Not an authentication scheme.
    Scheme(Excerpt),
    /// A place that another place covers.
    SamePlace {
        /// The other place.
        as_place: ConfigPath,
    },
    /// A place whose name some upstreams take for that of another place, so that
    /// each token would count as two.
    AlikePlaces {
        /// The other place.
        with: ConfigPath,
    },
    /// A character that would end the quoted string of a challenge, or that is
    /// not allowed in a header.
    Realm(Excerpt, char),
}

/// Why the filter must not set a header, read a token from it, or compare a
/// claim with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It belongs to one connection (RFC 9110 section 7.6.1).
    HopByHop,
    /// It names the requested host.
    Host,
    /// It describes the body.
    Content,
    /// It holds cookies.
    Cookie,
    /// It belongs to the proxy.
    Envoy,
    /// Proxies use it to pass on information about the client.
    Forwarded,
    /// It holds a proof of possession (RFC 9449).
    Proof,
    /// It controls how the request is handled, such as `expect` and `range`.
    Handling,
    /// Browsers set it, and scripts cannot.
    Browser,
    /// It occurs in responses only.
    Response,
    /// It may hold a token.
    Token,
}

impl fmt::Display for Reserved {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::HopByHop => "belongs to one connection",
            Self::Host => "names the requested host",
            Self::Content => "describes the body",
            Self::Cookie => "holds cookies",
            Self::Envoy => "belongs to the proxy",
            Self::Forwarded => "describes the client",
            Self::Proof => "holds the proof of a DPoP token",
            Self::Handling => "controls how the request is handled",
            Self::Browser => "is set by browsers",
            Self::Response => "belongs to responses",
            Self::Token => "may hold the token (`token_from`)",
        })
    }
}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAName(name) => {
                write!(
                    out,
                    "{name} is not a header name; write letters, digits and `-`"
                )
            }
            Self::Pseudo(name) => {
                write!(
                    out,
                    "{name} is a pseudo-header; write the name of an ordinary one, such as `x-user-id`"
                )
            }
            Self::Reserved { name, because } => write!(
                out,
                "{name} cannot be set, because it {because}; write another name, such as `x-user-id`"
            ),
            Self::HoldsNoToken { name, because } => write!(
                out,
                "{name} cannot hold a token, because it {because}; write another name, such as `authorization`"
            ),
            Self::FoldsTogether { with } => write!(
                out,
                "may be read by upstreams as the same header as {with}, because they ignore letter case and treat `-`, `_` and `.` as equal; rename \
                 one of them"
            ),
            Self::CookieHeader => {
                out.write_str("is the header of all cookies; write `cookie: NAME` instead")
            }
            Self::Scheme(scheme) => {
                write!(
                    out,
                    "{scheme} is not an authentication scheme; write one word, such as `Bearer`"
                )
            }
            Self::SamePlace { as_place } => write!(
                out,
                "reads the same header as {as_place}, so one token would count as two; remove one of them or give both a `scheme`"
            ),
            Self::AlikePlaces { with } => write!(
                out,
                "may be read by upstreams as the same name as {with}, because they ignore letter case and treat `-`, `_` and `.` as equal, so one \
                 token would count as two; remove one of them"
            ),
            Self::Realm(realm, character) => write!(
                out,
                "{realm} has {character:?}; write visible ASCII without quotes and backslashes"
            ),
        }
    }
}
