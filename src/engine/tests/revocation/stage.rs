//! The workers, their shared data, and the server of the list.

use crate::config;
use crate::engine::tests::shared::FakeShared;
use crate::engine::tests::signer::{KeyId, Memory, SIGNER};
use crate::engine::tests::world::LATE;
use crate::engine::{Action, Effect, Engine, Env, FetchCall, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::keys::answer::{AnswerHead, Ending};
use crate::policy::Policy;
use crate::telemetry::{Change, Event, Metric, Reason};
use crate::time::UnixTime;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(super) const ISSUER: &str = "https://a.example";

/// What the server of the list does.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) status: u16,
    pub(super) etag: Option<&'static str>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Stage {
    pub(super) now: Cell<UnixTime>,
    pub(super) shared: FakeShared,
    pub(super) server: RefCell<Server>,
    /// The requests so far, each with its `If-None-Match`.
    pub(super) asked: RefCell<Vec<Option<String>>>,
    pub(super) events: RefCell<Vec<Event>>,
    pub(super) gauges: RefCell<BTreeMap<String, u64>>,
}

pub(super) struct Worker {
    pub(super) stage: Rc<Stage>,
    pub(super) engine: Engine,
    pub(super) decided: BTreeMap<u32, Reason>,
    pub(super) streams: u32,
}

pub(super) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(super) fn policy(revoked: &str) -> Arc<Policy> {
    let keys = SIGNER.with(|signer| signer.key_set(&[KeyId(0)]));
    let keys = String::from_utf8(keys).unwrap();
    let text = format!(
        r#"{{"providers":[{{"name":"a","issuer":"{ISSUER}","audiences":"any","jwks":{{"inline":{keys}}},
            "revoked":{{"cluster":"lists","uri":"https://lists.example/revoked.json"{revoked}}}}}],
            "routes":[{{"match":"$default"}}]}}"#
    );
    Arc::new(config::compile(text.as_bytes()).unwrap())
}

impl Stage {
    pub(super) fn new(body: &str) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(UnixTime::from_secs(1_800_000_000)),
            shared: FakeShared::default(),
            server: RefCell::new(Server {
                status: 200,
                etag: Some("\"1\""),
                body: body.as_bytes().to_vec(),
            }),
            asked: RefCell::default(),
            events: RefCell::default(),
            gauges: RefCell::default(),
        })
    }

    pub(super) fn publish(&self, body: &str, etag: &'static str) {
        *self.server.borrow_mut() = Server {
            status: 200,
            etag: Some(etag),
            body: body.as_bytes().to_vec(),
        };
    }

    /// Answers as a server with conditional requests does.
    pub(super) fn answer(&self, call: &FetchCall) -> (AnswerHead, Vec<u8>) {
        self.asked
            .borrow_mut()
            .push(call.etag.as_deref().map(ToOwned::to_owned));
        let Server { status, etag, body } = self.server.borrow().clone();
        let unchanged = etag.is_some() && call.etag.as_deref() == etag && status == 200;
        let head = AnswerHead {
            ending: Ending::Status(if unchanged { 304 } else { status }),
            etag: etag.map(Into::into),
            body_size: if unchanged { 0 } else { body.len() },
            ..AnswerHead::default()
        };
        (head, body)
    }

    pub(super) fn logged(&self, what: impl Fn(&Event) -> bool) -> usize {
        self.events.borrow().iter().filter(|one| what(one)).count()
    }

    pub(super) fn gauge(&self, name: &str) -> Option<u64> {
        self.gauges.borrow().get(name).copied()
    }
}

impl Worker {
    pub(super) fn start(stage: &Rc<Stage>, policy: &Arc<Policy>, seed: u64) -> Self {
        let mut worker = Self {
            stage: Rc::clone(stage),
            engine: Engine::new(Arc::clone(policy), seed),
            decided: BTreeMap::new(),
            streams: 0,
        };
        worker.event(Engine::start);
        worker
    }

    pub(super) fn event(&mut self, what: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>) {
        let stage = Rc::clone(&self.stage);
        let env = Env {
            now: stage.now.get(),
            shared: &stage.shared,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        let mut effects = what(&mut self.engine, env);
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Fetch(call) => {
                    let (head, body) = stage.answer(&call);
                    let copy = || Some(body.clone());
                    effects.extend(self.engine.fetched(call.id, &head, &copy, env));
                }
                Effect::Answer(answer) => {
                    let passes = matches!(answer.action, Action::Forward(_));
                    assert_eq!(passes, answer.reason == Reason::Allowed);
                    self.decided.insert(answer.stream.0, answer.reason);
                }
                Effect::Measure(measured) => {
                    if let (
                        Metric::RevokedEntries { .. } | Metric::RevokedAge { .. },
                        Change::Set(value),
                    ) = (&measured.metric, measured.change)
                    {
                        let name = measured.metric.name();
                        stage.gauges.borrow_mut().insert(name, value);
                    }
                }
                Effect::Log(event) => stage.events.borrow_mut().push(*event),
            }
        }
    }

    pub(super) fn tick(&mut self) {
        self.event(Engine::tick);
    }

    pub(super) fn request(&mut self) -> u32 {
        let stream = self.streams;
        self.streams += 1;
        let token = SIGNER.with(|signer| signer.good(ISSUER, KeyId(0), LATE));
        let authorization = format!("Bearer {token}");
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &authorization),
        ]));
        self.event(|engine, env| engine.request(StreamId(stream), head, env));
        stream
    }

    /// The reason of a decision about a request that does not wait.
    pub(super) fn reason(&mut self) -> Option<Reason> {
        let stream = self.request();
        self.decided.remove(&stream)
    }
}

/// Lets time pass, with a tick of each worker in each half second.
pub(super) fn pass(stage: &Stage, workers: &mut [&mut Worker], time: Duration) {
    let end = stage.now.get().saturating_add(time);
    while stage.now.get() < end {
        stage
            .now
            .set(stage.now.get().saturating_add(Duration::from_millis(500)));
        for worker in workers.iter_mut() {
            worker.tick();
        }
    }
}
