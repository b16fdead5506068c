//! The response to a refused request: status, challenge and body. All text is
//! fixed or comes from the configuration.

use super::Challenge;
use crate::dpop::NONCE_HEADER;
use crate::http::{LocalReply, SafeText};
use crate::policy::{BodyStyle, Responses};
use crate::telemetry::Reason;

/// A refused request, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<'p> {
    /// The reason.
    pub reason: Reason,
    /// A sentence for the client, from a fixed list. `None` if the status is sufficient.
    pub description: Option<&'static str>,
    /// The challenge. `None` if credentials would not help.
    pub challenge: Option<Challenge<'p>>,
    /// The challenge of another scheme that the client could use instead.
    pub alternative: Option<Challenge<'p>>,
    /// A fresh nonce of the server for the client's next proof (RFC 9449 section 9).
    pub nonce: Option<String>,
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

/// The `error` of a challenge (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorCode {
    /// No challenge: credentials would not help.
    NoChallenge,
    /// No token was sent. The challenge says how to send one and contains no `error`.
    Absent,
    InvalidRequest,
    InvalidToken,
    /// RFC 9449 section 7.1.
    InvalidProof,
    /// RFC 9449 section 9.
    UseNonce,
    InsufficientScope,
    /// RFC 9470 section 3.
    InsufficientUserAuthentication,
}

impl From<Reason> for Refusal<'_> {
    fn from(reason: Reason) -> Self {
        let description = description(reason);
        let challenge = outcome(reason).1.challenge();
        Self {
            reason,
            description,
            challenge: challenge.map(|challenge| Challenge {
                // A refusal for insufficient scope contains only the scope, if there is one.
                description: description
                    .filter(|_| challenge.error != ErrorCode::InsufficientScope.text()),
                ..challenge
            }),
            alternative: None,
            nonce: None,
            retry_after: None,
        }
    }
}

