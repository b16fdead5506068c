//! What is wrong with a header's name or value: `token_from`, `upstream`,
//! `responses`.

use std::fmt;

use super::Excerpt;
use crate::config::path::ConfigPath;

/// What is wrong with a name or value that goes into a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderProblem {
    /// Not the name of a header.
    NotAName(Excerpt),
    /// A pseudo-header, which is no header.
    Pseudo(Excerpt),
    /// A header that is not the filter's to set: client copies of it would be
    /// removed, under every spelling.
    Reserved {
        /// The name as written.
        name: Excerpt,
        /// What it is.
        because: Reserved,
    },
    /// A name that upstreams may take for another one of `upstream`.
    FoldsTogether {
        /// The other one.
        with: ConfigPath,
    },
    /// A header that no client sends a token in, or that the proxy or the
    /// connection needs for itself.
    HoldsNoToken {
        /// The name as written.
        name: Excerpt,
        /// What it is.
        because: Reserved,
    },
    /// The `cookie` header as a whole.
    CookieHeader,
    /// Not an authentication scheme.
    Scheme(Excerpt),
    /// A place that another one covers.
    SamePlace {
        /// The other one.
        as_place: ConfigPath,
    },
    /// A place whose name some upstreams take for that of another one, so that
    /// every token would count as two.
    AlikePlaces {
        /// The other one.
        with: ConfigPath,
    },
    /// A character that would end the quoted string of a challenge, or that no
    /// header may carry.
    Realm(Excerpt, char),
}

/// Why a header is not the filter's to set, no place for a token, or nothing to
/// compare with.
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
    /// It is the proxy's own.
    Envoy,
    /// Proxies tell each other about the client with it.
    Forwarded,
    /// It holds a proof of possession (RFC 9449).
    Proof,
    /// It says how the request is to be handled, such as `expect` and `range`.
    Handling,
    /// Browsers set it, and pages cannot.
    Browser,
    /// It is part of answers only.
    Response,
    /// A token may stand there.
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
