//! A world of cases: the active configuration, and issuers that answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::answers::{self, FetchAnswer, Published};
use super::expect::{ExpectText, Expectation};
use super::file::Shared;
use super::request::{RequestText, own_token};
use super::token::{Nonce, Workshop};
use super::{CaseError, Problem, Protocol, Request};

/// Where a case is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// On the core, in this process.
    Native,
    /// On the module, in a real Envoy.
    Envoy,
}

/// A configuration and its issuers, with the cases that are played.
#[derive(Clone, Debug)]
pub struct World {
    /// The cases.
    pub cases: Vec<Case>,
    pub(super) config: Value,
    pub(super) published: Published,
    /// Whether no case or group has changed it.
    pub(super) is_own: bool,
    /// Tokens that are used as they are, by name.
    pub(super) given: Arc<BTreeMap<String, String>>,
    pub(super) shared: Arc<Shared>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, preceded by those of its groups.
    pub name: String,
    /// The number of a row in a table of attacks or rules that it covers.
    pub row: Option<String>,
    /// Where it is played; everywhere if absent.
    pub only: Option<Side>,
    /// The protocols it is played over.
    pub protocols: Vec<Protocol>,
    /// Whether it is also played behind an Envoy that normalises paths. That must not let
    /// any more requests pass.
    pub strict_paths: bool,
    request: RequestText,
    expect: ExpectText,
}

/// The members of a case that do not belong to its request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    name: String,
    row: Option<String>,
    only: Option<Side>,
    http: Option<u8>,
    #[serde(default)]
    strict_paths: bool,
    expect: ExpectText,
}

impl Case {
    /// Reads an expanded case.
    pub(super) fn read(mut node: Map<String, Value>) -> Result<Self, CaseError> {
        let place = node
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or("a case without `name`")
            .to_owned();
        let at = |problem: Problem| problem.at(format!("case `{place}`"));
        let mut own = Map::new();
        for name in ["name", "row", "only", "http", "strict_paths", "expect"] {
            if let Some(value) = node.remove(name) {
                own.insert(name.to_owned(), value);
            }
        }
        if let Some(expect) = own.remove("expect") {
            own.insert("expect".to_owned(), super::expand::expectation(expect));
        }
        let own: CaseText = serde_json::from_value(Value::Object(own)).map_err(|e| at(e.into()))?;
        let request: RequestText =
            serde_json::from_value(Value::Object(node)).map_err(|e| at(e.into()))?;
        own.expect.check().map_err(at)?;
        let protocols = match own.http {
            None => vec![Protocol::Http1, Protocol::Http2],
            Some(1) => vec![Protocol::Http1],
            Some(2) => vec![Protocol::Http2],
            Some(other) => {
                return Err(at(Problem::invalid(other.to_string(), "`http` is 1 or 2")));
            }
        };
        Ok(Self {
            name: own.name,
            row: own.row,
            only: own.only,
            protocols,
            strict_paths: own.strict_paths,
            request,
            expect: own.expect,
        })
    }

    /// Whether the case is played on this side.
    #[must_use]
    pub fn is_for(&self, side: Side) -> bool {
        self.only.is_none_or(|only| only == side)
    }

    /// Whether a real Envoy is expected to answer differently from the core, since it
    /// never calls the filter.
    #[must_use]
    pub fn differs_in_envoy(&self) -> bool {
        self.expect.differs_in_envoy()
    }
}

impl Case {
    /// The tokens that its request contains: the names of those that have one, and `None` for
    /// the others.
    #[must_use]
    pub fn tokens(&self) -> BTreeSet<Option<&str>> {
        self.request.tokens()
    }
}

impl World {
    /// The configuration, as the filter gets it.
    #[must_use]
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Whether the configuration and the issuers are those of the file, which no case has
    /// changed.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// The time at which the cases are played offline, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.shared.now
    }

    /// What issuers answer, by URI.
    ///
    /// # Errors
    ///
    /// A key set names an unknown key.
    pub fn answers(&self) -> Result<BTreeMap<String, FetchAnswer>, CaseError> {
        answers::of(self)
    }

    /// The request of a case with a token made at `now` (seconds since 1970), and the
    /// expected outcome on each side.
    ///
    /// If a text refers to `nonce`, `ask` sends the request without one first, and returns
    /// the nonce of the answer (RFC 9449 section 9).
    ///
    /// # Errors
    ///
    /// A text refers to an unknown name, or the answer has no nonce.
    pub fn prepare(
        &self,
        case: &Case,
        now: i64,
        ask: impl FnOnce(&Request) -> Option<Vec<u8>>,
    ) -> Result<(Request, [Expectation; 2]), CaseError> {
        let at = |problem: Problem| problem.at(format!("case `{}`", case.name));
        let unasked = Nonce::default();
        let prepared = Self::prepare_with(case, &self.workshop(now, &unasked)).map_err(at)?;
        if !unasked.is_used.get() {
            return Ok(prepared);
        }
        let nonce = ask(&prepared.0).ok_or(Problem::Missing("`dpop-nonce` in the first answer"));
        let nonce = nonce.map_err(at)?;
        let nonce = Nonce {
            value: Some(&nonce),
            ..Nonce::default()
        };
        Self::prepare_with(case, &self.workshop(now, &nonce)).map_err(at)
    }

    fn prepare_with(
        case: &Case,
        workshop: &Workshop<'_>,
    ) -> Result<(Request, [Expectation; 2]), Problem> {
        let (request, token) = case.request.prepare(workshop)?;
        let refer = |name: &str| own_token(Some(&token), name, workshop);
        let native = case.expect.prepare(Side::Native, &refer)?;
        let envoy = case.expect.prepare(Side::Envoy, &refer)?;
        Ok((request, [native, envoy]))
    }

    pub(super) fn workshop<'w>(&'w self, now: i64, nonce: &'w Nonce<'w>) -> Workshop<'w> {
        Workshop {
            keys: &self.shared.keys,
            tokens: &self.shared.tokens,
            given: &self.given,
            config: &self.config,
            now,
            nonce,
        }
    }
}
