//! The judge of one document in one thread.

use std::cell::{Cell, RefCell};

use edge_authz::cors::ResponseCors;
use edge_authz::engine::{
    Demand, Effect, Env, Exchange, Judge, NoConnection, NoSharedData, StreamId,
};
use edge_authz::time::UnixTime;

use super::signatures::Signatures;

/// A judge and its connection to the key service of the process. It is used in one thread.
#[derive(Debug)]
pub struct Seat {
    judge: RefCell<Judge>,
    /// The index of the judge in the [`Exchange`].
    index: usize,
    /// The demand that was last reported to the key service.
    last_demand: RefCell<Demand>,
    /// Whether that demand was not empty.
    had_demand: Cell<bool>,
}

impl Seat {
    /// Creates the seat of the judge with this index.
    #[must_use]
    pub fn new(judge: Judge, index: usize) -> Self {
        Self {
            judge: RefCell::new(judge),
            index,
            last_demand: RefCell::default(),
            had_demand: Cell::new(false),
        }
    }

    /// Passes an event to the judge, after it has adopted the latest snapshot. Returns
    /// `None` if that is not possible: there is no clock, or an event is being handled.
    ///
    /// `describes` is whether decisions need a description of their steps.
    pub fn handle(
        &self,
        exchange: &Exchange,
        clock: impl FnOnce() -> Option<UnixTime>,
        describes: bool,
        event: impl FnOnce(&mut Judge, Env<'_>) -> Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let mut judge = self.judge.try_borrow_mut().ok()?;
        let newer = exchange.newer_than(&judge);
        // The clock is read after the snapshot, so that no time in it is in the future.
        let now = clock()?;
        if let Some(newer) = newer {
            judge.adopt(&newer, now);
        }
        judge.describe_steps(describes);
        let env = Env {
            now,
            shared: &NoSharedData,
            host_signatures: &Signatures,
            connection: &NoConnection,
        };
        Some(event(&mut judge, env))
    }

    /// Removes a request from the waiting ones, if it is one.
    pub fn forget(&self, stream: StreamId) -> Vec<Effect> {
        let judge = self.judge.try_borrow_mut();
        judge.map_or_else(|_| Vec::new(), |mut judge| judge.forget(stream))
    }

    /// Reports the judge's demand to the key service if it has changed. Returns whether the
    /// service should be woken.
    pub fn report_demand(&self, exchange: &Exchange) -> bool {
        let Ok(judge) = self.judge.try_borrow() else {
            return false;
        };
        let Ok(mut last_demand) = self.last_demand.try_borrow_mut() else {
            return false;
        };
        let has_demand = !judge.is_demand_empty();
        if !self.had_demand.replace(has_demand) && !has_demand {
            return false;
        }
        let demand = judge.demand();
        if *last_demand == demand {
            return false;
        }
        last_demand.clone_from(&demand);
        exchange.set_demand(self.index, demand)
    }

    /// Whether the next tick is due at once: see [`Judge::is_behind`].
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.judge.try_borrow().is_ok_and(|judge| judge.is_behind())
    }

    /// The CORS headers of a waiting request that are known so far.
    #[must_use]
    pub fn cors_of_waiting(&self, stream: StreamId) -> Option<ResponseCors> {
        self.judge
            .try_borrow()
            .ok()?
            .cors_of_waiting(stream)
            .cloned()
    }
}
