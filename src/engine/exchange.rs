//! The exchange of values between one key service and the judges of other threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::demand::Demand;
use super::judge::Judge;
use super::service::KeyService;
use super::snapshot::Snapshot;

/// Connects the key service of a process with its judges.
///
/// The thread of the service [publishes](Self::publish) after each event of the service.
/// Before each event of its judge, a judge's thread gets a [newer
/// snapshot](Self::newer_than) if there is one, and then reads the clock. After the event
/// it stores the judge's [demand](Self::set_demand). While no newer snapshot exists, a
/// judge's thread takes no lock.
#[derive(Debug)]
pub struct Exchange {
    /// The number of the latest snapshot.
    number: AtomicU64,
    latest: Mutex<Arc<Snapshot>>,
    /// The demand of each judge, by the judge's index.
    demands: Box<[Mutex<Demand>]>,
}

impl Exchange {
    /// Creates an exchange between this service and the given number of judges.
    #[must_use]
    pub fn new(service: &KeyService, judges: usize) -> Self {
        let demands = std::iter::repeat_with(Mutex::default);
        Self {
            number: AtomicU64::new(service.snapshot().number()),
            latest: Mutex::new(Arc::clone(service.snapshot())),
            demands: demands.take(judges).collect(),
        }
    }

    /// Publishes the current snapshot to the judges. The caller may wake them. Otherwise
    /// judges with waiting requests look for it within 10 ms.
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

    /// The latest snapshot, if the judge does not have it yet.
    #[must_use]
    pub fn newer_than(&self, judge: &Judge) -> Option<Arc<Snapshot>> {
        let number = self.number.load(Ordering::Acquire);
        (number > judge.snapshot().number()).then(|| self.latest())
    }

    /// Stores the demand of the judge with this index. Returns whether the service should
    /// be woken, because a request waits that did not wait before. An index without a
    /// judge is ignored.
    pub fn set_demand(&self, judge: usize, demand: Demand) -> bool {
        let Some(known) = self.demands.get(judge) else {
            return false;
        };
        let mut known = locked(known);
        let is_urgent = demand.is_more_urgent_than(&known);
        *known = demand;
        is_urgent
    }

    /// The demands of all judges, for [`KeyService::tick`].
    #[must_use]
    pub fn demands(&self) -> Vec<Demand> {
        let demands = self.demands.iter().map(|demand| locked(demand).clone());
        demands.collect()
    }
}

/// Locks the value. A thread that panicked while it held the lock leaves the value
/// intact, because values are only replaced as a whole.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
