//! The part of the engine that decides requests.

use std::sync::Arc;
use std::time::Duration;

use super::demand::Demand;
use super::judging::{Allowance, PendingRequest};
use super::proofs::Proofs;
use super::snapshot::Snapshot;
use super::sought::SoughtKids;
use super::token_cache::TokenCache;
use super::waiting::Waiting;
use super::{BUSY_TICK, Effect, Env, FAST_TICK, SLOW_TICK, StreamId, Turn};
use crate::cors::ResponseCors;
use crate::http::RequestHead;
use crate::jwt::{KnownHeaders, VerifiedJwt};
use crate::keys::AbsentKids;
use crate::policy::{Policy, ProviderId, ProviderKeys, SourceId};
use crate::telemetry::Measurement;
use crate::time::UnixTime;

/// Decides the requests of one thread, caches verified tokens, alone or together with
/// other judges, and holds the requests that wait for keys.
///
/// It decides with the [`Snapshot`] that it adopted last, so it takes no lock and waits
/// for no other thread. It reports the keys that it lacks in its [`Demand`].
#[derive(Debug)]
pub struct Judge {
    pub(super) policy: Arc<Policy>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) tokens: Arc<TokenCache>,
    pub(super) proofs: Proofs,
    /// Headers of verified tokens.
    pub(super) headers: KnownHeaders,
    pub(super) waiting: Waiting,
    /// The work that one tick may do for waiting requests.
    pub(super) allowance: Allowance,
    /// The `kid`s that were found absent, by source index.
    pub(super) absent: Vec<AbsentKids>,
    /// The `kid`s that requests needed without waiting for them.
    pub(super) sought: SoughtKids,
    /// The sources whose keys should have verified a token that was refused, in order,
    /// each with the time of the latest refusal.
    doubted: Vec<(SourceId, UnixTime)>,
    /// The number of signatures checked.
    pub(super) checks: usize,
    /// Whether decisions contain a description of their steps.
    pub(super) describes_steps: bool,
    /// The time of the last event.
    latest: UnixTime,
}

impl Judge {
    /// Creates a judge for requests under this policy. The snapshot must come from a
    /// service with the sources of the same policy. It has no random bytes, so no proof that
    /// needs a nonce is accepted.
    #[must_use]
    pub fn new(policy: Arc<Policy>, snapshot: Arc<Snapshot>) -> Self {
        let tokens = TokenCache::new(&policy, 1);
        Self::sharing(policy, snapshot, tokens, Proofs::of_one_judge())
    }

    /// Creates a judge that shares its cache with other judges of this policy, and its
    /// used proofs and nonces with all judges of the process.
    #[must_use]
    pub fn sharing(
        policy: Arc<Policy>,
        snapshot: Arc<Snapshot>,
        tokens: Arc<TokenCache>,
        proofs: Proofs,
    ) -> Self {
        let sources = policy.sources.len();
        proofs.keep_for(&policy);
        Self {
            snapshot,
            tokens,
            proofs,
            headers: KnownHeaders::default(),
            waiting: Waiting::new(sources),
            allowance: Allowance::WHOLE,
            absent: std::iter::repeat_with(AbsentKids::default)
                .take(sources)
                .collect(),
            sought: SoughtKids::default(),
            doubted: Vec::new(),
            checks: 0,
            describes_steps: false,
            latest: UnixTime::EPOCH,
            policy,
        }
    }

    /// The active policy.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The current snapshot of this judge.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Turns the description of a decision's steps on or off
    /// ([`Facts::steps`](crate::authz::Facts::steps)). It is needed only if the log shows it.
    pub const fn describe_steps(&mut self, needed: bool) {
        self.describes_steps = needed;
    }

    /// Adopts this snapshot if it is newer. `now` must be read after the snapshot. Cached
    /// tokens whose keys are gone are dropped, and requests that wait for changed keys
    /// are judged in the next ticks.
    pub fn adopt(&mut self, snapshot: &Arc<Snapshot>, now: UnixTime) {
        self.observe_time(now);
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
        // A revocation list is consulted for every request.
        if changed
            .iter()
            .any(|source| snapshot.keys(*source).is_some())
        {
            self.tokens.retain(snapshot.number(), |provider, jwt| {
                is_still_valid(policy, snapshot, &changed, (provider, jwt), now)
            });
        }
        for source in &changed {
            self.waiting.changed(*source);
        }
        self.doubted.retain(|(source, at)| {
            let since = snapshot.fetch_started_at(*source);
            since.is_none_or(|since| since < *at)
        });
        self.learn_absent(&changed, now);
    }

