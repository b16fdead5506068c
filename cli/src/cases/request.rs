//! Requests of cases, as bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::proof::Shown;
use super::token::{TokenRef, Workshop};
use super::token_parts::Made;
use super::{Fields, Problem, text};

/// The default host of a request.
pub const USUAL_HOST: &str = "api.example.com";

/// A protocol of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

/// A request that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Vec<u8>,
    /// `:path`, or the request target; absent with CONNECT.
    pub path: Option<Vec<u8>>,
    /// `:authority`, or `Host`.
    pub host: Option<Vec<u8>>,
    /// Header fields, names as written.
    pub headers: Fields,
    /// The body.
    pub body: Vec<u8>,
    /// Trailer fields.
    pub trailers: Fields,
    /// The upstream's answer.
    pub upstream: UpstreamAnswer,
    /// How often it is sent, at least once. The last outcome counts.
    pub sends: u32,
}

/// The upstream's answer to a request that reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamAnswer {
    /// The status.
    pub status: u16,
    /// Header fields in addition to the usual ones.
    pub headers: Fields,
}

/// A request as a case describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestText {
    request: String,
    #[serde(default)]
    host: Host,
    #[serde(default)]
    headers: FieldsText,
    #[serde(default)]
    trailers: FieldsText,
    #[serde(default)]
    body: String,
    token: Option<TokenRef>,
    /// The proof of possession for the token.
    proof: Option<TokenRef>,
    /// How often the request is sent. The last outcome counts.
    sends: Option<u32>,
    #[serde(default)]
    upstream_answers: UpstreamText,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Option<String>")]
enum Host {
    #[default]
    Usual,
    Absent,
    Named(String),
}

impl From<Option<String>> for Host {
    fn from(host: Option<String>) -> Self {
        host.map_or(Self::Absent, Self::Named)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct UpstreamText {
    status: Option<u16>,
    headers: FieldsText,
}

/// Fields by name; a list is one line for each element.
type FieldsText = BTreeMap<String, Lines>;

/// The values of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Several(Vec<String>),
}

impl RequestText {
    /// The request, with its token.
    pub(super) fn prepare(&self, workshop: &Workshop<'_>) -> Result<(Request, Made), Problem> {
        let token = self.token.as_ref().map(|token| workshop.make(token));
        let token = token.transpose()?;
        let own = |name: &str| own_token(token.as_ref(), name, workshop);
        let (method, path) = match self.request.split_once(' ') {
            Some((method, path)) => (method, Some(path)),
            None => (self.request.as_str(), None),
        };
        let host = match &self.host {
            Host::Usual => Some(USUAL_HOST),
            Host::Absent => None,
            Host::Named(host) => Some(host.as_str()),
        };
        let some_bytes = |text: Option<&str>| text.map(|text| text::bytes(text, &own)).transpose();
        let method = text::bytes(method, &own)?;
        let path = some_bytes(path)?;
        let shown = Shown {
            method: &method,
            path: path.as_deref(),
            token: token.as_ref().map_or(&[], |token| &token.text),
        };
        let proof = self.proof.as_ref();
        let proof = proof
            .map(|proof| workshop.prove(proof, &shown))
            .transpose()?;
        let refer = |name: &str| match (name, &proof) {
            ("proof", Some(proof)) => Ok(proof.text.clone()),
            _ => own(name),
        };
        let mut headers = fields(&self.headers, &refer)?;
        if let Some(token) = token.as_ref().filter(|_| !self.places_token()) {
            let scheme: &[u8] = if proof.is_some() {
                b"DPoP "
            } else {
                b"Bearer "
            };
            let credentials = [scheme, token.text.as_slice()].concat();
            headers.push((b"authorization".to_vec(), credentials));
        }
        if let Some(proof) = proof.as_ref().filter(|_| !self.places_proof()) {
            headers.push((b"dpop".to_vec(), proof.text.clone()));
        }
        let request = Request {
            path,
            host: some_bytes(host)?,
            headers,
            body: text::bytes(&self.body, &refer)?,
            trailers: fields(&self.trailers, &refer)?,
            upstream: UpstreamAnswer {
                status: self.upstream_answers.status.unwrap_or(200),
                headers: fields(&self.upstream_answers.headers, &refer)?,
            },
            sends: self.sends.unwrap_or(1).max(1),
            method,
        };
        Ok((request, token.unwrap_or_default()))
    }

    /// Whether the request itself says where its proof goes.
    fn places_proof(&self) -> bool {
        let is_proof = |name: &String| name.eq_ignore_ascii_case("dpop");
        let mut lines = self.headers.values().flat_map(Lines::list);
        self.headers.keys().any(is_proof)
            || lines.any(|line| text::references(line).any(|name| name == "proof"))
    }

    /// The names of its tokens, and `None` for a token without a name.
    pub(super) fn tokens(&self) -> BTreeSet<Option<&str>> {
        let own = match &self.token {
            None => None,
            Some(TokenRef::Name(name)) => Some(Some(name.as_str())),
            Some(TokenRef::Inline(_)) => Some(None),
        };
        let mut names = BTreeSet::from_iter(own);
        // The token is bound to the key of the proof.
        names.extend(self.proof.is_some().then_some(None));
        let lines = self.headers.values().flat_map(Lines::list);
        let texts = lines
            .map(String::as_str)
            .chain([&*self.request, &*self.body]);
        for name in texts.flat_map(text::references) {
            match name.split_once(" of ") {
                // It is the case's own token.
                _ if name == "token" || name.ends_with(" of token") => {}
                _ if name == "proof" => drop(names.insert(None)),
                Some(("header" | "claims" | "signature", name)) => drop(names.insert(Some(name))),
                // It is a key.
                Some(_) => {}
                None => drop(names.insert(Some(name))),
            }
        }
        names
    }

    /// Whether the request itself says where its token goes.
    fn places_token(&self) -> bool {
        let mut names = self.headers.keys();
        if names.any(|name| name.eq_ignore_ascii_case("authorization")) {
            return true;
        }
        let lines = self.headers.values().flat_map(Lines::list);
        lines
            .map(String::as_str)
            .chain([self.request.as_str()])
            .flat_map(text::references)
            .any(|name| name == "token" || name.ends_with(" of token"))
    }
}

/// The meaning of a name in a request and in its expectation: `token` is the request's
/// own token.
pub(super) fn own_token(
    token: Option<&Made>,
    name: &str,
    workshop: &Workshop<'_>,
) -> Result<Vec<u8>, Problem> {
    let own = |token: Option<&Made>| token.cloned().ok_or(Problem::Missing("the case's `token`"));
    if name == "token" {
        return Ok(own(token)?.text);
    }
    match name.strip_suffix(" of token") {
        Some(part) => own(token)?.part(part),
        None => workshop.reference(name),
    }
}

fn fields(
    text: &FieldsText,
    refer: &dyn Fn(&str) -> Result<Vec<u8>, Problem>,
) -> Result<Fields, Problem> {
    let mut fields = Fields::new();
    for (name, lines) in text {
        let name = text::bytes(name, refer)?;
        for line in lines.list() {
            fields.push((name.clone(), text::bytes(line, refer)?));
        }
    }
    Ok(fields)
}

impl Lines {
    fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}
