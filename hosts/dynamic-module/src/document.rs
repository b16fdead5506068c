//! One active document of a listener, for all threads: the listener's own document, or
//! that of one of Envoy's routes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::alarm::Alarm;
use super::clock;
use edge_authz::engine::{Effect, Exchange, FetchId, TokenCache};
use edge_authz::host::Fetches;
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::telemetry::NotSent;
use edge_authz::time::UnixTime;
use edge_authz_native::{SHARED, SharedKeys, locked};

/// A policy with its keys, and the threads in which requests wait for them.
///
/// All methods that return effects may be called only on the main thread.
pub(crate) struct Document {
    policy: Arc<Policy>,
    keys: SharedKeys,
    /// The cache of verified tokens for all threads.
    tokens: Arc<TokenCache>,
    /// The fetches in progress, by Envoy's id.
    fetches: Mutex<Fetches<u64>>,
    has_started: AtomicBool,
    /// The alarm of one request that waits in each thread, by thread index.
    alarms: Box<[Mutex<Option<Arc<Alarm>>>]>,
    closed: AtomicBool,
}

impl Document {
    /// Creates the document of a listener, without keys, for this number of threads.
    pub(crate) fn new(policy: Arc<Policy>, threads: usize, now: UnixTime) -> Self {
        let tokens = TokenCache::new(&policy, threads);
        Self::with(policy, tokens, threads, now)
    }

    /// Creates the document of a route of the same listener. The cached tokens of both
    /// documents share one memory limit.
    pub(crate) fn for_route(&self, policy: Arc<Policy>, now: UnixTime) -> Self {
        let threads = self.alarms.len();
        let tokens = self.tokens.sibling(&policy, threads);
        Self::with(policy, tokens, threads, now)
    }

    fn with(policy: Arc<Policy>, tokens: Arc<TokenCache>, threads: usize, now: UnixTime) -> Self {
        Self {
            keys: SharedKeys::new(&SHARED, &policy, threads, now),
            policy,
            tokens,
            has_started: AtomicBool::new(false),
            fetches: Mutex::default(),
            alarms: std::iter::repeat_with(Mutex::default)
                .take(threads)
                .collect(),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) const fn number(&self) -> u64 {
        self.keys.number()
    }

    pub(crate) const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    pub(crate) const fn exchange(&self) -> &Exchange {
        self.keys.exchange()
    }

    pub(crate) const fn tokens(&self) -> &Arc<TokenCache> {
        &self.tokens
    }

    /// Ends the document, because no request uses it any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // Threads that have used this document drop it later.
        self.tokens.clear();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether a request waits in some thread.
    pub(crate) fn has_waiting(&self) -> bool {
        self.alarms.iter().any(|alarm| locked(alarm).is_some())
    }

    /// Sets the alarm of a request that waits in the thread with this index. `None` means
    /// that no request waits there.
    pub(crate) fn set_alarm(&self, thread: usize, alarm: Option<Arc<Alarm>>) {
        if let Some(place) = self.alarms.get(thread) {
            *locked(place) = alarm;
        }
    }

    /// Adopts the keys of its sources that the process already has. It fetches nothing.
    pub(crate) fn start(&self) -> Vec<Effect> {
        if self.has_started.swap(true, Ordering::Relaxed) {
            return Vec::new();
        }
        self.keys.start(clock::now())
    }

    /// Handles a tick.
    pub(crate) fn tick(&self) -> Vec<Effect> {
        self.tokens.release_half();
        self.keys.tick(clock::now())
    }

    /// The time until the next tick.
    pub(crate) fn next_tick(&self) -> Duration {
        self.keys.next_tick()
    }

    /// Records that a fetch was sent, with Envoy's id for it.
    pub(crate) fn sent(&self, number: u64, fetch: FetchId) {
        locked(&self.fetches).sent(number, fetch);
    }

    /// Records that a fetch was not sent.
    pub(crate) fn not_sent(&self, fetch: FetchId, why: NotSent) -> Vec<Effect> {
        let head = AnswerHead::not_sent(why);
        self.keys.ended(clock::now(), fetch, &head, &|| None)
    }

    /// Handles the end of a fetch, with or without an answer. `None` if it is not a fetch
    /// of this document.
    pub(crate) fn fetched(
        &self,
        number: u64,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Option<Vec<Effect>> {
        let fetch = locked(&self.fetches).take(&number)?;
        Some(self.keys.ended(clock::now(), fetch, head, body))
    }

    /// Publishes the current snapshot, and wakes the threads in which requests wait.
    pub(crate) fn publish(&self) {
        if self.keys.publish() {
            self.wake_threads();
        }
    }

    /// Wakes the threads in which requests wait. Returns whether there are any.
    pub(crate) fn wake_threads(&self) -> bool {
        let mut any = false;
        for place in &self.alarms {
            let alarm = locked(place).clone();
            if let Some(alarm) = alarm {
                alarm.request_tick();
                any = true;
            }
        }
        any
    }
}
