//! The part of the engine that polls the documents.

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

/// Polls the documents of all key sources of a policy, for all judges together.
///
/// It is told what the judges want as [`Demand`]s, and tells them what serves as a
/// [`Snapshot`]. In a proxy's VM it shares the documents with those of other workers
/// through [`super::SharedData`]; a process with threads has one for all of them.
#[derive(Debug)]
pub struct KeyService {
    sources: Vec<Source>,
    random: Random,
    /// Whether some source has no document, and its first fetch may be about to begin.
    starting: bool,
    /// The source that a tick begins with.
    next: usize,
    /// The last tick had more to do than one does.
    behind: bool,
    /// Whether a request waited at the last tick.
    awaited: bool,
    snapshot: Arc<Snapshot>,
    /// The time of the last event.
    latest: UnixTime,
}

impl KeyService {
    /// A service without documents. `seed` differs between workers: it names this one,
    /// and spreads its fetches.
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

    /// What serves now. Judges that are handed it after each event of the service
    /// miss nothing.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Takes the documents that other workers, or this one before it was reloaded,
    /// have stored. It fetches nothing: the first tick does, since a process that
    /// only checks a configuration never ticks.
    pub fn start(&mut self, env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.reach(env.now);
        let mut work = Work::START;
        for source in &mut self.sources {
            if work.is_done() {
                break;
            }
            source.look(&mut work, &mut turn);
            Snapshot::update(&mut self.snapshot, source.id(), source.view(env.now));
        }
        turn.effects
    }

    /// Time has passed: [`KeyService::next_tick`] of it, or any other, or judges
    /// want something: these are the demands of all of them. Does as much as one
    /// callback may; the next tick goes on with the next source.
    pub fn tick(&mut self, demands: &[Demand], env: Env<'_>) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.take_turn(demands, &mut turn);
        turn.effects
    }

    pub(super) fn take_turn(&mut self, demands: &[Demand], turn: &mut Turn<'_>) {
        let env = turn.env;
        let now = env.now;
        self.reach(now);
        let mut work = Work::TICK;
        let first = self.next;
        self.behind = false;
        for index in (first..self.sources.len()).chain(0..first) {
            let Some(source) = self.sources.get_mut(index) else {
                continue;
            };
            let id = source.id();
            let awaited = demands.iter().any(|demand| demand.awaits(id));
            let due = source.is_due_for_a_look(now);
            if !awaited && !due && !source.is_starting() {
                continue;
            }
            if work.is_done() {
                self.next = index;
                self.behind = true;
                break;
            }
            let (new, entry) = source.look(&mut work, turn);
            if new {
                Snapshot::update(&mut self.snapshot, id, source.view(now));
            }
            let doubted = demands.iter().filter_map(|demand| demand.doubted_at(id));
            source.doubt(doubted.max(), now);
            // A judge that does not know these keys yet may find the `kid` in them.
            let wanted = |demand: &Demand| {
                demand.lacks_kid(id) && self.snapshot.is_known_by(demand.snapshot, id)
            };
            let early = demands.iter().any(wanted);
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

    /// A fetch has ended. `body` copies the answer's body; it is asked for only
    /// when the head is good.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        env: Env<'_>,
    ) -> Vec<Effect> {
        let mut turn = Turn::new(env, Vec::new());
        self.reach(env.now);
        let mut sources = self.sources.iter_mut();
        if let Some(source) = sources.find(|source| source.fetch_id() == Some(fetch)) {
            source.fetched(head, body, &mut self.random, &mut turn);
            Snapshot::update(&mut self.snapshot, source.id(), source.view(env.now));
        }
        turn.effects
    }

    /// How long until the next tick is needed.
    #[must_use]
    pub const fn next_tick(&self) -> Duration {
        if self.is_starting() || self.awaited {
            FAST_TICK
        } else {
            SLOW_TICK
        }
    }

    /// Whether some source has no document, and its first fetch may be about to
    /// begin, or there is more to do than one tick does.
    pub(super) const fn is_starting(&self) -> bool {
        self.starting || self.behind
    }

    /// Gives up what makes checks fast.
    pub(super) fn give_up_tables(&mut self) {
        for source in &mut self.sources {
            source.keep_tables(false);
        }
    }

    /// Makes checks with the document of this source fast again; false where there
    /// is no such source.
    pub(super) fn make_tables(&mut self, index: usize) -> bool {
        let source = self.sources.get_mut(index);
        source.map(|source| source.keep_tables(true)).is_some()
    }

    /// Notices a clock that was set back.
    fn reach(&mut self, now: UnixTime) {
        if now < self.latest {
            for source in &mut self.sources {
                source.set_back(now);
                Snapshot::update(&mut self.snapshot, source.id(), source.view(now));
            }
        }
        self.latest = now;
    }
}
