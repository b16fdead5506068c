//! The part of the engine that polls documents.

use std::sync::Arc;
use std::time::Duration;

use super::demand::Demand;
use super::fetch::FetchId;
use super::random::Random;
use super::snapshot::{Snapshot, View};
use super::source::Source;
use super::work::Work;
use super::{Effect, Env, FAST_TICK, SLOW_TICK, Turn};
use crate::keys::answer::AnswerHead;
use crate::policy::{Policy, SourceId};
use crate::time::UnixTime;

/// Polls the documents of all key sources of a policy, for all judges.
///
/// Judges report their needs as [`Demand`]s, and the service publishes the current
/// documents as a [`Snapshot`]. In a proxy's VM the service shares the documents with
/// other workers through [`super::SharedData`]. A process with threads has one service
/// for all of them.
#[derive(Debug)]
pub struct KeyService {
    sources: Vec<Source>,
    random: Random,
    /// Whether any source has no document while its first fetch may be about to begin.
    starting: bool,
    /// The index of the source that the next tick visits first.
    next: usize,
    /// Whether the last tick had more work than one tick may do.
    behind: bool,
    /// Whether a request waited at the last tick.
    awaited: bool,
    snapshot: Arc<Snapshot>,
    /// The time of the last event.
    latest: UnixTime,
}

impl KeyService {
    /// Creates a service without documents. `seed` differs between workers: it identifies
    /// this worker in leases and spreads its fetches over time.
    #[must_use]
    pub fn new(policy: &Policy, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let holder = random.next();
        let ids = (0..).map(SourceId::new);
        let sources: Vec<_> = ids
            .zip(&policy.sources)
            .map(|(id, spec)| Source::new(id, spec, holder, policy.table_budget))
            .collect();
        let views = sources
            .iter()
            .map(|source| Arc::new(View::empty(source.rules())));
        Self {
            snapshot: Arc::new(Snapshot::new(views.collect())),
            starting: !sources.is_empty(),
            next: 0,
            behind: false,
            awaited: false,
            sources,
            random,
            latest: UnixTime::EPOCH,
        }
    }

    /// The current snapshot. Judges that get it after each event of the service miss no
    /// change.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Adopts the documents that other workers, or this worker before a reload, have
    /// stored. It fetches nothing, because a process that only validates a configuration
    /// must not fetch. The first tick does.
    pub fn start(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.observe_time(env.now);
        let mut work = Work::START;
        for source in &mut self.sources {
            if work.is_done() {
                break;
            }
            source.sync(&mut work, &mut turn);
            Snapshot::update(&mut self.snapshot, source.id(), source.view(env.now));
        }
        turn.effects
    }

    /// Handles a tick with the demands of all judges. It is due after
    /// [`KeyService::next_tick`], and may come at any other time, for example when a
    /// judge has an urgent demand. The work of one tick is bounded; the next tick
    /// continues with the next source.
    pub fn tick(&mut self, demands: &[Demand], env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.take_turn(demands, &mut turn);
        turn.effects
    }

    pub(super) fn take_turn(&mut self, demands: &[Demand], turn: &mut Turn<'_>) {
        let env = turn.env;
        let now = env.now;
        self.observe_time(now);
        let mut work = Work::TICK;
        let first = self.next;
        self.behind = false;
        for index in (first..self.sources.len()).chain(0..first) {
            let Some(source) = self.sources.get_mut(index) else {
                continue;
            };
            let id = source.id();
            let awaited = demands.iter().any(|demand| demand.awaits(id));
            let due = source.is_visit_due(now);
            if !awaited && !due && !source.is_starting() {
                continue;
            }
            if work.is_done() {
                self.next = index;
                self.behind = true;
                break;
            }
            let (new, entry) = source.sync(&mut work, turn);
            if new {
                Snapshot::update(&mut self.snapshot, id, source.view(now));
            }
            let doubted = demands.iter().filter_map(|demand| demand.doubted_at(id));
            source.doubt(doubted.max(), now);
            // A judge that does not know these keys yet may find the `kid` in them.
            let rules = source.rules();
            let is_sought = |at| rules.is_sought(at, now);
            let needed = |demand: &Demand| {
                (demand.lacks_kid(id) || demand.sought_at(id).is_some_and(is_sought))
                    && self.snapshot.is_known_by(demand.snapshot, id)
            };
            let early = demands.iter().any(needed);
            if source.begin_if_due(entry, early, &mut self.random, turn) {
                work.begin();
            }
            if due {
                source.report(turn);
            }
            Snapshot::update(&mut self.snapshot, id, source.view(now));
        }
        self.starting = self.sources.iter().any(Source::is_starting);
        self.awaited = demands.iter().any(Demand::is_urgent);
    }

    /// Handles the end of a fetch. `body` copies the answer's body; it is called only if
    /// the head is acceptable.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        env: Env<'_>,
    ) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.observe_time(env.now);
        let mut sources = self.sources.iter_mut();
        if let Some(source) = sources.find(|source| source.fetch_id() == Some(fetch)) {
            source.fetched(head, body, &mut self.random, &mut turn);
            Snapshot::update(&mut self.snapshot, source.id(), source.view(env.now));
        }
        turn.effects
    }

    /// The time until the next tick is due.
    #[must_use]
    pub const fn next_tick(&self) -> Duration {
        if self.is_starting() || self.awaited {
            FAST_TICK
        } else {
            SLOW_TICK
        }
    }

    /// Whether any source has no document while its first fetch may be about to begin, or
    /// the last tick had more work than one tick may do.
    pub(super) const fn is_starting(&self) -> bool {
        self.starting || self.behind
    }

    /// Drops the tables that speed up signature checks.
    pub(super) fn drop_tables(&mut self) {
        for source in &mut self.sources {
            source.keep_tables(false);
        }
    }

    /// Builds the tables for the document of this source again. Returns false if there is
    /// no such source.
    pub(super) fn make_tables(&mut self, index: usize) -> bool {
        let source = self.sources.get_mut(index);
        source.map(|source| source.keep_tables(true)).is_some()
    }

    /// Records the time of an event. If the clock was set back, all recorded times are
    /// limited to `now`.
    fn observe_time(&mut self, now: UnixTime) {
        if now < self.latest {
            for source in &mut self.sources {
                source.set_back(now);
                Snapshot::update(&mut self.snapshot, source.id(), source.view(now));
            }
        }
        self.latest = now;
    }
}
