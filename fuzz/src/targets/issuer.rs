//! The answers of issuers and the data that workers share. No bytes in them make the
//! proxy send a request to a place that the configuration does not name, or let a request
//! through.
//!
//! The first line of the input gives the type of the rest: `metadata` of an issuer, a
//! `record` of the shared data, `answers` to fetches (then each line is a body), or
//! `shared`, which is all of the shared data.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use edge_authz::config;
use edge_authz::crypto::NoHostSignatures;
use edge_authz::engine::{
    Action, Effect, Engine, Env, FetchCall, NotSet, SharedData, StreamId, Unavailable,
};
use edge_authz::keys::answer::{AnswerHead, Ending};
use edge_authz::keys::{Issuer, Metadata, Record};
use edge_authz::time::UnixTime;

use super::request;
use crate::reference::json::{self, Json};
use crate::reference::keys;

/// Each host of the configuration with its cluster.
const HOSTS: [(&str, &str); 2] = [("silent.example", "silent"), ("keys.example", "keys")];

pub(crate) fn target(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let (kind, rest) = (parts.next().unwrap(), parts.next().unwrap_or_default());
    match kind {
        b"metadata" => metadata(rest),
        b"record" => record(rest),
        b"answers" => World::new(Vec::new()).run(&super::lines(rest).collect::<Vec<_>>()),
        b"shared" => World::new(rest.to_vec()).run(&[rest]),
        _ => {}
    }
}

fn metadata(body: &[u8]) {
    let [(host, cluster), (other, others_cluster)] = HOSTS;
    let hosts = BTreeMap::from([(other.into(), others_cluster.into())]);
    let name = request::SILENT;
    let issuer = Issuer {
        name,
        host,
        cluster,
        hosts: &hosts,
    };
    let read = Metadata::parse(body, issuer);
    let expected = json::parse(body, 32).and_then(|document| {
        let text = |name: &str| document.get(name).and_then(Json::string);
        (text("issuer")? == name).then_some(())?;
        place(text("jwks_uri")?)
    });
    let read = read
        .ok()
        .map(|read| (read.key_set.to_string(), read.cluster));
    assert_eq!(read.is_some(), expected.is_some(), "{read:?} {expected:?}");
    if let (Some((uri, cluster)), Some(expected)) = (read, expected) {
        assert_eq!(*cluster, *expected);
        assert_eq!(place(&uri), Some(expected), "{uri}");
    }
}

/// The cluster for a URI whose host the configuration names.
fn place(uri: &str) -> Option<&'static str> {
    let odd = |c: char| !c.is_ascii_graphic() || "\"<>\\^`{|}#".contains(c);
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    if uri.len() > 2048 || uri.contains(odd) || !matches!(&*scheme, "http" | "https") {
        return None;
    }
    let authority = rest.split(['/', '?']).next()?.to_ascii_lowercase();
    let host = match authority.split_once(':') {
        None => &*authority,
        Some((host, port)) => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            (digits && port.parse::<u16>().is_ok()).then_some(host)?
        }
    };
    let known = HOSTS.into_iter().find(|(known, _)| *known == host);
    known.map(|(_, cluster)| cluster)
}

fn record(bytes: &[u8]) {
    if let Some(record) = Record::decode(bytes) {
        assert_eq!(record.encode(), bytes, "two spellings of one record");
    }
}

/// An engine with an issuer that sends any answer, and shared data with any content.
struct World {
    engine: Engine,
    shared: Shared,
}

struct Shared {
    /// The content of entries that were never set.
    planted: Vec<u8>,
    entries: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
}

impl SharedData for Shared {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        let planted = (!self.planted.is_empty()).then(|| (self.planted.clone(), 1));
        Ok(self.entries.borrow().get(key).cloned().or(planted))
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        let known = self.get(key).map_err(|_| NotSet::Unavailable)?;
        let known = known.map_or(0, |(_, change)| change);
        if last_change.is_some_and(|change| change != known) {
            return Err(NotSet::Changed);
        }
        let mut entries = self.entries.borrow_mut();
        entries.insert(key.to_owned(), (value.to_vec(), known + 1));
        Ok(())
    }
}