    /// Handles a new request.
    pub fn request(&mut self, stream: StreamId, head: RequestHead, env: Env<'_>) -> Vec<Effect> {
        self.observe_time(env.now);
        let mut turn = Turn::new(env, Vec::with_capacity(3));
        let request = PendingRequest {
            stream,
            head,
            arrived: env.now,
            number: None,
            certificate: None,
        };
        self.judge(request, &mut turn);
        turn.effects
    }

    /// Handles the end of a request, decided or not.
    pub fn forget(&mut self, stream: StreamId) -> Vec<Effect> {
        match self.waiting.remove(stream) {
            Some(_) => vec![Effect::Measure(Measurement::waiting(-1))],
            None => Vec::new(),
        }
    }

    /// The CORS headers for the response to a waiting request, in case the proxy answers
    /// it by itself.
    #[must_use]
    pub fn cors_of_waiting(&self, stream: StreamId) -> Option<&ResponseCors> {
        self.waiting.get(stream)?.facts.cors.as_ref()
    }

    /// Handles a tick. It is due after [`Judge::next_tick`], and may come at any other
    /// time. Only ticks answer waiting requests, each a bounded number; the next tick
    /// continues.
    pub fn tick(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.take_turn(&mut turn);
        turn.effects
    }

    pub(super) fn take_turn(&mut self, turn: &mut Turn<'_>) {
        self.observe_time(turn.env.now);
        self.serve_waiting(turn);
        self.tokens.release_half();
    }

    /// Whether the [demand](Self::demand) is empty. This is cheaper than making the
    /// demand.
    #[must_use]
    pub fn is_demand_empty(&self) -> bool {
        self.waiting.is_empty() && self.doubted.is_empty() && self.sought.is_empty()
    }

    /// Everything that this judge needs from the key service now.
    #[must_use]
    pub fn demand(&self) -> Demand {
        let (sources, kids) = self.waiting.needed();
        Demand {
            snapshot: self.snapshot.number(),
            sources,
            kids,
            sought: self.sought.needed(),
            doubted: self.doubted.clone(),
        }
    }

    /// The time until the next tick is due.
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

    /// Whether a waiting request can be judged now, or its deadline has passed. The next
    /// tick is then due at once.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.waiting.is_behind(self.latest)
    }

    /// Records which `kid`s are still absent, of those that requests needed without
    /// waiting. Waiting requests are judged again and record this themselves.
    fn learn_absent(&mut self, changed: &[SourceId], now: UnixTime) {
        if self.sought.is_empty() {
            return;
        }
        for source in changed {
            let Some(current) = self.snapshot.current(*source) else {
                continue;
            };
            let found = self.sought.answered(*source, current.set, current.as_of);
            let shown_at = self.snapshot.fetched_at(*source);
            if let Some(absent) = self.absent.get_mut(source.index()) {
                for kid in found {
                    absent.insert(kid, shown_at.unwrap_or(now));
                }
            }
        }
    }

    /// Records that the keys of a source should have verified a refused token.
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

    /// Records the time of an event. If the clock was set back, all recorded times are
    /// limited to `now`, so that no earlier event seems to be later.
    pub(super) fn observe_time(&mut self, now: UnixTime) {
        if now < self.latest {
            self.waiting.set_back(now);
            self.sought.set_back(now);
            let former = Arc::clone(&self.snapshot);
            Snapshot::set_back(&mut self.snapshot, &former, now);
            for (_, at) in &mut self.doubted {
                *at = (*at).min(now);
            }
        }
        self.latest = now;
    }
}

/// Whether a cached token can still be used after the keys of the `changed` sources (in
/// order) have changed. It cannot if it has expired, or if the key that signed it is no
/// longer valid for its `kid`.
fn is_still_valid(
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
            // Keys that are too old now may be confirmed by a later fetch.
            let set = snapshot.keys(*source);
            set.is_some_and(|set| set.still_offers(jwt.kid(), jwt.algorithm(), jwt.fingerprint()))
        }
        ProviderKeys::Fetched(_) | ProviderKeys::Inline(_) => true,
    }
}
