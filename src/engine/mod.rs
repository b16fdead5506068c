//! What happens over time: events in, effects out.
//!
//! The engine owns the key cache, the tokens that verified and the requests
//! that wait. It is told of requests, ticks and answers, decides with
//! [`crate::authz`], and returns what is to be done as values. It does no I/O
//! and knows neither the proxy nor the clock; what it must ask for while it
//! decides, it asks through [`Env`].
//!
//! A request is let through by an [`Effect::Answer`] and by nothing else: what
//! is lost, late or unforeseen leaves it where it is.

mod doorkeeper;
mod effect;
mod fetch;
mod judging;
mod key_cache;
mod ledger;
mod random;
mod shared;
mod source;
mod tables;
#[cfg(test)]
mod tests;
mod token_cache;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use crate::cors::ResponseCors;
use crate::crypto::NativeSignatures;
use crate::http::RequestHead;
use crate::keys::answer::AnswerHead;
use crate::policy::{Policy, SourceId};
use crate::telemetry::Measurement;
use crate::time::UnixTime;

pub use effect::{Action, Answer, Effect, StreamId};
pub use fetch::{FetchCall, FetchId};
use judging::{Allowance, Asking};
use key_cache::KeyCache;
use random::Random;
pub use shared::{NotSet, SharedData, Unavailable};
use tables::Tables;
use token_cache::TokenCache;
use waiting::Waiting;

/// The tick that suffices while nothing is going on.
const SLOW_TICK: Duration = Duration::from_millis(500);
/// The tick while requests wait.
const FAST_TICK: Duration = Duration::from_millis(10);
/// The tick while requests wait that could be answered.
const BUSY_TICK: Duration = Duration::from_millis(1);

/// What the engine may ask for while it handles an event.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The time of the event.
    pub now: UnixTime,
    /// What the workers of a proxy share.
    pub shared: &'a dyn SharedData,
    /// The proxy's own signature checks.
    pub native: &'a dyn NativeSignatures,
}

/// One listener's filter: its policy, and all that changes.
#[derive(Debug)]
pub struct Engine {
    policy: Arc<Policy>,
    keys: KeyCache,
    tokens: TokenCache,
    tables: Tables,
    waiting: Waiting,
    /// How much a tick does for those that wait.
    allowance: Allowance,
    /// The time of the last event.
    latest: UnixTime,
    /// When the key sources were last looked at in their turn.
    looked_at: Option<UnixTime>,
}

impl Engine {
    /// An engine without keys. `seed` differs between workers: it names this
    /// one, and spreads its fetches.
    #[must_use]
    pub fn new(policy: Arc<Policy>, seed: u64) -> Self {
        let keys = KeyCache::new(&policy, Random::new(seed));
        let tokens = TokenCache::new(policy.max_tokens);
        let waiting = Waiting::new(policy.sources.len());
        Self {
            policy,
            keys,
            tokens,
            tables: Tables::default(),
            waiting,
            allowance: Allowance::WHOLE,
            latest: UnixTime::EPOCH,
            looked_at: None,
        }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Takes the keys that other workers, or this one before it was reloaded,
    /// have left. Fetches nothing: that is for the first tick, since whoever
    /// only checks a configuration never ticks.
    pub fn start(&mut self, env: Env<'_>) -> Vec<Effect> {
        self.reach(env.now);
        self.looked_at = Some(env.now);
        let mut effects = Vec::new();
        self.keys.look_at_all(env, &mut effects);
        effects
    }

    /// A request has come.
    pub fn request(&mut self, stream: StreamId, head: RequestHead, env: Env<'_>) -> Vec<Effect> {
        self.reach(env.now);
        let mut effects = Vec::with_capacity(3);
        let asking = Asking {
            stream,
            head,
            arrived: env.now,
            place: None,
        };
        self.judge(asking, env, &mut effects);
        effects
    }

    /// A request is over, decided or not.
    pub fn forget(&mut self, stream: StreamId) -> Vec<Effect> {
        match self.waiting.remove(stream) {
            Some(_) => vec![Effect::Measure(Measurement::waiting(-1))],
            None => Vec::new(),
        }
    }

    /// What CORS does to the answer of a request that waits, should the proxy
    /// answer it by itself.
    #[must_use]
    pub fn cors_of_waiting(&self, stream: StreamId) -> Option<&ResponseCors> {
        self.waiting.get(stream)?.cors.as_ref()
    }

    /// Time has passed: [`Engine::next_tick`] of it, or any other. This alone
    /// answers requests that wait, and only so many: the next tick goes on.
    pub fn tick(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.reach(env.now);
        if self.is_due_for_a_look(env.now) {
            let wanted = self.waiting.wanted();
            let changed = self.keys.tick(&wanted, env, &mut effects);
            self.changed(&changed, env.now);
        }
        self.serve_waiting(env, &mut effects);
        self.share_memory();
        effects
    }

    /// A fetch has ended. `body` copies the answer's body; it is asked for
    /// only when the head is good. Those that wait for it are judged at the next
    /// ticks.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        env: Env<'_>,
    ) -> Vec<Effect> {
        self.reach(env.now);
        let mut effects = Vec::new();
        let changed = self.keys.fetched(fetch, head, body, env, &mut effects);
        self.changed(changed.as_slice(), env.now);
        effects
    }

    /// How long until the next tick is needed.
    #[must_use]
    pub fn next_tick(&self) -> Duration {
        if self.waiting.is_behind(self.latest) {
            BUSY_TICK
        } else if self.waiting.is_empty() && !self.keys.is_starting() {
            SLOW_TICK
        } else {
            FAST_TICK
        }
    }

    /// Notices a clock that was set back: what happened before it must not look
    /// as if it came after.
    fn reach(&mut self, now: UnixTime) {
        if now < self.latest {
            self.waiting.set_back(now);
            self.keys.set_back(now);
        }
        self.latest = now;
    }

    /// Whether the key sources are looked at in this tick: not in all of those that
    /// come fast since requests wait for an answer.
    fn is_due_for_a_look(&mut self, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < FAST_TICK;
        if self.looked_at.is_some_and(recent) {
            return !self.waiting.is_behind(now);
        }
        self.looked_at = Some(now);
        true
    }

    /// Tokens of keys that are gone count no more, and requests that wait for these
    /// sources are due to be judged.
    fn changed(&mut self, changed: &[SourceId], now: UnixTime) {
        if changed.is_empty() {
            return;
        }
        let keys = &self.keys;
        self.tokens
            .retain(|provider, jwt| keys.still_counts(&self.policy, changed, (provider, jwt), now));
        for source in changed {
            self.waiting.changed(*source);
        }
    }
}
