//! One active configuration, with its keys for all threads.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_authz::engine::{Effect, Exchange, FetchId, KeyService, Proofs, TokenCache};
use edge_authz::host::seed;
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::time::UnixTime;
use edge_authz_native::{Keeper, SHARED, Shared, clock, locked, proofs};
use tokio::sync::Notify;

/// A policy with its keys, and what wakes the threads in which requests wait for them.
#[derive(Debug)]
pub struct Document {
    /// Identifies the document in the process.
    number: u64,
    policy: Arc<Policy>,
    exchange: Exchange,
    /// The cache of verified tokens for all threads.
    tokens: Arc<TokenCache>,
    proofs: Proofs,
    keeper: Mutex<Keeper>,
    /// The number of the latest snapshot for which the threads were woken.
    woken_for: AtomicU64,
    /// Wakes each thread, by thread index.
    threads: Box<[Notify]>,
    /// Wakes the task that keeps the keys.
    keys: Notify,
    retired: AtomicBool,
}

/// The number of the next document.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

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
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let seed = seed(now, number) ^ u64::from(process::id()).rotate_left(48);
        let keeper = Keeper::sharing(shared, &policy, seed, now);
        let notifies = std::iter::repeat_with(Notify::new);
        Arc::new(Self {
            number,
            exchange: Exchange::new(&keeper.service, threads),
            tokens: TokenCache::new(&policy, threads),
            policy,
            proofs,
            woken_for: AtomicU64::new(keeper.service.snapshot().number()),
            keeper: Mutex::new(keeper),
            threads: notifies.take(threads).collect(),
            keys: Notify::new(),
            retired: AtomicBool::new(false),
        })
    }

    /// Identifies the document in the process. A later one has a larger number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Whether every key set and revocation list of the configuration was fetched.
    #[must_use]
    pub fn has_all_documents(&self) -> bool {
        self.exchange.latest().is_complete()
    }

    pub(super) const fn exchange(&self) -> &Exchange {
        &self.exchange
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
        self.keys.notified().await;
    }

    /// Reports that a judge has an urgent demand.
    pub(super) fn wake_keys(&self) {
        self.keys.notify_one();
    }

    /// Adopts the keys of its sources that the process already has. It fetches nothing.
    pub(super) fn start(&self) -> Vec<Effect> {
        locked(&self.keeper).handle(clock::now(), KeyService::start)
    }

    /// Handles a tick of the key service.
    pub(super) fn tick(&self) -> Vec<Effect> {
        self.tokens.release_half();
        let demands = self.exchange.demands();
        let mut keeper = locked(&self.keeper);
        keeper.handle(clock::now(), |service, env| service.tick(&demands, env))
    }

    /// The time until the next tick of the key service.
    pub(super) fn next_tick(&self) -> Duration {
        locked(&self.keeper).service.next_tick()
    }

    /// Handles the end of a fetch, with or without an answer.
    pub(super) fn fetched(
        &self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        locked(&self.keeper).ended(clock::now(), fetch, head, body)
    }

    /// Publishes the current snapshot, and wakes the threads if it is new.
    pub(super) fn publish(&self) {
        let keeper = locked(&self.keeper);
        self.exchange.publish(&keeper.service);
        let number = keeper.service.snapshot().number();
        drop(keeper);
        if self.woken_for.swap(number, Ordering::Relaxed) != number {
            for thread in &self.threads {
                thread.notify_one();
            }
        }
    }
}
