//! How one key service and the judges of other threads hand each other values.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::demand::Demand;
use super::judge::Judge;
use super::service::KeyService;
use super::snapshot::Snapshot;

/// Between the key service of a process and its judges.
///
/// The thread of the service [publishes](Self::publish) after each event of the
/// service. A judge's thread looks for [what is newer](Self::newer_than) before each
/// event of the judge, then reads the clock, and says after it what the judge
/// [wants](Self::want). While nothing is newer, a judge's thread takes no lock.
#[derive(Debug)]
pub struct Exchange {
    /// The number of the latest snapshot.
    number: AtomicU64,
    latest: Mutex<Arc<Snapshot>>,
    /// Of each judge.
    demands: Box<[Mutex<Demand>]>,
}

impl Exchange {
    /// Between this service and so many judges.
    #[must_use]
    pub fn new(service: &KeyService, judges: usize) -> Self {
        let demands = std::iter::repeat_with(Mutex::default);
        Self {
            number: AtomicU64::new(service.snapshot().number()),
            latest: Mutex::new(Arc::clone(service.snapshot())),
            demands: demands.take(judges).collect(),
        }
    }

    /// Hands the judges what serves now. The caller may wake them. Without that,
    /// those that hold waiting requests look again within 10 ms.
    pub fn publish(&self, service: &KeyService) {
        let snapshot = service.snapshot();
        if self.number.load(Ordering::Relaxed) == snapshot.number() {
            return;
        }
        *locked(&self.latest) = Arc::clone(snapshot);
        self.number.store(snapshot.number(), Ordering::Release);
    }

    /// The latest snapshot.
    #[must_use]
    pub fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&locked(&self.latest))
    }

    /// The latest snapshot, if this judge does not have it yet.
    #[must_use]
    pub fn newer_than(&self, judge: &Judge) -> Option<Arc<Snapshot>> {
        let number = self.number.load(Ordering::Acquire);
        (number > judge.snapshot().number()).then(|| self.latest())
    }

    /// Says what the judge of this index wants. Returns whether the service
    /// should be woken: a request waits that did not wait before.
    pub fn want(&self, judge: usize, demand: Demand) -> bool {
        let Some(known) = self.demands.get(judge) else {
            return false;
        };
        let mut known = locked(known);
        let is_urgent = demand.is_more_urgent_than(&known);
        *known = demand;
        is_urgent
    }

    /// What the judges want, for [`KeyService::tick`].
    #[must_use]
    pub fn demands(&self) -> Vec<Demand> {
        let demands = self.demands.iter().map(|demand| locked(demand).clone());
        demands.collect()
    }
}

/// The value. A thread that panicked with the lock leaves it whole, since values
/// are only replaced.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
