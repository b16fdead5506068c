//! One key source: the keys this worker has of it, and its part in fetching
//! them.

use std::rc::Rc;
use std::time::Duration;

use super::fetch::{Fetch, FetchCall, FetchId, Next, Request};
use super::random::Random;
use super::shared::{NotSet, Place};
use super::{Effect, Surroundings};
use crate::jwk::{KeySet, ParsedKeySet, Source as KeyOrigin};
use crate::keys::answer::AnswerHead;
use crate::keys::{AbsentKids, Content, Jitter, Machine, Outcome, Record};
use crate::policy::{KeySource, SourceId};
use crate::telemetry::{Event, FetchFailure, FetchResult, Metric};
use crate::time::UnixTime;

/// How often a source is looked at that nobody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often a change is tried again that another worker forestalled.
const ATTEMPTS: usize = 8;

/// The keys of a source as this worker has them.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) set: KeySet,
    pub(super) content: Content,
}

/// One key source.
#[derive(Debug)]
pub(super) struct Source {
    id: SourceId,
    spec: KeySource,
    machine: Machine,
    place: Place,
    /// Names this worker in leases.
    holder: u64,
    record: Record,
    taken: Option<Taken>,
    pub(super) absent: AbsentKids,
    fetch: Option<Fetch>,
    looked_at: Option<UnixTime>,
    told_too_old: bool,
}

impl Source {
    pub(super) fn new(id: SourceId, spec: &KeySource, holder: u64) -> Self {
        let KeySource {
            timeout,
            refresh,
            max_stale,
            ..
        } = *spec;
        Self {
            id,
            spec: spec.clone(),
            machine: Machine {
                timeout,
                refresh,
                max_stale,
            },
            place: Place::of(spec),
            holder,
            record: Record::default(),
            taken: None,
            absent: AbsentKids::default(),
            fetch: None,
            looked_at: None,
            told_too_old: false,
        }
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.machine.timeout
    }

    pub(super) const fn fetch_id(&self) -> Option<FetchId> {
        match &self.fetch {
            Some(fetch) => Some(fetch.id),
            None => None,
        }
    }

    /// The keys that may verify tokens now.
    pub(super) fn serving(&self, now: UnixTime) -> Option<&Taken> {
        self.taken
            .as_ref()
            .filter(|taken| self.machine.content_serves(&taken.content, now))
    }

    /// The last good keys, however old.
    pub(super) fn known(&self) -> Option<&KeySet> {
        self.taken.as_ref().map(|taken| &taken.set)
    }

    /// Whether there were never any keys.
    pub(super) const fn is_empty(&self) -> bool {
        self.taken.is_none()
    }

    /// Whole seconds until the next try, at least one.
    pub(super) fn retry_after(&self, early: bool, now: UnixTime) -> u64 {
        let wait = self
            .machine
            .next_try(&self.record, early, now)
            .saturating_since(now);
        wait.as_secs()
            .saturating_add(u64::from(wait.subsec_nanos() > 0))
            .max(1)
    }

    pub(super) fn is_due_for_a_look(&self, now: UnixTime) -> bool {
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < LOOK_EVERY;
        !self.looked_at.is_some_and(recent)
    }

    /// Takes what other workers have brought since. Returns whether the keys
    /// have changed, and whether the entry is there to be leased.
    pub(super) fn look(
        &mut self,
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) -> (bool, Entry) {
        self.looked_at = Some(around.now);
        let Ok(entry) = self.place.read(around.shared) else {
            return (false, Entry::Unavailable);
        };
        let last_change = match (entry.record, entry.last_change) {
            (Some(record), Some(last_change)) => {
                self.record = record;
                last_change
            }
            // Nothing there, or nothing of ours. Several workers may come to
            // this at once, so that none of them takes the lease before
            // everyone sees the entry.
            (None, last_change) => {
                self.record = self.seed();
                let _ = self.place.write(around.shared, &self.record, last_change);
                return (false, Entry::Seeded);
            }
            (Some(_), None) => return (false, Entry::Unavailable),
        };
        (self.take_shared(around, effects), Entry::At(last_change))
    }

