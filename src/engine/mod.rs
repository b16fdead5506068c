//! Events over time: the engine takes events and returns effects.
//!
//! The engine has two parts. The [`KeyService`] polls the documents that judging needs.
//! It owns the key sources, the refresh rules and the current keys. The [`Judge`] decides
//! requests with [`crate::authz`], caches verified tokens, and holds the requests that
//! wait for keys. The service publishes the current keys as an immutable [`Snapshot`],
//! and each judge reports what it needs as a [`Demand`]. Both are values, so a process
//! can have one service and one judge per thread ([`Exchange`]). [`Engine`] combines both
//! parts for a host with one thread.
//!
//! All of them receive events and return the required actions as values. They do no I/O
//! and know neither the proxy nor the clock. What they need while they handle an event,
//! they get from [`Env`].
//!
//! Only an [`Effect::Answer`] lets a request through. After a lost, late or unexpected
//! event, a request waits until its deadline.

mod demand;
mod document;
mod effect;
mod exchange;
mod fetch;
mod judge;
mod judging;
mod ledger;
mod nonces;
mod pair;
mod proofs;
mod random;
mod reading;
mod service;
mod shared;
mod snapshot;
mod sought;
mod source;
mod tables;
#[cfg(test)]
mod tests;
mod token_cache;
mod waiting;
mod work;

use std::sync::Arc;
use std::time::Duration;

use crate::cors::ResponseCors;
use crate::crypto::HostSignatures;
use crate::http::RequestHead;
use crate::keys::answer::AnswerHead;
use crate::policy::Policy;
use crate::telemetry::{Event, Measurement};
use crate::time::UnixTime;

pub use crate::authz::{CertificateUnknown, Connection, NoConnection};
pub use demand::Demand;
pub use effect::{Action, Answer, Effect, StreamId};
pub use exchange::Exchange;
pub use fetch::{FetchCall, FetchId};
pub use judge::Judge;
pub use nonces::{NoRandomness, NonceStore, Randomness};
pub use pair::{Pair, Side};
pub use proofs::{ProofMemory, Proofs};
pub use service::KeyService;
pub use shared::{NoSharedData, NotSet, SharedData, Unavailable};
pub use snapshot::Snapshot;
use tables::Tables;
pub use token_cache::TokenCache;

/// The tick period while the engine is idle.
const SLOW_TICK: Duration = Duration::from_millis(500);
/// The tick period while requests wait.
const FAST_TICK: Duration = Duration::from_millis(10);
/// The tick period while a waiting request can already be judged.
const BUSY_TICK: Duration = Duration::from_millis(1);

/// What the engine can use while it handles an event.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The time of the event.
    pub now: UnixTime,
    /// The data that the workers of a proxy share. Only the key service uses them.
    pub shared: &'a dyn SharedData,
    /// The proxy's own signature verification. Only judges use it.
    pub host_signatures: &'a dyn HostSignatures,
    /// The connection of the request. Only [`Judge::request`] uses it.
    pub connection: &'a dyn Connection,
}

/// The handling of one event: its environment, and the effects so far.
struct Turn<'a> {
    env: Env<'a>,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    const fn new(env: Env<'a>, effects: Vec<Effect>) -> Self {
        Self { env, effects }
    }

    fn measure(&mut self, measurement: Measurement) {
        self.effects.push(Effect::Measure(measurement));
    }

    fn log(&mut self, event: Event) {
        self.effects.push(Effect::Log(Box::new(event)));
    }
}

/// The filter of one listener in a host with one thread: the policy and all mutable
/// state.
#[derive(Debug)]
pub struct Engine {
    service: KeyService,
    judge: Judge,
    tables: Tables,
    /// When the key sources were last visited.
    visited_at: Option<UnixTime>,
}

impl Engine {
    /// Creates an engine without keys. `seed` differs between workers: it identifies this
    /// worker in leases and spreads its fetches over time. It has no random bytes, so no
    /// proof that needs a nonce is accepted.
    #[must_use]
    pub fn new(policy: Arc<Policy>, seed: u64) -> Self {
        Self::sharing(policy, seed, Proofs::of_one_judge())
    }

    /// Creates an engine that shares its used proofs and its nonces with the other engines of
    /// this worker.
    #[must_use]
    pub fn sharing(policy: Arc<Policy>, seed: u64, proofs: Proofs) -> Self {
        let service = KeyService::new(&policy, seed);
        let tokens = TokenCache::new(&policy, 1);
        let judge = Judge::sharing(policy, Arc::clone(service.snapshot()), tokens, proofs);
        Self {
            service,
            judge,
            tables: Tables::default(),
            visited_at: None,
        }
    }

    /// The active policy.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        self.judge.policy()
    }

    /// See [`KeyService::start`].
    pub fn start(&mut self, env: Env<'_>) -> Vec<Effect> {
        self.visited_at = Some(env.now);
        let effects = self.service.start(env);
        self.judge.adopt(self.service.snapshot(), env.now);
        effects
    }

    /// See [`Judge::request`].
    pub fn request(&mut self, stream: StreamId, head: RequestHead, env: Env<'_>) -> Vec<Effect> {
        self.judge.request(stream, head, env)
    }

    /// See [`Judge::describe_steps`].
    pub const fn describe_steps(&mut self, needed: bool) {
        self.judge.describe_steps(needed);
    }

    /// See [`Judge::forget`].
    pub fn forget(&mut self, stream: StreamId) -> Vec<Effect> {
        self.judge.forget(stream)
    }

    /// See [`Judge::cors_of_waiting`].
    #[must_use]
    pub fn cors_of_waiting(&self, stream: StreamId) -> Option<&ResponseCors> {
        self.judge.cors_of_waiting(stream)
    }

    /// Handles a tick. It is due after [`Engine::next_tick`], and may come at any other
    /// time. Only ticks answer waiting requests, each a bounded number; the next tick
    /// continues.
    pub fn tick(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.judge.observe_time(env.now);
        if self.is_visit_due(env.now) {
            let demand = self.judge.demand();
            self.service.take_turn(&[demand], &mut turn);
            self.judge.adopt(self.service.snapshot(), env.now);
        }
        self.judge.take_turn(&mut turn);
        self.make_tables();
        turn.effects
    }

    /// See [`KeyService::fetched`]. The requests that wait for this fetch are judged in
    /// the next ticks.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        env: Env<'_>,
    ) -> Vec<Effect> {
        let effects = self.service.fetched(fetch, head, body, env);
        self.judge.adopt(self.service.snapshot(), env.now);
        effects
    }

    /// The time until the next tick is due.
    #[must_use]
    pub fn next_tick(&self) -> Duration {
        if self.service.is_starting() {
            self.judge.next_tick().min(FAST_TICK)
        } else {
            self.judge.next_tick()
        }
    }

    /// Whether this tick visits the key sources. Not all ticks do, because ticks are
    /// frequent while waiting requests are answered.
    fn is_visit_due(&mut self, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < FAST_TICK;
        if self.visited_at.is_some_and(recent) {
            return !self.judge.is_behind();
        }
        self.visited_at = Some(now);
        true
    }
}
