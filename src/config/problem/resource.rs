//! Problems of a protected resource.

use std::fmt;

use super::Excerpt;
use super::provider::bad_uri;
use crate::config::path::ConfigPath;
use crate::http::BadPath;
use crate::policy::{BadResource, BadUri, MAX_IDENTIFIER};

/// The problem of a value in `resources`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceProblem {
    /// Not the identifier of a resource.
    Identifier(Excerpt, BadResource),
    /// Every request for the path of this identifier is refused.
    Path(Excerpt, BadPath),
    /// The same path and host as another resource has, so that the metadata of only one
    /// of them could be found.
    SamePlace {
        /// The other resource.
        as_resource: ConfigPath,
    },
    /// Not the URL of a page.
    Documentation(Excerpt, BadUri),
    /// The metadata of all resources together take too much memory.
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
}

impl fmt::Display for ResourceProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier(identifier, reason) => {
                write!(out, "{identifier} ")?;
                bad_resource(out, *reason)
            }
            Self::Path(identifier, reason) => write!(
                out,
                "{identifier}: every request for its path is refused: {reason}; write another path"
            ),
            Self::SamePlace { as_resource } => write!(
                out,
                "has the same path and host as {as_resource}, so their metadata would be at the same place; \
                 remove or change one of them"
            ),
            Self::Documentation(url, reason) => write!(out, "{url} {}", bad_uri(*reason)),
            Self::TooLarge { limit } => write!(
                out,
                "have metadata of more than {limit} bytes in all; \
                 write `providers` and `scopes` with fewer elements in each"
            ),
        }
    }
}

fn bad_resource(out: &mut fmt::Formatter<'_>, reason: BadResource) -> fmt::Result {
    match reason {
        BadResource::TooLong => write!(
            out,
            "is longer than {MAX_IDENTIFIER} bytes; write a shorter URL"
        ),
        BadResource::Uri(BadUri::Scheme) | BadResource::Scheme => out.write_str(
            "is not a URL that begins with `https://`, in lower case; write one, \
             such as `https://api.example.com/mcp`",
        ),
        BadResource::Uri(BadUri::Host) => out.write_str(
            "has no valid host and port; write for example `https://api.example.com/mcp`",
        ),
        BadResource::Uri(reason) => out.write_str(bad_uri(reason)),
        BadResource::Query => out.write_str("has a query; remove the `?` and what follows"),
        BadResource::Http => out.write_str(
            "begins with `http://`, which is accepted only for `localhost`, `127.0.0.1` and `[::1]`; \
             write `https://`",
        ),
    }
}