    /// What this worker knows, where the shared data know nothing.
    fn seed(&self) -> Record {
        Record {
            content: None,
            lease: None,
            ..self.record.clone()
        }
    }

    fn take_shared(&mut self, around: Surroundings<'_>, effects: &mut Vec<Effect>) -> bool {
        let Some(content) = self.record.content else {
            return false;
        };
        if self
            .taken
            .as_ref()
            .is_some_and(|taken| taken.content.version == content.version)
        {
            return false;
        }
        let Some(body) = self.place.read_set(around.shared, content.version) else {
            return false;
        };
        if let Ok(ParsedKeySet { set, .. }) = KeySet::parse(&body, KeyOrigin::Fetched) {
            self.take(set, content, around.now, effects);
            return true;
        }
        // Not what a worker of ours has written: as if nothing were there.
        self.record.content = None;
        false
    }

    fn take(&mut self, set: KeySet, content: Content, now: UnixTime, effects: &mut Vec<Effect>) {
        let provider = Rc::clone(&self.spec.name);
        let count = u64::try_from(set.len()).unwrap_or(u64::MAX);
        effects.push(Effect::Measure(Metric::Keys { provider, count }));
        // A time ahead of the clock would let keys serve for longer.
        let fetched_at = content.fetched_at.min(now);
        self.taken = Some(Taken {
            set,
            content: Content {
                fetched_at,
                ..content
            },
        });
        self.absent.clear();
        self.told_too_old = false;
    }

    /// Begins a fetch if one is due and no other worker was faster.
    pub(super) fn begin_if_due(
        &mut self,
        entry: Entry,
        early_wanted: bool,
        random: &mut Random,
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) {
        if self.fetch.is_some() || matches!(entry, Entry::Seeded) {
            return;
        }
        let Some(kind) = self.machine.due(&self.record, early_wanted, around.now) else {
            return;
        };
        let begun = self
            .machine
            .begun(&self.record, kind, self.holder, around.now);
        if let Entry::At(last_change) = entry {
            match self.place.write(around.shared, &begun, Some(last_change)) {
                Ok(()) | Err(NotSet::Unavailable) => {}
                Err(NotSet::Changed) => return,
            }
        }
        self.record = begun;
        let id = FetchId(random.next());
        let (fetch, request) = Fetch::begin(&self.spec, &self.record, id, around.now);
        self.fetch = Some(fetch);
        effects.push(self.call(id, request));
    }

    fn call(&self, id: FetchId, Request { cluster, uri }: Request) -> Effect {
        Effect::Fetch(FetchCall {
            id,
            cluster,
            uri,
            timeout: self.machine.timeout,
        })
    }

    /// Takes the answer to this source's fetch. Returns whether the keys have
    /// changed.
    pub(super) fn fetched(
        &mut self,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        random: &mut Random,
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(fetch) = self.fetch.take() else {
            return false;
        };
        let started_at = fetch.started_at;
        let next = FetchId(random.next());
        match fetch.answered(&self.spec, head, body, next, around.now) {
            Next::Call(fetch, request, discovered) => {
                let (machine, holder) = (self.machine, self.holder);
                let prolonged = self.change(around, |record| {
                    let record = machine.prolonged(record, holder, around.now)?;
                    let discovered = discovered.clone().or(record.discovered);
                    Some(Record {
                        discovered,
                        ..record
                    })
                });
                if prolonged {
                    self.fetch = Some(fetch);
                    effects.push(self.call(next, request));
                }
                false
            }
            Next::Failed(failure) => {
                self.failed(failure, random, around, effects);
                false
            }
            Next::Taken { set, body, max_age } => {
                let version = random.next();
                let outcome = Outcome::Good {
                    version,
                    started_at,
                    max_age,
                };
                self.succeeded(set, &body, outcome, random, around, effects)
            }
        }
    }

