//! Plays a request on the core, in the world that the file describes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;

use super::outcome::values;
use super::{CaseError, FetchAnswer, Fields, Outcome, Problem, Request, Seen, World};
use crate::seen;
use edge_authz::config;
use edge_authz::crypto::NoHostSignatures;
use edge_authz::dpop::NONCE_HEADER;
use edge_authz::engine::{
    Action, Answer, CertificateUnknown, Connection, Effect, Engine, Env, FetchCall, NoRandomness,
    NonceStore, NotSet, ProofMemory, Proofs, SharedData, StreamId, Unavailable,
};
use edge_authz::http::{HeaderEdit, HeaderMap, RequestHead};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::{Policy, Responses};
use edge_authz::telemetry::{Event, Refused};
use edge_authz::time::UnixTime;

/// The maximum time, by the world's clock, until a request is decided.
const PATIENCE: Duration = Duration::from_mins(5);

/// Plays requests in one world.
#[derive(Debug)]
pub struct Player {
    policy: Arc<Policy>,
    answers: BTreeMap<String, FetchAnswer>,
    /// All filters accept the same nonces.
    nonces: Arc<NonceStore>,
}

impl Player {
    /// A player for a world.
    ///
    /// # Errors
    ///
    /// The configuration is refused, or a key set names an unknown key.
    pub fn new(world: &World) -> Result<Self, CaseError> {
        let bytes = world.config().to_string();
        let policy = config::compile_for_any_host(bytes.as_bytes())
            .map_err(|errors| Problem::Config(errors.to_string()).at("config"))?;
        Ok(Self {
            policy: Arc::new(policy),
            answers: world.answers()?,
            nonces: Arc::new(NonceStore::new(|secret| {
                rand::fill(secret).map_err(|_| NoRandomness)
            })),
        })
    }

    /// The format of refusals.
    #[must_use]
    pub fn responses(&self) -> &Responses {
        &self.policy.responses
    }

    /// The nonce in the answer to a request, if there is one.
    #[must_use]
    pub fn nonce(&self, request: &Request, now: i64) -> Option<Vec<u8>> {
        let mut filter = Filter::start(self, UnixTime::from_secs(now));
        let outcome = filter.play(request, StreamId(1));
        values(&outcome.headers, NONCE_HEADER)
            .first()
            .map(|nonce| nonce.to_vec())
    }

    /// Plays a request on a filter that has just started and has its keys, at `now`
    /// (seconds since 1970). It is played twice: the second time, the token may be
    /// cached.
    #[must_use]
    pub fn play(&self, request: &Request, now: i64) -> [Outcome; 2] {
        let mut filter = Filter::start(self, UnixTime::from_secs(now));
        [StreamId(1), StreamId(2)].map(|stream| {
            // A proof can be used only once.
            filter.proofs.clear();
            for _ in 1..request.sends {
                filter.play(request, stream);
            }
            filter.play(request, stream)
        })
    }

    /// Plays a request on a filter that has just started, at `now` (seconds since 1970),
    /// and returns the lines that the filter has logged then, if all levels are enabled.
    #[must_use]
    pub fn log(&self, request: &Request, now: i64) -> Vec<String> {
        let mut filter = Filter::start(self, UnixTime::from_secs(now));
        filter.engine.describe_steps(true);
        let answer = filter.decide(request, StreamId(1));
        filter.log.extend(answer.as_ref().and_then(refusal));
        filter.log.iter().map(ToString::to_string).collect()
    }
}

/// An engine with a clock of its own.
struct Filter<'p> {
    player: &'p Player,
    engine: Engine,
    proofs: Arc<ProofMemory>,
    shared: Shared,
    now: UnixTime,
    /// What was logged so far, without decisions.
    log: Vec<Event>,
}

impl<'p> Filter<'p> {
    /// A filter that has just started.
    fn start(player: &'p Player, now: UnixTime) -> Self {
        let proofs = Arc::new(ProofMemory::new(ProofMemory::MAX_OF_WORKER, 1));
        let policy = Arc::clone(&player.policy);
        let mut filter = Self {
            player,
            engine: Engine::sharing(
                policy,
                1,
                Proofs::new(Arc::clone(&proofs), Arc::clone(&player.nonces)),
            ),
            proofs,
            shared: Shared::default(),
            now: now.saturating_sub(Duration::from_millis(500)),
            log: Vec::new(),
        };
        let env = env(filter.now, &filter.shared);
        let mut effects = filter.engine.start(env);
        effects.extend(filter.engine.tick(env));
        filter.carry_out(effects);
        filter.now = now;
        filter
    }

    fn play(&mut self, request: &Request, stream: StreamId) -> Outcome {
        // A request that is never decided is never answered.
        self.decide(request, stream)
            .map_or_else(Outcome::default, |answer| {
                outcome(&self.player.policy, &answer, request)
            })
    }

    fn decide(&mut self, request: &Request, stream: StreamId) -> Option<Answer> {
        let head = head(request);
        let limit = self.now.saturating_add(PATIENCE);
        let effects = self
            .engine
            .request(stream, head, env(self.now, &self.shared));
        let mut answer = self.carry_out(effects);
        while answer.is_none() && self.now < limit {
            self.now = self.now.saturating_add(self.engine.next_tick());
            let effects = self.engine.tick(env(self.now, &self.shared));
            answer = self.carry_out(effects);
        }
        answer
    }

