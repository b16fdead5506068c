//! Compares what a case expects with its outcome.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::outcome::values;
use super::text::{bytes, readable};
use super::{Fields, Outcome, Problem, Side};
use edge_authz::telemetry::Reason;

/// The expectation of a case, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectText {
    status: u16,
    reason: Option<String>,
    reported: Option<String>,
    body: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, LinesText>,
    upstream: Option<UpstreamText>,
    envoy: Option<Box<EnvoyText>>,
}

/// What Envoy answers if it does not call the filter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvoyText {
    status: u16,
    reason: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpstreamText {
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, LinesText>,
    #[serde(default)]
    trailers: BTreeMap<String, LinesText>,
}

/// The values of a field: one, several, none with `null`, any with `true`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum LinesText {
    Present(bool),
    One(String),
    Several(Vec<String>),
    Absent,
}

/// Names with their expected values.
pub type ExpectedFields = BTreeMap<String, ExpectedLines>;

/// The expected values of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedLines {
    /// Any value.
    Present,
    /// These lines; an empty list means that the field is absent.
    Exactly(Vec<Vec<u8>>),
}

/// The expectation of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The status.
    pub status: u16,
    /// The reason's name.
    pub reason: Option<String>,
    /// The name of the reason for which the request would have been refused.
    pub reported: Option<String>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// Header fields of the answer.
    pub headers: ExpectedFields,
    /// Whether, and how, the request reaches the upstream.
    pub upstream: Option<UpstreamExpectation>,
}

/// The request that the upstream must get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamExpectation {
    /// The path, with the query.
    pub path: Option<Vec<u8>>,
    /// Header fields.
    pub headers: ExpectedFields,
    /// Trailer fields.
    pub trailers: ExpectedFields,
}

/// A difference from the expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs, such as `status` or `upstream header x-user-id`.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// The actual outcome.
    pub found: String,
}

impl ExpectText {
    /// Refuses expectations that can never be met.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let of_envoy = self.envoy.as_ref().and_then(|envoy| envoy.reason.as_ref());
        for name in self.reason.iter().chain(of_envoy).chain(&self.reported) {
            if !Reason::ALL.iter().any(|reason| reason.name() == name) {
                return Err(Problem::unknown("reason", name));
            }
        }
        if self.reported.is_some() && self.reason.as_deref() != Some(Reason::Reported.name()) {
            return Err(Problem::Missing("with `reported`, the reason `reported`"));
        }
        Ok(())
    }

    /// The expectation for one side.
    pub(super) fn prepare(
        &self,
        side: Side,
        refer: &dyn Fn(&str) -> Result<Vec<u8>, Problem>,
    ) -> Result<Expectation, Problem> {
        if let (Side::Envoy, Some(envoy)) = (side, &self.envoy) {
            return Ok(Expectation {
                status: envoy.status,
                reason: envoy.reason.clone(),
                reported: None,
                body: None,
                headers: ExpectedFields::new(),
                upstream: None,
            });
        }
        let fields = |text: &BTreeMap<String, LinesText>| {
            let mut fields = ExpectedFields::new();
            for (name, lines) in text {
                fields.insert(name.clone(), lines.prepare(refer)?);
            }
            Ok::<_, Problem>(fields)
        };
        let some_bytes = |text: &Option<String>| {
            let text = text.as_ref();
            text.map(|text| bytes(text, refer)).transpose()
        };
        let upstream = match &self.upstream {
            None if self.passes() => Some(UpstreamExpectation::default()),
            None => None,
            Some(text) => Some(UpstreamExpectation {
                path: some_bytes(&text.path)?,
                headers: fields(&text.headers)?,
                trailers: fields(&text.trailers)?,
            }),
        };
        Ok(Expectation {
            status: self.status,
            reason: self.reason.clone(),
            reported: self.reported.clone(),
            body: some_bytes(&self.body)?,
            headers: fields(&self.headers)?,
            upstream,
        })
    }

    /// Whether Envoy is expected to answer differently from the core.
    pub(super) fn differs_in_envoy(&self) -> bool {
        self.envoy.is_some()
    }

    /// The default if the case does not mention the upstream: a request that passes
    /// reaches it.
    fn passes(&self) -> bool {
        match self.reason.as_deref() {
            Some("allowed" | "public" | "anonymous" | "reported") => true,
            Some(_) => false,
            None => self.status == 200,
        }
    }
}

impl LinesText {
    fn prepare(
        &self,
        refer: &dyn Fn(&str) -> Result<Vec<u8>, Problem>,
    ) -> Result<ExpectedLines, Problem> {
        let lines = match self {
            Self::Present(true) => return Ok(ExpectedLines::Present),
            Self::Present(false) | Self::Absent => &[][..],
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        };
        let lines = lines.iter().map(|line| bytes(line, refer));
        Ok(ExpectedLines::Exactly(lines.collect::<Result<_, _>>()?))
    }
}

impl Expectation {
    /// Compares; the list is empty if everything is as expected.
    #[must_use]
    pub fn differences(&self, outcome: &Outcome) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |what: &str, expected: String, other: String| {
            if expected != other {
                found.push(Difference {
                    what: what.to_owned(),
                    expected,
                    found: other,
                });
            }
        };
        compare(
            "status",
            self.status.to_string(),
            outcome.status.to_string(),
        );
        if let Some(reason) = &self.reason {
            let other = outcome.reason.clone().unwrap_or_default();
            compare("reason", reason.clone(), other);
        }
        // A proxy does not show it.
        if let (Some(reason), Some(other)) = (&self.reported, &outcome.reported) {
            compare("reported reason", reason.clone(), other.clone());
        }
        if let Some(body) = &self.body {
            let other = outcome.body.as_deref().unwrap_or_default();
            compare("body", readable(body), readable(other));
        }
        compare_fields("header", &self.headers, &outcome.headers, &mut compare);
        match (&self.upstream, &outcome.upstream) {
            (None, None) => {}
            (None, Some(_)) => compare("upstream", "not reached".into(), "reached".into()),
            (Some(_), None) => compare("upstream", "reached".into(), "not reached".into()),
            (Some(expected), Some(seen)) => {
                if let Some(path) = &expected.path {
                    compare("upstream path", readable(path), readable(&seen.path));
                }
                let (headers, trailers) = (&expected.headers, &expected.trailers);
                compare_fields("upstream header", headers, &seen.headers, &mut compare);
                compare_fields("upstream trailer", trailers, &seen.trailers, &mut compare);
            }
        }
        found
    }
}

fn compare_fields(
    kind: &str,
    expected: &ExpectedFields,
    found: &Fields,
    compare: &mut impl FnMut(&str, String, String),
) {
    for (name, expected) in expected {
        let found = values(found, name);
        let lines = match expected {
            ExpectedLines::Present if found.is_empty() => "present".to_owned(),
            ExpectedLines::Present => in_lines(&found),
            ExpectedLines::Exactly(lines) => {
                let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
                in_lines(&lines)
            }
        };
        compare(&format!("{kind} {name}"), lines, in_lines(&found));
    }
}

fn in_lines(lines: &[&[u8]]) -> String {
    if lines.is_empty() {
        return "absent".to_owned();
    }
    let lines: Vec<_> = lines
        .iter()
        .map(|line| format!("`{}`", readable(line)))
        .collect();
    lines.join(" and ")
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            expected,
            found,
        } = self;
        write!(f, "{what}: expected {expected}, got {found}")
    }
}
