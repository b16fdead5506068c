//! Everything that can be wrong with a configured policy.

use std::fmt;

use super::origin::OriginError;
use crate::http::BadMethod;

/// One problem of a configured policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsError {
    /// The member.
    pub member: CorsMember,
    /// The entry of its list, if the problem is in one.
    pub index: Option<usize>,
    /// The problem.
    pub problem: CorsProblem,
}

/// A member of `cors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the member of its name")]
pub enum CorsMember {
    AllowOrigins,
    AllowMethods,
    AllowHeaders,
    ExposeHeaders,
    MaxAge,
}

/// The problem of a member or of an entry in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsProblem {
    /// The member is required.
    Missing,
    /// An empty list.
    EmptyList,
    /// Not an origin that a browser sends.
    Origin(OriginError),
    /// `*` together with `allow_credentials`.
    AnyOriginWithCredentials,
    /// `https://*` together with `allow_credentials`.
    AnyHostWithCredentials,
    /// Neither `ANY` nor a method that a route can have.
    Method(BadMethod),
    /// Not a token (RFC 9110 section 5.1).
    NotAHeaderName,
    /// `*` for a header together with `allow_credentials`, which makes it
    /// literal.
    AnyHeaderWithCredentials,
    /// `*` for a header where a route needs a token, in this member: it does not
    /// cover `Authorization`.
    AnyHeaderWithToken(CorsMember),
    /// A duplicate of the entry with this index.
    Repeats(usize),
    /// A duration with a fraction of a second.
    NotWholeSeconds,
    /// A duration that is too long for browsers.
    TooLong,
}

impl CorsMember {
    /// The name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AllowOrigins => "allow_origins",
            Self::AllowMethods => "allow_methods",
            Self::AllowHeaders => "allow_headers",
            Self::ExposeHeaders => "expose_headers",
            Self::MaxAge => "max_age",
        }
    }
}

impl fmt::Display for CorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.member.name())?;
        if let Some(index) = self.index {
            write!(f, "[{index}]")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for CorsError {}

impl fmt::Display for CorsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin(error) => return error.fmt(f),
            Self::Method(BadMethod::LetterCase { instead }) => {
                return write!(
                    f,
                    "is not a method, because methods are case-sensitive; write `{instead}`"
                );
            }
            Self::Repeats(first) => {
                return write!(
                    f,
                    "repeats entry {first} of the list (counted from 0); remove one"
                );
            }
            Self::Missing => "is missing; write a list such as `[https://app.example.com]`",
            Self::EmptyList => "is empty; write at least one entry",
            Self::AnyOriginWithCredentials => {
                "`*` is not allowed with `allow_credentials: true`, which would give every site \
                 the user's session; list the origins"
            }
            Self::AnyHostWithCredentials => {
                "matches every host and is not allowed with `allow_credentials: true`, which would \
                 give every site the user's session; name a domain, as in `https://*.example.com`"
            }
            Self::Method(BadMethod::NotAMethod) => {
                "is not a method; write upper-case letters, such as `GET`"
            }
            Self::Method(BadMethod::Several) => {
                "is more than one method; write one entry per method"
            }
            Self::Method(BadMethod::EveryMethod) => {
                "is not a method; write `ANY` for every method, or leave `allow_methods` out for \
                 those of the path's routes"
            }
            Self::NotAHeaderName => "is not a header name; write for example `Content-Type`",
            Self::AnyHeaderWithCredentials => {
                "`*` is not allowed with `allow_credentials: true`, because browsers then read \
                 it as the name of a header; list the names"
            }
            Self::AnyHeaderWithToken(CorsMember::AllowHeaders) => {
                "`*` alone is not allowed where a route needs a token, because it never covers \
                 `Authorization`; write `[\"*\", Authorization]`, or list the names"
            }
            Self::AnyHeaderWithToken(_) => {
                "`*` is not allowed where a route needs a token, because it never covers \
                 `Authorization`; list the names"
            }
            Self::NotWholeSeconds => {
                "is not in whole seconds; write for example `2h`, `30s` or `0s`"
            }
            Self::TooLong => {
                "is more than 2147483647 seconds; write such as `24h`, the maximum of all browsers"
            }
        })
    }
}
