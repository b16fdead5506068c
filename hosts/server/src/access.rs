//! The access log: one line of JSON for each decision. It has no credentials, no claims
//! except those that the configuration publishes, and no query, because a query may have
//! tokens.

use std::time::{Duration, Instant};

use edge_authz::http::RequestHead;
use edge_authz::telemetry::FilterState;
use edge_authz_native::clock;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::observation::Log;
use crate::service::{Decision, Question};

/// The maximum size of a request's part in the log, in bytes.
const MAX_PART_BYTES: usize = 2048;

/// A request whose decision will be logged.
#[derive(Debug)]
pub(crate) struct Entry(Option<Begun>);

#[derive(Debug)]
struct Begun {
    at: Instant,
    method: String,
    host: String,
    path: String,
}

impl Entry {
    /// Remembers what the log shows of a request, if there is an access log.
    pub(crate) fn of(log: &Log, question: &Question) -> Self {
        if !log.has_access() {
            return Self(None);
        }
        let head: &RequestHead = &question.head;
        let path = head.path().unwrap_or_default();
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        Self(Some(Begun {
            at: now(),
            method: shown(head.method().unwrap_or_default()),
            host: shown(head.authority().unwrap_or_default()),
            path: shown(path),
        }))
    }

    /// Writes the line.
    ///
    /// `status` is that of the answer to the proxy. 2xx means that the request continues.
    pub(crate) fn finish(self, log: &Log, decision: &Decision, status: StatusCode) {
        let Self(Some(begun)) = self else { return };
        let took = now().saturating_duration_since(begun.at);
        log.write_access(line(begun, took, decision, status));
    }
}

fn line(begun: Begun, took: Duration, decision: &Decision, status: StatusCode) -> Vec<u8> {
    let mut entry = Map::new();
    let mut add = |name: &str, value: Value| {
        entry.insert(name.to_owned(), value);
    };
    if let Some(now) = clock::now() {
        add("time", now.as_secs().into());
    }
    add("reason", decision.reason.name().into());
    add("status", status.as_u16().into());
    add("method", begun.method.into());
    add("host", begun.host.into());
    add("path", begun.path.into());
    if let Some(route) = &decision.route {
        add("route", (**route).into());
    }
    if let Some(provider) = &decision.provider {
        add("provider", (**provider).into());
    }
    for (entry, value) in &decision.published {
        let name = match entry {
            FilterState::Subject => "subject",
            FilterState::Issuer => "issuer",
            // They are always in the log.
            FilterState::Provider | FilterState::Route | FilterState::Reason => continue,
        };
        add(name, (&**value).into());
    }
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    add("duration_us", micros.into());
    let mut line = Value::from(entry).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// A part of the request, for people. JSON escapes its control characters.
fn shown(bytes: &[u8]) -> String {
    let bytes = bytes.get(..MAX_PART_BYTES).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the log shows how long a decision took"
)]
fn now() -> Instant {
    Instant::now()
}