    /// Answers fetches until there are none, and returns the decision if one was made.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Option<Answer> {
        let mut decided = None;
        let mut todo = effects;
        while !todo.is_empty() {
            let mut next = Vec::new();
            for effect in todo {
                match effect {
                    Effect::Answer(answer) => decided = Some(*answer),
                    Effect::Fetch(call) => next.extend(self.fetch(&call)),
                    Effect::Log(event) => self.log.push(*event),
                    Effect::Measure(_) => {}
                }
            }
            todo = next;
        }
        decided
    }

    fn fetch(&mut self, call: &FetchCall) -> Vec<Effect> {
        let answer = self.player.answers.get(&call.uri.to_string());
        let head = answer.map_or_else(AnswerHead::default, answer_head);
        let body = || answer.map(|answer| answer.body.clone());
        self.engine
            .fetched(call.id, &head, &body, env(self.now, &self.shared))
    }
}

/// A connection without TLS, and so without a client certificate.
struct Plaintext;

impl Connection for Plaintext {
    fn client_certificate(&self) -> Result<Option<[u8; 32]>, CertificateUnknown> {
        Ok(None)
    }
}

/// The log event about a decision, if it refuses the request.
fn refusal(answer: &Answer) -> Option<Event> {
    let Action::Reply(_) = &answer.action else {
        return None;
    };
    Some(Event::Refused(Refused {
        reason: answer.reason,
        route: answer.facts.route.clone(),
        provider: answer.facts.provider.clone(),
        preflight: answer.facts.preflight.clone(),
        steps: answer.facts.steps.clone(),
    }))
}

const fn env(now: UnixTime, shared: &Shared) -> Env<'_> {
    Env {
        now,
        shared,
        host_signatures: &NoHostSignatures,
        connection: &Plaintext,
    }
}

fn answer_head(answer: &FetchAnswer) -> AnswerHead {
    let status = [(":status".to_owned(), answer.status.to_string())];
    let fields = status.iter().chain(&answer.headers);
    let fields = fields.map(|(name, value)| (name, value));
    AnswerHead::read(&HeaderMap::from_pairs(fields), answer.body.len())
}

/// The head as Envoy passes it: names in lower case, and repeated lines of the headers
/// that it knows as one line.
fn head(request: &Request) -> RequestHead {
    let mut fields: Fields = vec![(b":method".to_vec(), request.method.clone())];
    for (name, value) in [(":path", &request.path), (":authority", &request.host)] {
        fields.extend(value.iter().map(|value| (name.into(), value.clone())));
    }
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        let joined = matches!(name.as_slice(), b"authorization" | b"origin");
        let mut known = fields
            .iter_mut()
            .filter(|(known, _)| joined && *known == name);
        if let Some((_, line)) = known.next() {
            line.push(b',');
            line.extend(value);
        } else {
            fields.push((name, value.clone()));
        }
    }
    RequestHead::new(HeaderMap::from_pairs(fields))
}

impl Request {
    /// The head as a proxy passes it to the filter: names in lower case, and repeated lines of
    /// the headers that the proxy knows as one line.
    #[must_use]
    pub fn head(&self) -> RequestHead {
        head(self)
    }
}

fn outcome(policy: &Policy, answer: &Answer, request: &Request) -> Outcome {
    let reason = Some(answer.reason.name().to_owned());
    match &answer.action {
        Action::Reply(reply) => Outcome {
            status: reply.status,
            reason,
            reported: None,
            headers: seen::of_reply(reply, &answer.facts),
            // An answer to HEAD has no body (RFC 9110 section 9.3.2).
            body: Some(match request.method.as_slice() {
                b"HEAD" => Vec::new(),
                _ => reply.body.clone(),
            }),
            upstream: None,
        },
        Action::Forward(forward) => {
            let upstream = &request.upstream;
            Outcome {
                status: upstream.status,
                reason,
                reported: forward
                    .unenforced()
                    .map(|unenforced| unenforced.reason().name().to_owned()),
                headers: seen::of_upstream(upstream.headers.clone(), &answer.facts),
                body: None,
                upstream: Some(upstream_request(policy, request, &forward.edits)),
            }
        }
    }
}

/// The request that reaches the upstream.
fn upstream_request(policy: &Policy, request: &Request, edits: &[HeaderEdit<'_>]) -> Seen {
    let (path, headers) = seen::by_upstream(&head(request), edits);
    let trailers = request.trailers.iter();
    let trailers = trailers.filter(|(name, _)| !policy.upstream.removes_trailer(name));
    Seen {
        path,
        headers,
        trailers: trailers.cloned().collect(),
    }
}

/// The shared data of a single worker.
#[derive(Debug, Default)]
struct Shared(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl SharedData for Shared {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        let mut entries = self.0.borrow_mut();
        let known = entries.get(key).map_or(0, |(_, change)| *change);
        if last_change.is_some_and(|seen| seen != known) {
            return Err(NotSet::Changed);
        }
        entries.insert(key.to_owned(), (value.to_vec(), known.saturating_add(1)));
        Ok(())
    }
}
