//! What happens over time: events in, effects out.
//!
//! The engine has two parts. The [`KeyService`] polls the documents that judging
//! needs: it knows the sources, the rules of fetching, and what serves. The
//! [`Judge`] decides about requests with [`crate::authz`], remembers the tokens that
//! verified, and holds the requests that wait. What serves goes from one to the
//! other as an immutable [`Snapshot`], and what judges want goes back as a
//! [`Demand`]: both are values, so that a process may have one service and a judge
//! in each thread ([`Exchange`]). [`Engine`] is both together, for a host that has
//! one thread.
//!
//! All of them are told of events and return what is to be done as values. They do
//! no I/O and know neither the proxy nor the clock; what they must ask for while
//! they handle an event, they ask through [`Env`].
//!
//! Only an [`Effect::Answer`] lets a request through. An event that is lost, late or
//! unforeseen leaves the request waiting until its deadline.

mod demand;
mod document;
mod doorkeeper;
mod effect;
mod exchange;
mod fetch;
mod judge;
mod judging;
mod ledger;
mod random;
mod reading;
mod service;
mod shared;
mod snapshot;
mod source;
mod tables;
#[cfg(test)]
mod tests;
mod token_cache;
mod waiting;
mod work;

use std::sync::Arc;
use std::time::Duration;

use crate::cors::ResponseCors;
use crate::crypto::HostSignatures;
use crate::http::RequestHead;
use crate::keys::answer::AnswerHead;
use crate::policy::Policy;
use crate::time::UnixTime;

pub use demand::Demand;
pub use effect::{Action, Answer, Effect, StreamId};
pub use exchange::Exchange;
pub use fetch::{FetchCall, FetchId};
pub use judge::Judge;
pub use service::KeyService;
pub use shared::{NoSharedData, NotSet, SharedData, Unavailable};
pub use snapshot::Snapshot;
use tables::Tables;

/// The tick that suffices while nothing is going on.
const SLOW_TICK: Duration = Duration::from_millis(500);
/// The tick while requests wait.
const FAST_TICK: Duration = Duration::from_millis(10);
/// The tick while requests wait that could be answered.
const BUSY_TICK: Duration = Duration::from_millis(1);

/// What the engine may ask for while it handles an event.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The time of the event.
    pub now: UnixTime,
    /// What the workers of a proxy share. Only the key service looks at it.
    pub shared: &'a dyn SharedData,
    /// The proxy's own signature checks. Only judges use them.
    pub host_signatures: &'a dyn HostSignatures,
}

/// One event that is handled: what may be asked for, and what is to be done.
struct Turn<'a> {
    env: Env<'a>,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    const fn new(env: Env<'a>, effects: Vec<Effect>) -> Self {
        Self { env, effects }
    }
}

/// One listener's filter in a host that has one thread: its policy, and all that
/// changes.
#[derive(Debug)]
pub struct Engine {
    service: KeyService,
    judge: Judge,
    tables: Tables,
    /// When the key sources were last looked at in their turn.
    looked_at: Option<UnixTime>,
}

impl Engine {
    /// An engine without keys. `seed` differs between workers: it names this
    /// one, and spreads its fetches.
    #[must_use]
    pub fn new(policy: Arc<Policy>, seed: u64) -> Self {
        let service = KeyService::new(&policy, seed);
        let judge = Judge::new(policy, Arc::clone(service.snapshot()));
        Self {
            service,
            judge,
            tables: Tables::default(),
            looked_at: None,
        }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        self.judge.policy()
    }

    /// As [`KeyService::start`].
    pub fn start(&mut self, env: Env<'_>) -> Vec<Effect> {
        self.looked_at = Some(env.now);
        let effects = self.service.start(env);
        self.judge.adopt(self.service.snapshot(), env.now);
        effects
    }

    /// As [`Judge::request`].
    pub fn request(&mut self, stream: StreamId, head: RequestHead, env: Env<'_>) -> Vec<Effect> {
        self.judge.request(stream, head, env)
    }

    /// As [`Judge::describe_steps`].
    pub const fn describe_steps(&mut self, wanted: bool) {
        self.judge.describe_steps(wanted);
    }

    /// As [`Judge::forget`].
    pub fn forget(&mut self, stream: StreamId) -> Vec<Effect> {
        self.judge.forget(stream)
    }

    /// As [`Judge::cors_of_waiting`].
    #[must_use]
    pub fn cors_of_waiting(&self, stream: StreamId) -> Option<&ResponseCors> {
        self.judge.cors_of_waiting(stream)
    }

    /// Time has passed: [`Engine::next_tick`] of it, or any other. This alone
    /// answers requests that wait, and only so many: the next tick goes on.
    pub fn tick(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.judge.reach(env.now);
        if self.is_due_for_a_look(env.now) {
            let demand = self.judge.demand();
            self.service.take_turn(&[demand], &mut turn);
            self.judge.adopt(self.service.snapshot(), env.now);
        }
        self.judge.take_turn(&mut turn);
        self.make_tables();
        turn.effects
    }

    /// As [`KeyService::fetched`]. Those that wait for it are judged at the next
    /// ticks.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        env: Env<'_>,
    ) -> Vec<Effect> {
        let effects = self.service.fetched(fetch, head, body, env);
        self.judge.adopt(self.service.snapshot(), env.now);
        effects
    }

    /// How long until the next tick is needed.
    #[must_use]
    pub fn next_tick(&self) -> Duration {
        if self.service.is_starting() {
            self.judge.next_tick().min(FAST_TICK)
        } else {
            self.judge.next_tick()
        }
    }

    /// Whether the key sources are looked at in this tick: not in all of those that
    /// come fast since requests wait for an answer.
    fn is_due_for_a_look(&mut self, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < FAST_TICK;
        if self.looked_at.is_some_and(recent) {
            return !self.judge.is_behind();
        }
        self.looked_at = Some(now);
        true
    }
}
