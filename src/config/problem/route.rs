//! Problems of a route, or of `paths`.

use std::fmt;

use super::Excerpt;
use crate::config::path::ConfigPath;
use crate::http::{BadHostPattern, BadPattern, BadRoutePattern, HostPattern, MAX_MCP_VALUE};
use crate::policy::Access;
use crate::policy::routes::MAX_SEGMENTS;
use crate::rules::MAX_IMPLYING_SCOPES;

/// The problem of a value in `routes` or `paths`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteProblem {
    /// Not a pattern that a request could match.
    Pattern(Excerpt, BadRoutePattern),
    /// An invalid base path.
    Base(Excerpt, BadPattern),
    /// Not a character that `allow_encoded` can allow.
    Encoded(Excerpt),
    /// Not a host or a wildcard of hosts.
    Host(Excerpt, BadHostPattern),
    /// Two patterns that match the same requests.
    Clash {
        /// The other pattern.
        with: ConfigPath,
        /// A host that both are for; absent: both are for every host.
        host: Option<HostPattern>,
    },
    /// Two patterns that only `mcp` tells apart, with different CORS policies.
    OtherCors {
        /// The other pattern.
        with: ConfigPath,
    },
    /// A pattern of a route with `mcp` that is not for `POST` alone.
    McpNotPost(Excerpt),
    /// Names in `mcp` with several methods.
    NameOfSeveralMethods,
    /// A method or a name that is too long for a header.
    LongMcpValue,
    /// More segments in all patterns together than [`MAX_SEGMENTS`].
    TooManySegments,
    /// No provider has this name.
    NoSuchProvider {
        /// The name.
        name: Excerpt,
        /// The name that was probably meant.
        nearest: Option<Excerpt>,
    },
    /// A rule about tokens on a route that does not need one.
    NoTokenNeeded(Access),
    /// A route needs a token, but there are no providers.
    NoProviders {
        /// The route.
        route: ConfigPath,
    },
    /// A character that is not allowed in a scope (RFC 6749 section 3.3): it
    /// would end the challenge's quoted string, or split the scope into two.
    Scope(Excerpt, char),
    /// A character that is not allowed in a value of `acr`, for the same reason.
    Acr(Excerpt, char),
    /// Scopes of which each implies the next, and the last implies the first.
    ScopeCircle(Vec<Excerpt>),
    /// More scopes in `scope_implies` than [`MAX_IMPLYING_SCOPES`].
    TooManyImplyingScopes,
}

/// The most scopes of a circle that an error shows.
const SHOWN_OF_CIRCLE: usize = 8;

impl fmt::Display for RouteProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern, reason) => write!(out, "{pattern}: {reason}"),
            Self::Base(base, reason) => write!(out, "{base}: {reason}"),
            Self::Encoded(character) => {
                write!(
                    out,
                    "{character} cannot be allowed; write one of \"/\", \"%\", \"?\", \"#\" and \";\""
                )
            }
            Self::Host(host, reason) => write!(out, "{host}: {reason}"),
            Self::Clash { with, host } => {
                write!(out, "matches the same requests as {with}")?;
                if let Some(host) = host {
                    write!(out, " at {host}")?;
                }
                out.write_str(", so their order is ambiguous; remove or change one of them")
            }
            Self::OtherCors { with } => write!(
                out,
                "has another `cors` than {with}, and a preflight does not have the headers of `mcp` \
                 that tell them apart; write the same `cors` in both"
            ),
            Self::McpNotPost(pattern) => write!(
                out,
                "{pattern} is not for POST, and MCP requests with these headers are; write `POST …`, \
                 or a route without `mcp` for it"
            ),
            Self::NameOfSeveralMethods => out.write_str(
                "is for one method, but `method` lists several; write one, or a route for each",
            ),
            Self::LongMcpValue => write!(
                out,
                "is longer than {MAX_MCP_VALUE} bytes, which no request can have; write a shorter one"
            ),
            Self::TooManySegments => write!(
                out,
                "has patterns of more than {MAX_SEGMENTS} segments in all, those of a route with \
                 `hosts` counted for each group of hosts that have other routes, and each method or \
                 name of `mcp` as one; write fewer or shorter patterns, or the same `hosts` in more \
                 routes"
            ),
            Self::NoSuchProvider { name, nearest } => no_such_provider(out, name, nearest.as_ref()),
            Self::NoTokenNeeded(access) => no_token_needed(out, *access),
            Self::NoProviders { route } => write!(
                out,
                "is missing, but {route} needs a token; write at least one provider, \
                 or give every route `access: public` or `access: denied`"
            ),
            Self::Acr(acr, character) => bad_word(out, acr, *character, ("an `acr`", "value")),
            Self::ScopeCircle(scopes) => scope_circle(out, scopes),
            Self::TooManyImplyingScopes => write!(
                out,
                "names more than {MAX_IMPLYING_SCOPES} scopes; write fewer"
            ),
            Self::Scope(scope, character) => bad_word(out, scope, *character, ("a scope", "scope")),
        }
    }
}

fn bad_word(
    out: &mut fmt::Formatter<'_>,
    word: &Excerpt,
    character: char,
    (what, one): (&str, &str),
) -> fmt::Result {
    write!(
        out,
        "{word} has {character:?}, which is not allowed in {what}; write one {one} in each element, \
         of visible ASCII without quotes and backslashes"
    )
}

fn scope_circle(out: &mut fmt::Formatter<'_>, scopes: &[Excerpt]) -> fmt::Result {
    out.write_str("has a circle: ")?;
    for scope in scopes.iter().take(SHOWN_OF_CIRCLE) {
        write!(out, "{scope} implies ")?;
    }
    if scopes.len() > SHOWN_OF_CIRCLE {
        out.write_str("… implies ")?;
    }
    if let Some(first) = scopes.first() {
        write!(out, "{first}")?;
    }
    out.write_str("; remove one of these")
}

fn no_such_provider(
    out: &mut fmt::Formatter<'_>,
    name: &Excerpt,
    nearest: Option<&Excerpt>,
) -> fmt::Result {
    write!(out, "{name} is not the name of a provider; ")?;
    match nearest {
        Some(nearest) => write!(out, "did you mean {nearest}?"),
        None => out.write_str("write the `name` of one of `providers`"),
    }
}

fn no_token_needed(out: &mut fmt::Formatter<'_>, access: Access) -> fmt::Result {
    let (word, why) = match access {
        Access::Public => ("public", "ignores tokens"),
        Access::Denied => ("denied", "ignores tokens"),
        Access::Optional => ("optional", "lets requests without a token pass"),
        Access::Required => ("required", "needs a token"),
    };
    write!(
        out,
        "is not allowed on a route with `access: {word}`, which {why}; remove one of the two"
    )
}
