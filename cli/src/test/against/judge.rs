//! Judges the answer of a gateway.

use super::answer::Received;
use super::provable::Proof;
use crate::cases::{Difference, Expectation, Fields, Outcome};
use edge_authz::authz::Refusal;
use edge_authz::policy::Responses;
use edge_authz::telemetry::Reason;

/// What an answer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) differences: Vec<Difference>,
    /// Whether a request that had to be refused was not refused by the filter.
    pub(super) was_let_through: bool,
    /// Whether the answer may be the filter's: it is, if it is as expected.
    pub(super) is_of_filter: bool,
}

/// Compares an answer with the expectation, and with the core's outcome.
pub(super) fn judge(
    proof: Proof,
    expected: &Expectation,
    core: &Outcome,
    (received, responses): (&Received, &Responses),
) -> Judgement {
    let is_of_filter = is_of_filter(received, responses);
    let must_be_refused = match proof {
        Proof::Exact => core.upstream.is_none() && core.status >= 400,
        Proof::Forged | Proof::Refused => true,
        Proof::Passes | Proof::Status => false,
    };
    let mut differences = Vec::new();
    if must_be_refused && !is_of_filter {
        let found = format!("the answer {} of something else", received.status);
        differences.push(difference("refusal", &refusal(expected), &found));
        return Judgement {
            differences,
            was_let_through: true,
            is_of_filter,
        };
    }
    match proof {
        Proof::Exact => differences.extend(against_core(core, received)),
        Proof::Passes => {
            if is_of_filter {
                let found = format!("refused with {}", received.status);
                differences.push(difference("upstream", "reached", &found));
            }
        }
        Proof::Forged => {
            let challenge = || error_of(&received.headers);
            if received.status != 401 || challenge().as_deref() != Some("invalid_token") {
                let found = format!("{} {}", received.status, challenge().unwrap_or_default());
                differences.push(difference("refusal", "401 invalid_token", &found));
            }
        }
        Proof::Refused => differences.extend(against_reason(expected, received, responses)),
        Proof::Status => {}
    }
    // What the upstream receives cannot be seen from outside.
    let visible = Expectation {
        status: match proof {
            Proof::Status => expected.status,
            Proof::Exact | Proof::Forged | Proof::Refused | Proof::Passes => received.status,
        },
        reason: None,
        reported: None,
        upstream: None,
        body: expected.body.clone().filter(|_| proof != Proof::Passes),
        headers: expected.headers.clone(),
    };
    differences.extend(visible.differences(&Outcome {
        status: received.status,
        headers: received.headers.clone(),
        body: Some(received.body.clone()),
        ..Outcome::default()
    }));
    Judgement {
        differences,
        was_let_through: false,
        is_of_filter: is_of_filter || (proof == Proof::Exact && received.status < 400),
    }
}

/// What the expectation calls a refusal.
fn refusal(expected: &Expectation) -> String {
    let reason = expected.reason.as_deref().unwrap_or_default();
    format!("{} {reason} of the filter", expected.status)
}

/// Whether an answer has the form of the filter's refusals.
fn is_of_filter(received: &Received, responses: &Responses) -> bool {
    // One reason for each status.
    let reasons = [
        Reason::BadPath,
        Reason::NoToken,
        Reason::Denied,
        Reason::NoRoute,
        Reason::InternalError,
    ];
    reasons.into_iter().any(|reason| {
        let reply = Refusal::from(reason).reply(responses);
        let names = ["content-type", "cache-control"];
        let mut fields = reply
            .headers
            .iter()
            .filter(|(name, _)| names.contains(name));
        reply.status == received.status
            && fields.all(|(name, value)| value_of(&received.headers, name) == value.as_str())
            && (received.body.is_empty() || beginning(&received.body) == beginning(&reply.body))
    })
}

/// The first member of an answer's body, which only depends on its status.
fn beginning(body: &[u8]) -> &[u8] {
    let end = body.iter().position(|byte| b",}".contains(byte));
    body.get(..end.unwrap_or(body.len())).unwrap_or_default()
}

/// The differences from the core's answer to the same request.
fn against_core(core: &Outcome, received: &Received) -> Vec<Difference> {
    let mut found = Vec::new();
    if core.status != received.status {
        let status = received.status.to_string();
        found.push(difference("status", &core.status.to_string(), &status));
    }
    for (name, _) in &core.headers {
        let name = String::from_utf8_lossy(name);
        let (expected, other) = (
            value_of(&core.headers, &name),
            value_of(&received.headers, &name),
        );
        let is_same = match &*name {
            // Other filters may vary by more.
            "vary" => other.contains(&expected),
            "retry-after" => true,
            _ => expected == other,
        };
        if !is_same {
            found.push(difference(&format!("header {name}"), &expected, &other));
        }
    }
    let body = core.body.as_deref().unwrap_or_default();
    if body != received.body {
        let [expected, other] = [body, &received.body].map(String::from_utf8_lossy);
        found.push(difference("body", &expected, &other));
    }
    found
}

/// The differences from the answer that this reason has, in what every such answer has.
fn against_reason(
    expected: &Expectation,
    received: &Received,
    responses: &Responses,
) -> Vec<Difference> {
    let reason = expected.reason.as_ref();
    let reason = reason.and_then(|name| Reason::ALL.into_iter().find(|one| one.name() == name));
    let Some(reason) = reason else {
        return Vec::new();
    };
    let reply = Refusal::from(reason).reply(responses);
    let fields: Fields = reply
        .headers
        .iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_str().into()))
        .collect();
    let shown =
        |status: u16, fields: &Fields| format!("{status} {}", error_of(fields).unwrap_or_default());
    let (wanted, found) = (
        shown(reply.status, &fields),
        shown(received.status, &received.headers),
    );
    if wanted == found {
        return Vec::new();
    }
    vec![difference("refusal", &wanted, &found)]
}

/// The `error` of the first challenge that has one.
fn error_of(fields: &Fields) -> Option<String> {
    let challenge = value_of(fields, "www-authenticate");
    let (_, rest) = challenge.split_once("error=\"")?;
    let (error, _) = rest.split_once('"')?;
    Some(error.to_owned())
}

/// The lines of a field as one list.
fn value_of(fields: &Fields, name: &str) -> String {
    let lines = fields
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
    let lines: Vec<_> = lines
        .map(|(_, value)| String::from_utf8_lossy(value).trim().to_owned())
        .collect();
    lines.join(", ")
}

fn difference(what: &str, expected: &str, found: &str) -> Difference {
    Difference {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
