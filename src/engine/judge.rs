//! The part of the engine that decides about requests.

use std::sync::Arc;
use std::time::Duration;

use super::demand::Demand;
use super::judging::{Allowance, Asking};
use super::snapshot::Snapshot;
use super::token_cache::TokenCache;
use super::waiting::Waiting;
use super::{BUSY_TICK, Effect, Env, FAST_TICK, SLOW_TICK, StreamId, Turn};
use crate::cors::ResponseCors;
use crate::http::RequestHead;
use crate::jwt::VerifiedJwt;
use crate::keys::AbsentKids;
use crate::policy::{Policy, ProviderId, ProviderKeys, SourceId};
use crate::telemetry::Measurement;
use crate::time::UnixTime;

/// Decides about the requests of one thread, remembers the tokens that verified,
/// and holds the requests that wait for keys.
///
/// It decides by the [`Snapshot`] that it was last handed, so that it takes no lock
/// and waits for no other thread. What it needs besides it says in its [`Demand`].
#[derive(Debug)]
pub struct Judge {
    pub(super) policy: Arc<Policy>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) tokens: TokenCache,
    pub(super) waiting: Waiting,
    /// How much a tick does for those that wait.
    pub(super) allowance: Allowance,
    /// The `kid`s found absent here, of each source.
    pub(super) absent: Vec<AbsentKids>,
    /// The sources whose keys should have verified a token and did not, in order, each
    /// with the time of the last such token.
    doubted: Vec<(SourceId, UnixTime)>,
    /// How many signatures were checked.
    pub(super) checks: usize,
    /// Whether decisions come with a description of their steps.
    pub(super) describes_steps: bool,
    /// The time of the last event.
    latest: UnixTime,
}

impl Judge {
    /// A judge of requests under this policy, which holds a snapshot of the
    /// service that has the policy's sources.
    #[must_use]
    pub fn new(policy: Arc<Policy>, snapshot: Arc<Snapshot>) -> Self {
        let sources = policy.sources.len();
        Self {
            snapshot,
            tokens: TokenCache::new(policy.max_tokens),
            waiting: Waiting::new(sources),
            allowance: Allowance::WHOLE,
            absent: std::iter::repeat_with(AbsentKids::default)
                .take(sources)
                .collect(),
            doubted: Vec::new(),
            checks: 0,
            describes_steps: false,
            latest: UnixTime::EPOCH,
            policy,
        }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The snapshot that it decides by.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whether decisions come with a description of their steps
    /// ([`Facts::steps`](crate::authz::Facts::steps)) from now on: if the log shows it.
    pub const fn describe_steps(&mut self, wanted: bool) {
        self.describes_steps = wanted;
    }

    /// Decides by this snapshot from now on, if it is newer. `now` is read after
    /// the snapshot was. Remembered tokens of keys that are gone do not count any
    /// more, and requests that wait for what has changed are judged at the next
    /// ticks.
    pub fn adopt(&mut self, snapshot: &Arc<Snapshot>, now: UnixTime) {
        self.reach(now);
        if snapshot.number() <= self.snapshot.number() {
            return;
        }
        let former = std::mem::replace(&mut self.snapshot, Arc::clone(snapshot));
        Snapshot::set_back(&mut self.snapshot, &former, now);
        let changed = self.snapshot.changed_since(&former);
        if changed.is_empty() {
            return;
        }
        let (policy, snapshot) = (&self.policy, &self.snapshot);
        self.tokens
            .retain(|provider, jwt| still_counts(policy, snapshot, &changed, (provider, jwt), now));
        for source in &changed {
            self.waiting.changed(*source);
        }
        self.doubted.retain(|(source, at)| {
            let since = snapshot.fetched_from(*source);
            since.is_none_or(|since| since < *at)
        });
    }

    /// A request has come.
    pub fn request(&mut self, stream: StreamId, head: RequestHead, env: Env<'_>) -> Vec<Effect> {
        self.reach(env.now);
        let mut turn = Turn::new(env, Vec::with_capacity(3));
        let asking = Asking {
            stream,
            head,
            arrived: env.now,
            number: None,
        };
        self.judge(asking, &mut turn);
        turn.effects
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
        self.waiting.get(stream)?.facts.cors.as_ref()
    }

    /// Time has passed: [`Judge::next_tick`] of it, or any other. This alone
    /// answers requests that wait, and only so many: the next tick goes on.
    pub fn tick(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.take_turn(&mut turn);
        turn.effects
    }

    pub(super) fn take_turn(&mut self, turn: &mut Turn<'_>) {
        self.reach(turn.env.now);
        self.serve_waiting(turn);
        self.tokens.give_way();
    }

    /// Whether its [demand](Self::demand) is empty, which is found out faster.
    #[must_use]
    pub fn wants_nothing(&self) -> bool {
        self.waiting.is_empty() && self.doubted.is_empty()
    }

    /// What it wants of the key service now.
    #[must_use]
    pub fn demand(&self) -> Demand {
        let (sources, kids) = self.waiting.wanted();
        Demand {
            snapshot: self.snapshot.number(),
            sources,
            kids,
            doubted: self.doubted.clone(),
        }
    }

    /// How long until the next tick is needed.
    #[must_use]
    pub fn next_tick(&self) -> Duration {
        if self.is_behind() {
            BUSY_TICK
        } else if self.waiting.is_empty() {
            SLOW_TICK
        } else {
            FAST_TICK
        }
    }

    /// Whether a request waits that could be judged, or whose deadline has passed: the
    /// next tick is due at once.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.waiting.is_behind(self.latest)
    }

    /// Remembers that the keys of a source should have verified a token.
    pub(super) fn doubt(&mut self, source: SourceId, now: UnixTime) {
        let known = self.doubted.binary_search_by_key(&source, |(id, _)| *id);
        match known {
            Ok(place) => {
                if let Some((_, at)) = self.doubted.get_mut(place) {
                    *at = now;
                }
            }
            Err(place) => self.doubted.insert(place, (source, now)),
        }
    }

    /// Notices a clock that was set back: what happened before it must not look
    /// as if it came after.
    pub(super) fn reach(&mut self, now: UnixTime) {
        if now < self.latest {
            self.waiting.set_back(now);
            let former = Arc::clone(&self.snapshot);
            Snapshot::set_back(&mut self.snapshot, &former, now);
            for (_, at) in &mut self.doubted {
                *at = (*at).min(now);
            }
        }
        self.latest = now;
    }
}

/// Whether a remembered token may be of use yet, after the keys of `changed`
/// have, which are in order: unless it has expired, or the key that signed it no
/// longer counts for its `kid`.
fn still_counts(
    policy: &Policy,
    snapshot: &Snapshot,
    changed: &[SourceId],
    (id, jwt): (ProviderId, &VerifiedJwt),
    now: UnixTime,
) -> bool {
    let Some(provider) = policy.providers.get(id) else {
        return false;
    };
    let skew = provider.expectations.clock_skew;
    if now >= jwt.expires().saturating_add(skew) {
        return false;
    }
    match &provider.keys {
        ProviderKeys::Fetched(source) if changed.binary_search(source).is_ok() => {
            // Keys that are too old today may be confirmed tomorrow.
            let set = snapshot.keys(*source);
            set.is_some_and(|set| set.still_offers(jwt.kid(), jwt.algorithm(), jwt.fingerprint()))
        }
        ProviderKeys::Fetched(_) | ProviderKeys::Inline(_) => true,
    }
}
