//! One active configuration, with its keys for all threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use edge_authz::engine::{Effect, Exchange, FetchId, Proofs, TokenCache};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::time::UnixTime;
use edge_authz_native::{SHARED, Shared, SharedKeys, proofs};
use tokio::sync::Notify;

use crate::clock;

/// A policy with its keys, and what wakes the threads in which requests wait for them.
#[derive(Debug)]
pub struct Document {
    policy: Arc<Policy>,
    keys: SharedKeys,
    /// The cache of verified tokens for all threads.
    tokens: Arc<TokenCache>,
    proofs: Proofs,
    /// Wakes each thread, by thread index.
    threads: Box<[Notify]>,
    /// Wakes the task that keeps the keys.
    task: Notify,
    retired: AtomicBool,
}

impl Document {
    /// Creates a document without keys, for this number of threads.
    #[must_use]
    pub fn new(policy: Arc<Policy>, threads: usize, now: UnixTime) -> Arc<Self> {
        let proofs = proofs::of_process().clone();
        Self::with(policy, threads, now, (&SHARED, proofs))
    }

    /// Creates a document that shares these data and these used proofs with others.
    #[must_use]
    pub fn with(
        policy: Arc<Policy>,
        threads: usize,
        now: UnixTime,
        (shared, proofs): (&'static Shared, Proofs),
    ) -> Arc<Self> {
        let notifies = std::iter::repeat_with(Notify::new);
        Arc::new(Self {
            keys: SharedKeys::new(shared, &policy, threads, now),
            tokens: TokenCache::new(&policy, threads),
            policy,
            proofs,
            threads: notifies.take(threads).collect(),
            task: Notify::new(),
            retired: AtomicBool::new(false),
        })
    }

    /// Identifies the document in the process. A later one has a larger number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.keys.number()
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether every key set and revocation list of the configuration was fetched.
    #[must_use]
    pub fn has_all_documents(&self) -> bool {
        self.exchange().latest().is_complete()
    }

    pub(super) const fn exchange(&self) -> &Exchange {
        self.keys.exchange()
    }

    pub(super) const fn tokens(&self) -> &Arc<TokenCache> {
        &self.tokens
    }

    pub(super) const fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// Releases what only new requests need, because another document is active.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.tokens.clear();
    }

    /// Whether another document is active.
    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Ends when the thread with this index should tick.
    pub(super) async fn thread_woken(&self, thread: usize) {
        match self.threads.get(thread) {
            Some(notify) => notify.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Lets the thread with this index tick.
    pub(super) fn wake_thread(&self, thread: usize) {
        if let Some(notify) = self.threads.get(thread) {
            notify.notify_one();
        }
    }

    /// Ends when a judge has an urgent demand.
    pub(super) async fn keys_woken(&self) {
        self.task.notified().await;
    }

    /// Reports that a judge has an urgent demand.
    pub(super) fn wake_keys(&self) {
        self.task.notify_one();
    }

    /// Adopts the keys of its sources that the process already has. It fetches nothing.
    pub(super) fn start(&self) -> Vec<Effect> {
        self.keys.start(clock::now())
    }

    /// Handles a tick of the key service.
    pub(super) fn tick(&self) -> Vec<Effect> {
        self.tokens.release_half();
        self.keys.tick(clock::now())
    }

    /// The time until the next tick of the key service.
    pub(super) fn next_tick(&self) -> Duration {
        self.keys.next_tick()
    }

    /// Handles the end of a fetch, with or without an answer.
    pub(super) fn fetched(
        &self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        self.keys.ended(clock::now(), fetch, head, body)
    }

    /// Publishes the current snapshot, and wakes the threads if it is new.
    pub(super) fn publish(&self) {
        if self.keys.publish() {
            for thread in &self.threads {
                thread.notify_one();
            }
        }
    }
}
