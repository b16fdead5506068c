//! Compares Envoy's outcome with the expectation and with the core's outcome for the same
//! bytes.

use std::collections::BTreeMap;

use edge_authz_cli::cases::{Difference, Fields, Outcome, Seen};
use serde_json::Value;

use crate::envoy::Played;
use crate::sent::MARK;
use crate::support::http::readable;
use crate::support::server::Received;
use crate::support::tools::{self, Host};

/// The differences, given the request's entry in the access log and the request that the
/// upstream received.
pub(crate) fn differences(
    played: &Played<'_>,
    entry: Option<&Value>,
    received: Option<&Received>,
) -> Vec<Difference> {
    let response = match &played.answer {
        Ok(response) => response,
        // Over HTTP/2, Envoy resets requests that it cannot parse.
        Err(_) if played.expected.reason.is_none() && received.is_none() => return Vec::new(),
        Err(error) => return vec![difference("answer", &played.expected.status, error)],
    };
    if played.strict {
        return opened(played, response.status, received.is_some());
    }
    let seen = received.map(|received| Seen {
        path: received.target.clone(),
        headers: request_fields(&received.headers),
        trailers: received.trailers.clone(),
    });
    let of = |name: &str| {
        entry
            .and_then(|entry| entry[name].as_str())
            .map(str::to_owned)
    };
    let outcome = Outcome {
        status: response.status,
        reason: of("reason"),
        reported: None,
        headers: answer_fields(&response.headers, seen.is_some()),
        body: seen.is_none().then(|| response.body.clone()),
        upstream: seen,
    };
    let mut found = played.expected.differences(&outcome);
    if let (Some(reason), None) = (&outcome.reason, &outcome.upstream) {
        let expected = match tools::host() {
            Host::ProxyWasm | Host::DynamicModule => format!("edge_authz_{reason}"),
            // Envoy's own filter answers, so only the metadata has the reason.
            Host::ExtAuthz | Host::ExtAuthzHttp => "ext_authz_denied".to_owned(),
        };
        let details = of("details").unwrap_or_default();
        if expected != details {
            found.push(difference("response code details", &expected, &details));
        }
    }
    if let Some(core) = &played.core {
        found.extend(against_the_core(core, &outcome));
    }
    found
}

/// Envoy's own normalisation may change a path, and the new path is then judged. It must
/// not let a request pass that does not pass without normalisation.
fn opened(played: &Played<'_>, status: u16, reached: bool) -> Vec<Difference> {
    let passes = played.expected.upstream.is_some();
    if passes || (!reached && (400..500).contains(&status)) {
        return Vec::new();
    }
    vec![difference(
        "with strict paths",
        &"refused",
        &status.to_string(),
    )]
}

/// With joined header fields, more requests may be refused, but no other request may pass.
pub(crate) fn opened_by_joined_fields(played: &Played<'_>, reached: bool) -> Vec<Difference> {
    let passes = played.expected.upstream.is_some();
    if passes || !reached {
        return Vec::new();
    }
    vec![difference("with joined fields", &"refused", "passed")]
}

fn against_the_core(core: &Outcome, module: &Outcome) -> Vec<Difference> {
    let upstream = |outcome: &Outcome, part: fn(&Seen) -> String| {
        outcome
            .upstream
            .as_ref()
            .map_or_else(|| "not reached".to_owned(), part)
    };
    let path = |seen: &Seen| readable(&seen.path);
    let headers = |seen: &Seen| in_order(&request_fields(&seen.headers));
    let trailers = |seen: &Seen| in_order(&seen.trailers);
    let reached = core.upstream.is_some();
    let body = |outcome: &Outcome| readable(outcome.body.as_deref().unwrap_or_default());
    [
        ("status", core.status.to_string(), module.status.to_string()),
        (
            "reason",
            format!("{:?}", core.reason),
            format!("{:?}", module.reason),
        ),
        ("body", body(core), body(module)),
        (
            "headers",
            in_order(&answer_fields(&core.headers, reached)),
            in_order(&module.headers),
        ),
        (
            "upstream path",
            upstream(core, path),
            upstream(module, path),
        ),
        (
            "upstream headers",
            upstream(core, headers),
            upstream(module, headers),
        ),
        (
            "upstream trailers",
            upstream(core, trailers),
            upstream(module, trailers),
        ),
    ]
    .into_iter()
    .filter(|(_, core, module)| core != module)
    .map(|(what, core, module)| difference(&format!("{what}, by the core"), &core, &module))
    .collect()
}

/// An answer's fields without those of Envoy and of the connection.
fn answer_fields(fields: &Fields, of_upstream: bool) -> Fields {
    let mut fields = fields.clone();
    fields.retain(|(name, _)| {
        let name = String::from_utf8_lossy(name);
        let of_echo = of_upstream && name == "content-type";
        let of_envoy = [
            "date",
            "server",
            "content-length",
            "transfer-encoding",
            "connection",
        ];
        !of_echo && !of_envoy.contains(&&*name) && !name.starts_with("x-envoy-")
    });
    fields
}

/// A request's fields without those of Envoy, of the connection and of tests.
fn request_fields(fields: &Fields) -> Fields {
    let mut fields = fields.clone();
    fields.retain(|(name, _)| {
        let name = String::from_utf8_lossy(name);
        let of_envoy = [
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "te",
            "x-request-id",
            "x-forwarded-proto",
            "x-forwarded-for",
            MARK,
        ];
        let of_tests = name.starts_with("x-envoy-") || name.starts_with("x-echo-");
        !of_envoy.contains(&&*name) && !of_tests
    });
    fields
}

/// Fields in a fixed order. Lines of the same name are one list (RFC 9110 section 5.3),
/// cookies too, since HTTP/2 may split them.
fn in_order(fields: &Fields) -> String {
    let mut lines = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in fields {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        // The delay depends on when the last fetch failed.
        let value = match name.as_str() {
            "retry-after" => b"soon",
            // Each side makes its own.
            "dpop-nonce" => b"some",
            _ => value.trim_ascii(),
        };
        lines.entry(name).or_default().push(readable(value));
    }
    let line = |(name, values): (String, Vec<String>)| {
        let comma = if name == "cookie" { "; " } else { "," };
        format!("{name}: {}", values.join(comma).replace(", ", ","))
    };
    lines.into_iter().map(line).collect::<Vec<_>>().join(" | ")
}

fn difference(what: &str, expected: &impl ToString, found: &str) -> Difference {
    Difference {
        what: what.to_owned(),
        expected: expected.to_string(),
        found: found.to_owned(),
    }
}
