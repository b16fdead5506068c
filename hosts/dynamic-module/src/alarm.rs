//! Requests for hooks.

use std::sync::atomic::{AtomicBool, Ordering};

use super::abi::Scheduler;

/// The event number of the tick hook.
pub(crate) const TICK: u64 = 1;
/// The event number of the hook that applies a decision.
pub(crate) const DECIDED: u64 = 2;

/// Requests a hook. It requests it only once until Envoy calls the hook.
pub(crate) struct Alarm {
    scheduler: Scheduler,
    is_pending: AtomicBool,
}

impl Alarm {
    pub(crate) const fn new(scheduler: Scheduler) -> Self {
        Self {
            scheduler,
            is_pending: AtomicBool::new(false),
        }
    }

    /// Requests the tick hook.
    pub(crate) fn request_tick(&self) {
        if !self.is_pending.swap(true, Ordering::AcqRel) {
            self.scheduler.commit(TICK);
        }
    }

    /// Requests the hook that applies the decision about this request.
    pub(crate) fn notify(&self) {
        self.scheduler.commit(DECIDED);
    }

    /// Records that Envoy has called the hook.
    pub(crate) fn fired(&self) {
        self.is_pending.store(false, Ordering::Release);
    }
}
