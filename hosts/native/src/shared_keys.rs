//! The keys of one document, for all threads.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use edge_authz::engine::{Effect, Exchange, FetchId, KeyService};
use edge_authz::host::seed;
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::time::UnixTime;

use super::keeper::Keeper;
use super::lock::locked;
use super::shared::Shared;

/// The key service of a document, and its exchange with the judges. The time of each event
/// is that of the caller's clock, or `None` without one.
#[derive(Debug)]
pub struct SharedKeys {
    /// Identifies the document in the process.
    number: u64,
    exchange: Exchange,
    keeper: Mutex<Keeper>,
    /// The number of the latest snapshot for which the threads were woken.
    woken_for: AtomicU64,
}

/// The number of the next document.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl SharedKeys {
    /// Creates the keys of a document for this number of threads. None is fetched yet.
    #[must_use]
    pub fn new(shared: &'static Shared, policy: &Policy, threads: usize, now: UnixTime) -> Self {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let seed = seed(now, number) ^ u64::from(process::id()).rotate_left(48);
        let keeper = Keeper::sharing(shared, policy, seed, now);
        Self {
            number,
            exchange: Exchange::new(&keeper.service, threads),
            woken_for: AtomicU64::new(keeper.service.snapshot().number()),
            keeper: Mutex::new(keeper),
        }
    }

    /// Identifies the document in the process. A later one has a larger number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The exchange with the judges.
    #[must_use]
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Adopts the keys of its sources that the process already has. It fetches nothing.
    #[must_use]
    pub fn start(&self, now: Option<UnixTime>) -> Vec<Effect> {
        locked(&self.keeper).handle(now, KeyService::start)
    }

    /// Handles a tick of the key service.
    #[must_use]
    pub fn tick(&self, now: Option<UnixTime>) -> Vec<Effect> {
        let demands = self.exchange.demands();
        let mut keeper = locked(&self.keeper);
        keeper.handle(now, |service, env| service.tick(&demands, env))
    }

    /// The time until the next tick of the key service.
    #[must_use]
    pub fn next_tick(&self) -> Duration {
        locked(&self.keeper).service.next_tick()
    }

    /// Reports the end of a fetch to the service. It must be called for every fetch, because
    /// the service starts no other fetch of the source before.
    #[must_use]
    pub fn ended(
        &self,
        now: Option<UnixTime>,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        locked(&self.keeper).ended(now, fetch, head, body)
    }

    /// Publishes the current snapshot. Returns whether it is new, so that the threads must be
    /// woken.
    #[must_use]
    pub fn publish(&self) -> bool {
        let keeper = locked(&self.keeper);
        self.exchange.publish(&keeper.service);
        let number = keeper.service.snapshot().number();
        drop(keeper);
        self.woken_for.swap(number, Ordering::Relaxed) != number
    }
}