impl Refusal<'_> {
    /// The refusal for `reason` with another sentence for the client.
    pub(super) fn described(reason: Reason, description: &'static str) -> Self {
        let refusal = Self::from(reason);
        Self {
            description: Some(description),
            challenge: refusal.challenge.map(|challenge| Challenge {
                description: Some(description),
                ..challenge
            }),
            ..refusal
        }
    }

    /// Whether other credentials may be accepted: the status is 401.
    pub(super) fn is_unauthorized(&self) -> bool {
        outcome(self.reason).0 == Status::Unauthorized
    }

    /// The reply to the client.
    #[must_use]
    pub fn reply(&self, responses: &Responses) -> LocalReply {
        let (status, _) = outcome(self.reason);
        let mut headers = vec![
            ("content-type", SafeText::from(media_type(responses.body))),
            ("cache-control", SafeText::from("no-store")),
        ];
        for challenge in self.challenge.iter().chain(&self.alternative) {
            headers.push(("www-authenticate", challenge.text(&responses.realm)));
        }
        if let Some(nonce) = &self.nonce {
            headers.push((NONCE_HEADER, SafeText::filtered(nonce)));
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

impl ErrorCode {
    fn challenge(self) -> Option<Challenge<'static>> {
        (self != Self::NoChallenge).then(|| Challenge::new(self.text()))
    }

    const fn text(self) -> Option<&'static str> {
        match self {
            Self::NoChallenge | Self::Absent => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InvalidProof => Some("invalid_dpop_proof"),
            Self::UseNonce => Some("use_dpop_nonce"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::InsufficientUserAuthentication => Some("insufficient_user_authentication"),
        }
    }
}

const fn media_type(style: BodyStyle) -> &'static str {
    match style {
        BodyStyle::Aws => "application/json",
        BodyStyle::Problem => "application/problem+json",
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
const fn outcome(reason: Reason) -> (Status, ErrorCode) {
    match reason {
        Reason::BadConnection
        | Reason::BadMethod
        | Reason::BadPath
        | Reason::BadPathEncoded
        | Reason::BadPathEmptySegment
        | Reason::BadPathSemicolon
        | Reason::BadHost
        | Reason::BadMcp => (Status::BadRequest, ErrorCode::NoChallenge),
        Reason::NoRoute => (Status::NotFound, ErrorCode::NoChallenge),
        Reason::Denied | Reason::PreflightRefused => (Status::Forbidden, ErrorCode::NoChallenge),
        Reason::NoToken => (Status::Unauthorized, ErrorCode::Absent),
        Reason::MalformedCredentials | Reason::SeveralTokens => {
            (Status::BadRequest, ErrorCode::InvalidRequest)
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
        | Reason::Revoked
        | Reason::BoundToken
        | Reason::UnboundToken
        | Reason::NoCertificate
        | Reason::OtherCertificate
        | Reason::DpopRequired
        | Reason::DpopNotAccepted => (Status::Unauthorized, ErrorCode::InvalidToken),
        Reason::NoProof | Reason::BadProof | Reason::UsedProof => {
            (Status::Unauthorized, ErrorCode::InvalidProof)
        }
        Reason::NoNonce | Reason::BadNonce => (Status::Unauthorized, ErrorCode::UseNonce),
        Reason::InsufficientUserAuthentication => (
            Status::Unauthorized,
            ErrorCode::InsufficientUserAuthentication,
        ),
        Reason::MissingScope | Reason::MissingClaim => {
            (Status::Forbidden, ErrorCode::InsufficientScope)
        }
        Reason::KeysUnavailable
        | Reason::RevocationListUnavailable
        | Reason::TooManyWaiting
        | Reason::InternalError
        | Reason::Allowed
        | Reason::Public
        | Reason::Anonymous
        | Reason::Reported
        | Reason::Preflight
        | Reason::ResourceMetadata => (Status::Unavailable, ErrorCode::NoChallenge),
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
        Reason::Revoked => "The token has been revoked",
        Reason::BoundToken => {
            "The token is bound to its holder and no proof of that can be checked"
        }
        Reason::UnboundToken => "The token is not bound to its holder",
        Reason::NoCertificate | Reason::OtherCertificate => {
            "The token is bound to another certificate than that of the connection"
        }
        Reason::DpopRequired => "The token needs the scheme DPoP and a proof",
        Reason::DpopNotAccepted => "The scheme DPoP is not accepted for this token",
        Reason::NoProof => "The request has no DPoP header",
        Reason::BadProof => "The proof is not accepted",
        Reason::NoNonce => "The proof needs a nonce of this server",
        Reason::BadNonce => "The nonce of the proof is not accepted",
        Reason::UsedProof => "The proof was used before",
        Reason::InsufficientUserAuthentication => "Another authentication is required",
        Reason::MissingScope => "The token lacks a scope that is needed here",
        Reason::MissingClaim => "The token lacks a claim that is needed here",
        Reason::BadConnection => "The Connection header names a header that is set here",
        Reason::BadMethod => "The method has to be in upper case",
        Reason::BadPath => "The path is ambiguous",
        Reason::BadPathEncoded => "The path has an encoded character that is not allowed",
        Reason::BadPathEmptySegment => "The path has an empty segment",
        Reason::BadPathSemicolon => "The path has a semicolon",
        Reason::BadHost => "The host is not valid",
        Reason::BadMcp => "The MCP headers are missing, malformed or of an old version",
        Reason::Allowed
        | Reason::Public
        | Reason::Anonymous
        | Reason::Reported
        | Reason::Preflight
        | Reason::PreflightRefused
        | Reason::ResourceMetadata
        | Reason::NoRoute
        | Reason::Denied
        | Reason::NoToken
        | Reason::KeysUnavailable
        | Reason::RevocationListUnavailable
        | Reason::TooManyWaiting
        | Reason::InternalError => return None,
    })
}
