//! What a running gateway can prove about a case from outside.

use std::collections::BTreeMap;

use crate::cases::{Case, Expectation, Protocol, Request, Side, World};
use edge_authz::telemetry::Reason;

/// How the answer to a case is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// It is the answer that the core gives.
    Exact,
    /// It refuses the token, for any reason: nobody but the issuer can make another one.
    Forged,
    /// It is a refusal with this status and error code, for a token that was given.
    Refused,
    /// The request reaches the upstream, whose answer is not known.
    Passes,
    /// It has the expected status. The proxy answers before the filter.
    Status,
}

/// The reasons of decisions in which no key takes part.
const WITHOUT_KEYS: &[Reason] = &[
    Reason::Preflight,
    Reason::PreflightRefused,
    Reason::ResourceMetadata,
    Reason::BadConnection,
    Reason::BadMethod,
    Reason::BadPath,
    Reason::BadPathEncoded,
    Reason::BadPathEmptySegment,
    Reason::BadPathSemicolon,
    Reason::BadHost,
    Reason::BadMcp,
    Reason::NoRoute,
    Reason::Denied,
    Reason::NoToken,
    Reason::MalformedCredentials,
    Reason::SeveralTokens,
    Reason::TokenTooLong,
    Reason::MalformedToken,
    Reason::UnsupportedHeader,
    Reason::UnknownIssuer,
    Reason::BadAlgorithm,
    Reason::BadType,
];

/// The reasons for which a gateway refuses tokens that its issuers have not made.
const OF_FORGERIES: &[Reason] = &[
    Reason::UnknownKey,
    Reason::NoFittingKey,
    Reason::BadSignature,
];

/// The reasons for which requests pass whatever their token is.
const PASSING: &[Reason] = &[Reason::Public, Reason::Anonymous, Reason::Reported];

/// The reasons that depend on more than the request.
const OF_THE_MOMENT: &[Reason] = &[
    Reason::KeysUnavailable,
    Reason::TooManyWaiting,
    Reason::InternalError,
];

/// How the answer to a case is judged, or why no gateway can prove it from outside.
pub(super) fn proof(
    (world, case): (&World, &Case),
    request: &Request,
    expected: &Expectation,
    given: &BTreeMap<String, String>,
) -> Result<Proof, String> {
    if let Some(obstacle) = obstacle(world, case, request) {
        return Err(obstacle.to_owned());
    }
    if case.differs_in_envoy() {
        return Ok(Proof::Status);
    }
    let reason = expected.reason.as_ref();
    let reason = reason.and_then(|name| Reason::ALL.into_iter().find(|one| one.name() == name));
    let is_in = |list: &[Reason]| reason.is_some_and(|reason| list.contains(&reason));
    if is_in(OF_THE_MOMENT) {
        return Err("the answer depends on the state of the gateway".to_owned());
    }
    if is_in(WITHOUT_KEYS) {
        return Ok(Proof::Exact);
    }
    if is_in(PASSING) {
        return Ok(Proof::Passes);
    }
    let is_refusal = expected.status >= 400;
    let missing = missing(case, given);
    if missing.is_empty() {
        return Ok(match (reason, is_refusal) {
            (Some(Reason::Allowed), _) | (None, false) => Proof::Passes,
            (Some(_), _) => Proof::Refused,
            (None, true) => Proof::Status,
        });
    }
    if is_in(OF_FORGERIES) {
        return Ok(Proof::Forged);
    }
    Err(missing.join("; "))
}

/// Why a case cannot be sent to a gateway, whatever it expects.
fn obstacle(world: &World, case: &Case, request: &Request) -> Option<&'static str> {
    let has_line_break = |bytes: &[u8]| bytes.iter().any(|byte| b"\r\n\0".contains(byte));
    let fields = request.headers.iter();
    let mut texts = fields.flat_map(|(name, value)| [name, value]);
    let start = [
        Some(&request.method),
        request.path.as_ref(),
        request.host.as_ref(),
    ];
    let usual = request.upstream.status == 200 && request.upstream.headers.is_empty();
    let obstacles = [
        (
            !world.is_own(),
            "it needs another configuration or other issuers",
        ),
        (case.only == Some(Side::Native), "it is for the core only"),
        (
            !case.protocols.contains(&Protocol::Http1),
            "it is for HTTP/2 only",
        ),
        (!request.trailers.is_empty(), "it has trailers"),
        (request.path.is_none(), "it has no path"),
        (!usual, "it needs an upstream that answers as the case says"),
        (
            start.into_iter().flatten().any(|text| has_line_break(text))
                || texts.any(|text| has_line_break(text)),
            "HTTP/1.1 cannot carry its control characters",
        ),
    ];
    obstacles
        .iter()
        .find(|(applies, _)| *applies)
        .map(|(_, why)| *why)
}

/// What is missing to send a case with the tokens of the gateway's issuers.
fn missing(case: &Case, given: &BTreeMap<String, String>) -> Vec<String> {
    let unknown = case.tokens().into_iter();
    let unknown = unknown.filter(|name| name.is_none_or(|name| !given.contains_key(name)));
    let sentences = unknown.map(|name| match name {
        Some(name) => {
            format!("its issuer has to make the token: give it with `--token {name}=FILE`")
        }
        None => "its issuer has to make the token, which has no name to give it by".to_owned(),
    });
    sentences.collect()
}

/// Whether a request with this method changes nothing by itself (RFC 9110 section 9.2.1).
pub(super) fn is_safe(method: &[u8]) -> bool {
    [&b"GET"[..], b"HEAD", b"OPTIONS", b"TRACE"].contains(&method)
}