    fn succeeded(
        &mut self,
        ParsedKeySet { set, skipped }: ParsedKeySet,
        body: &[u8],
        outcome: Outcome,
        random: &mut Random,
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let provider = || Rc::clone(&self.spec.name);
        for key in &skipped {
            let (index, reason) = (key.index, key.reason);
            effects.push(Effect::Log(Event::KeySkipped {
                provider: provider(),
                index,
                reason,
            }));
        }
        let (usable, skipped) = (set.len(), skipped.len());
        effects.push(Effect::Log(Event::KeysTaken {
            provider: provider(),
            usable,
            skipped,
        }));
        let result = FetchResult::Success;
        effects.push(Effect::Measure(Metric::KeyFetches {
            provider: provider(),
            result,
        }));
        // The set before the record that names it: whoever sees the record
        // finds the set.
        if let Outcome::Good { version, .. } = outcome {
            let _ = self.place.write_set(around.shared, version, body);
        }
        if !self.finish(outcome, random, around) {
            // Another worker has fetched meanwhile: its set is the newer one.
            return false;
        }
        match self.record.content {
            Some(content) => {
                self.take(set, content, around.now, effects);
                true
            }
            None => false,
        }
    }

    fn failed(
        &mut self,
        failure: FetchFailure,
        random: &mut Random,
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) {
        self.finish(Outcome::Failed, random, around);
        let provider = Rc::clone(&self.spec.name);
        let result = FetchResult::Failure;
        effects.push(Effect::Measure(Metric::KeyFetches { provider, result }));
        effects.push(Effect::Log(Event::FetchFailed {
            provider: Rc::clone(&self.spec.name),
            failure,
            serving: self.serving(around.now).is_some(),
            retry_in: self.retry_after(false, around.now),
        }));
    }

    /// Records the outcome; false if the lease is another's by now.
    fn finish(&mut self, outcome: Outcome, random: &mut Random, around: Surroundings<'_>) -> bool {
        let (holder, jitter) = (self.holder, Jitter(random.byte()));
        self.change(around, |record| {
            Machine::finished(record, holder, outcome, jitter, around.now)
        })
    }

    /// Changes the record, here and for all workers. Without shared data, here
    /// only: then every worker fetches for itself.
    fn change(
        &mut self,
        around: Surroundings<'_>,
        change: impl Fn(&Record) -> Option<Record>,
    ) -> bool {
        for _ in 0..ATTEMPTS {
            let Ok(entry) = self.place.read(around.shared) else {
                break;
            };
            let Some(record) = entry.record else { break };
            let Some(changed) = change(&record) else {
                self.record = record;
                return false;
            };
            match self.place.write(around.shared, &changed, entry.last_change) {
                Ok(()) => {
                    self.record = changed;
                    return true;
                }
                Err(NotSet::Changed) => {}
                Err(NotSet::Unavailable) => break,
            }
        }
        match change(&self.record) {
            Some(changed) => {
                self.record = changed;
                true
            }
            None => false,
        }
    }

    /// What is told again and again: the age of the keys, and once that they
    /// are too old.
    pub(super) fn report(&mut self, now: UnixTime, effects: &mut Vec<Effect>) {
        let Some(taken) = &self.taken else { return };
        let provider = Rc::clone(&self.spec.name);
        let seconds = now.saturating_since(taken.content.fetched_at).as_secs();
        effects.push(Effect::Measure(Metric::KeyAge { provider, seconds }));
        if self.serving(now).is_none() && !self.told_too_old {
            self.told_too_old = true;
            let provider = Rc::clone(&self.spec.name);
            effects.push(Effect::Log(Event::KeysTooOld { provider }));
        }
    }

    pub(super) const fn id(&self) -> SourceId {
        self.id
    }
}

/// Whether the shared entry of a source can be leased.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    /// There are no shared data.
    Unavailable,
    /// It was made just now.
    Seeded,
    /// It is there; the number of its last change.
    At(u32),
}
