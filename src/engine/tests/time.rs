//! Time in the simulated world.

use std::rc::Rc;
use std::time::Duration;

use super::issuer::Mode;
use super::world::{Call, Worker, World};
use crate::time::UnixTime;

impl World {
    /// Advances the time. Ticks and answers come when they are due.
    pub(super) fn pass(&self, duration: Duration) {
        let end = self.now().saturating_add(duration);
        loop {
            let tick = self.next_tick();
            let call = self.next_answer();
            let tick_at = tick.as_ref().map(|worker| worker.next_tick.get());
            let call_at = call.as_ref().map(|(_, at)| *at);
            let next = tick_at.into_iter().chain(call_at).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.clock.set(self.now().max(next));
            match (tick, call) {
                (Some(worker), _) if tick_at == Some(next) => self.tick(&worker),
                (_, Some((call, _))) => self.answer(&call),
                (Some(_) | None, None) => break,
            }
        }
        self.clock.set(self.now().max(end));
    }

    fn next_tick(&self) -> Option<Rc<Worker>> {
        let workers = self.workers.borrow();
        let next = workers.iter().min_by_key(|worker| worker.next_tick.get());
        next.cloned()
    }

    fn next_answer(&self) -> Option<(Call, UnixTime)> {
        let due = |call: &Call| {
            let silent = self.issuers[call.source].mode.get() == Mode::Silent;
            let latency = self.latency.get().filter(|_| !silent);
            let after = latency.unwrap_or(call.asked.timeout);
            call.sent_at.saturating_add(after.min(call.asked.timeout))
        };
        let calls = self.calls.borrow();
        let next = calls.iter().min_by_key(|call| due(call))?;
        Some((next.clone(), due(next)))
    }

    /// Sets the clock. Timers do not depend on it.
    pub(super) fn set_clock(&self, change: impl Fn(UnixTime) -> UnixTime) {
        self.clock.set(change(self.now()));
        for worker in &*self.workers.borrow() {
            worker.next_tick.set(change(worker.next_tick.get()));
        }
        for call in &mut *self.calls.borrow_mut() {
            call.sent_at = change(call.sent_at);
        }
    }
}
