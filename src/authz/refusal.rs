//! The response to a refused request: status, challenge and body. All text is
//! fixed or comes from the configuration.

use crate::http::{LocalReply, SafeText};
use crate::policy::{BodyStyle, Responses};
use crate::telemetry::Reason;

/// A refused request, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// A sentence for the client, from a fixed list. `None` if the status is sufficient.
    pub description: Option<&'static str>,
    /// The scopes that the route needs, from the configuration.
    pub scopes: Vec<Box<str>>,
    /// The seconds until the client should try again.
    pub retry_after: Option<u64>,
}

/// The statuses of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Unavailable,
}

/// The content of a challenge (RFC 6750 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenge {
    /// No challenge: credentials would not help.
    None,
    /// No token was sent. The challenge says how to send one and contains no `error`.
    Bare,
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            description: description(reason),
            scopes: Vec::new(),
            retry_after: None,
        }
    }
}

impl Refusal {
    /// The reply to the client.
    #[must_use]
    pub fn reply(&self, responses: &Responses) -> LocalReply {
        let (status, challenge) = outcome(self.reason);
        let mut headers = vec![
            ("content-type", SafeText::from(responses.body.media_type())),
            ("cache-control", SafeText::from("no-store")),
        ];
        if let Some(challenge) = self.challenge(challenge, &responses.realm) {
            headers.push(("www-authenticate", challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.push(("retry-after", SafeText::filtered(seconds.to_string())));
        }
        LocalReply {
            status: status.code(),
            headers,
            body: self.body(status, responses.body),
            details: self.reason.details(),
        }
    }

    fn challenge(&self, challenge: Challenge, realm: &str) -> Option<SafeText> {
        let error = match challenge {
            Challenge::None => return None,
            Challenge::Bare => None,
            Challenge::InvalidRequest => Some("invalid_request"),
            Challenge::InvalidToken => Some("invalid_token"),
            Challenge::InsufficientScope => Some("insufficient_scope"),
        };
        let mut text = SafeText::from("Bearer realm=");
        text.push_quoted(realm);
        if let Some(error) = error {
            text.push(", error=");
            text.push_quoted(error);
            // A refusal for insufficient scope contains only the scope, if there is one.
            let description = self
                .description
                .filter(|_| challenge != Challenge::InsufficientScope);
            if let Some(description) = description {
                text.push(", error_description=");
                text.push_quoted(description);
            }
        }
        if !self.scopes.is_empty() {
            text.push(", scope=");
            text.push_quoted(self.scopes.join(" "));
        }
        Some(text)
    }

    fn body(&self, status: Status, style: BodyStyle) -> Vec<u8> {
        let title = status.title();
        match (style, self.description) {
            (BodyStyle::Aws, _) => format!(r#"{{"message":"{title}"}}"#),
            (BodyStyle::Problem, None) => {
                format!(r#"{{"title":"{title}","status":{}}}"#, status.code())
            }
            (BodyStyle::Problem, Some(detail)) => format!(
                r#"{{"title":"{title}","status":{},"detail":"{detail}"}}"#,
                status.code()
            ),
        }
        .into_bytes()
    }
}

impl BodyStyle {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Aws => "application/json",
            Self::Problem => "application/problem+json",
        }
    }
}

impl Status {
    const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Unavailable => 503,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not Found",
            Self::Unavailable => "Service Unavailable",
        }
    }
}

/// Maps reasons to statuses; no other code does. Reasons that let a request pass map to
/// 503 here, so an error cannot let a request pass.
const fn outcome(reason: Reason) -> (Status, Challenge) {
    match reason {
        Reason::BadConnection
        | Reason::BadMethod
        | Reason::BadPath
        | Reason::BadPathEncoded
        | Reason::BadPathEmptySegment
        | Reason::BadPathSemicolon
        | Reason::BadHost => (Status::BadRequest, Challenge::None),
        Reason::NoRoute => (Status::NotFound, Challenge::None),
        Reason::Denied | Reason::PreflightRefused => (Status::Forbidden, Challenge::None),
        Reason::NoToken => (Status::Unauthorized, Challenge::Bare),
        Reason::MalformedCredentials | Reason::SeveralTokens => {
            (Status::BadRequest, Challenge::InvalidRequest)
        }
        Reason::TokenTooLong
        | Reason::MalformedToken
        | Reason::BadAlgorithm
        | Reason::UnsupportedHeader
        | Reason::BadType
        | Reason::UnknownIssuer
        | Reason::UnknownKey
        | Reason::NoFittingKey
        | Reason::BadSignature
        | Reason::Expired
        | Reason::NotYetValid
        | Reason::LifetimeTooLong
        | Reason::BadAudience
        | Reason::BadTokenUse
        | Reason::BadClaims
        | Reason::BoundToken
        | Reason::UnboundToken
        | Reason::DpopNotAccepted => (Status::Unauthorized, Challenge::InvalidToken),
        Reason::MissingScope | Reason::MissingClaim => {
            (Status::Forbidden, Challenge::InsufficientScope)
        }
        Reason::KeysUnavailable
        | Reason::TooManyWaiting
        | Reason::InternalError
        | Reason::Allowed
        | Reason::Public
        | Reason::Anonymous
        | Reason::Preflight => (Status::Unavailable, Challenge::None),
    }
}

/// The descriptions of refusals, in the characters that RFC 6750 section 3 allows.
const fn description(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::MalformedCredentials => "The credentials are not a scheme and one token",
        Reason::SeveralTokens => "The request has more than one token",
        Reason::TokenTooLong => "The token is too long",
        Reason::MalformedToken => "The token is malformed",
        Reason::BadAlgorithm => "The token signature algorithm is not accepted",
        Reason::UnsupportedHeader => "The token header is not supported",
        Reason::BadType => "The token type is not accepted",
        Reason::UnknownIssuer => "The token issuer is not trusted",
        Reason::UnknownKey => "The token key is unknown",
        Reason::NoFittingKey => "No key fits the token",
        Reason::BadSignature => "The token signature does not verify",
        Reason::Expired => "The token has expired",
        Reason::NotYetValid => "The token is not valid yet",
        Reason::LifetimeTooLong => "The token is valid for too long",
        Reason::BadAudience => "The token does not have a valid audience",
        Reason::BadTokenUse => "The token is not for this use",
        Reason::BadClaims => "The token claims are not accepted",
        Reason::BoundToken => {
            "The token is bound to its holder and no proof of that can be checked"
        }
        Reason::UnboundToken => "The token is not bound to its holder",
        Reason::DpopNotAccepted => "The scheme DPoP is not accepted for this token",
        Reason::MissingScope => "The token lacks a scope that is needed here",
        Reason::MissingClaim => "The token lacks a claim that is needed here",
        Reason::BadConnection => "The Connection header names a header that is set here",
        Reason::BadMethod => "The method has to be in upper case",
        Reason::BadPath => "The path is ambiguous",
        Reason::BadPathEncoded => "The path has an encoded character that is not allowed",
        Reason::BadPathEmptySegment => "The path has an empty segment",
        Reason::BadPathSemicolon => "The path has a semicolon",
        Reason::BadHost => "The host is not valid",
        Reason::Allowed
        | Reason::Public
        | Reason::Anonymous
        | Reason::Preflight
        | Reason::PreflightRefused
        | Reason::NoRoute
        | Reason::Denied
        | Reason::NoToken
        | Reason::KeysUnavailable
        | Reason::TooManyWaiting
        | Reason::InternalError => return None,
    })
}