impl World {
    fn new(planted: Vec<u8>) -> Self {
        let text = format!(
            r#"{{"providers":[{{"name":"silent","issuer":"{}","audiences":["api"],
                "jwks":{{"cluster":"silent","hosts":{{"keys.example":"keys"}}}}}}],
              "routes":[{{"match":["$default"]}}]}}"#,
            request::SILENT
        );
        let policy = config::compile(text.as_bytes()).unwrap();
        Self {
            engine: Engine::new(Arc::new(policy), 7),
            shared: Shared {
                planted,
                entries: RefCell::default(),
            },
        }
    }

    /// One request, and a minute in which the issuer answers its fetches.
    fn run(mut self, bodies: &[&[u8]]) {
        let claims = format!(
            r#"{{"iss":"{}","aud":"api","exp":4102444800}}"#,
            request::SILENT
        );
        let token = keys::token("ES256", br#"{"alg":"ES256","kid":"ec"}"#, claims.as_bytes());
        let headers = request::headers(format!("authorization: Bearer {token}").as_bytes());
        let mut bodies = bodies.iter().cycle();
        let mut effects = Vec::new();
        for second in 0..60 {
            let env = Env {
                now: UnixTime::from_secs(1_700_000_000 + second),
                shared: &self.shared,
                host_signatures: &NoHostSignatures,
                connection: &edge_authz::engine::NoConnection,
            };
            if second == 0 {
                effects.extend(self.engine.start(env));
                let head = request::head(&headers);
                effects.extend(self.engine.request(StreamId(1), head, env));
            }
            let mut new = self.engine.tick(env);
            while let Some(call) = take_call(&mut new, &mut effects) {
                let body = bodies.next().copied().unwrap_or_default();
                let head = AnswerHead {
                    ending: Ending::Status(200),
                    body_size: body.len(),
                    ..AnswerHead::default()
                };
                let copy = || Some(body.to_vec());
                new.extend(self.engine.fetched(call.id, &head, &copy, env));
            }
        }
        let mut answers = 0;
        for effect in effects {
            if let Effect::Answer(answer) = effect {
                answers += 1;
                // The issuer's own keys let the request pass.
                let own = keys::KEY_SET.split('"').find(|piece| piece.len() == 43);
                let has_keys = bodies
                    .clone()
                    .take(64)
                    .any(|body| contains_string(body, own.unwrap()));
                assert!(matches!(answer.action, Action::Reply(_)) || has_keys);
            }
        }
        assert_eq!(answers, 1);
    }
}

/// Whether a text is among the strings of a body, with or without the prefix of shared
/// data.
fn contains_string(body: &[u8], text: &str) -> bool {
    fn holds(value: &Json<'_>, text: &str) -> bool {
        let elements = value.array().into_iter().flatten();
        let members = value.object().into_iter().flatten();
        let mut inside = elements.chain(members.map(|(_, value)| value));
        value.string() == Some(text) || inside.any(|value| holds(value, text))
    }
    let marked = body.get(8..).unwrap_or_default();
    let documents = [body, marked].map(|body| json::parse(body, 32));
    documents
        .iter()
        .flatten()
        .any(|document| holds(document, text))
}

/// The first fetch among new effects. Its target must be in the configuration.
fn take_call(new: &mut Vec<Effect>, done: &mut Vec<Effect>) -> Option<FetchCall> {
    let mut call = None;
    for effect in std::mem::take(new) {
        match effect {
            Effect::Fetch(fetch) if call.is_none() => call = Some(*fetch),
            other => done.push(other),
        }
    }
    let call = call?;
    let cluster = place(&call.uri.to_string()).expect("the place is in the configuration");
    assert_eq!(*call.cluster, *cluster);
    Some(call)
}
