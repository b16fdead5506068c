//! The requests that wait for keys, in the order in which they came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::StreamId;
use crate::authz::{Facts, Wanted};
use crate::cors::ResponseCors;
use crate::http::RequestHead;
use crate::memory::{Pool, Share};
use crate::policy::SourceId;
use crate::time::UnixTime;

/// The most requests that wait for one source.
const MOST_PER_SOURCE: usize = 1000;
/// The most bytes that the waiting requests of all listeners of a worker hold
/// together: what anyone can make wait must not fill the module's memory.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What a waiting request takes besides what it owns: its entries in three maps,
/// whose nodes are half empty at worst, and the adapter's state of it.
const OVERHEAD: usize = 2 * size_of::<Waiter>() + 256;

thread_local! {
    static POOL: Arc<Pool> = Pool::new(MOST_BYTES);
}

/// A request that cannot be decided yet.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) stream: StreamId,
    pub(super) head: RequestHead,
    pub(super) arrived: UnixTime,
    pub(super) deadline: UnixTime,
    pub(super) wanted: Box<[Wanted]>,
    /// What the last decision about it has shown.
    pub(super) facts: Facts,
}

impl Waiter {
    /// The bytes that it holds: a `wanted` of a thousand sources counts as well as
    /// ten thousand empty header fields.
    fn bytes(&self) -> usize {
        let cors = self.facts.cors.as_ref().map_or(0, ResponseCors::held_bytes);
        [size_of_val(&*self.wanted), cors, OVERHEAD]
            .into_iter()
            .fold(self.head.headers().held_bytes(), usize::saturating_add)
    }

    /// How much there is to look at.
    pub(super) fn size(&self) -> usize {
        self.wanted.len().max(1)
    }
}

/// A request's number in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueueNumber(pub(super) u64);

/// A waiting request and how far it was judged.
#[derive(Debug)]
struct Seated {
    waiter: Waiter,
    /// The last change of keys that it was judged by.
    judged_by: u64,
}

/// Those that wait for one source.
#[derive(Clone, Copy, Debug, Default)]
struct Crowd {
    waiting: usize,
    /// Those whose `kid` its keys lack, as far as they were judged by these keys.
    lacking_kid: usize,
    /// The last change of its keys.
    changed_by: u64,
}

/// The requests that wait, bounded per source and in bytes.
///
/// When keys change, the requests that want them are not judged at once. A walk goes
/// through all requests in order of arrival, and each tick does a part of it. A
/// request waits until the walk reaches it, and its deadline still holds.
#[derive(Debug)]
pub(super) struct Waiting {
    seats: BTreeMap<QueueNumber, Seated>,
    numbers: BTreeMap<StreamId, QueueNumber>,
    deadlines: BTreeSet<(UnixTime, QueueNumber)>,
    /// Of each source, by its index.
    crowds: Vec<Crowd>,
    /// The bytes that they hold, of those that the listeners of a worker share.
    share: Share,
    next_number: u64,
    /// How often keys have changed.
    changes: u64,
    /// Where the walk goes on.
    walk: Option<QueueNumber>,
    /// Keys have changed since it began.
    again: bool,
}

impl Waiting {
    /// A waiting room for requests that want the keys of so many sources.
    pub(super) fn new(sources: usize) -> Self {
        Self {
            seats: BTreeMap::new(),
            numbers: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            crowds: vec![Crowd::default(); sources],
            share: POOL.with(Pool::share),
            next_number: 0,
            changes: 0,
            walk: None,
            again: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Whether a request waits that could be judged, or whose deadline has passed.
    pub(super) fn is_behind(&self, now: UnixTime) -> bool {
        self.walk.is_some() || self.first_expired(now).is_some()
    }

    /// Adds a request behind all others. Returns it where too many wait already.
    pub(super) fn insert(&mut self, waiter: Waiter) -> Result<(), Box<Waiter>> {
        self.remove(waiter.stream);
        let number = QueueNumber(self.next_number);
        self.next_number = self.next_number.saturating_add(1);
        self.seat(number, waiter)
    }

    /// Puts a request that was judged again back to where it was, or gives it back
    /// where too many wait for what it wants now.
    pub(super) fn put_back(
        &mut self,
        number: QueueNumber,
        waiter: Waiter,
    ) -> Result<(), Box<Waiter>> {
        self.seat(number, waiter)
    }

    fn seat(&mut self, number: QueueNumber, waiter: Waiter) -> Result<(), Box<Waiter>> {
        let bytes = waiter.bytes();
        let crowded = |wanted: &Wanted| {
            let crowd = self.crowds.get(wanted.source.index());
            crowd.is_none_or(|crowd| crowd.waiting >= MOST_PER_SOURCE)
        };
        if !self.share.is_left(bytes) || waiter.wanted.iter().any(crowded) {
            return Err(Box::new(waiter));
        }
        self.share.take(bytes);
        for wanted in &waiter.wanted {
            if let Some(crowd) = self.crowds.get_mut(wanted.source.index()) {
                crowd.waiting = crowd.waiting.saturating_add(1);
                let lacking = usize::from(wanted.lacks_kid);
                crowd.lacking_kid = crowd.lacking_kid.saturating_add(lacking);
            }
        }
        self.deadlines.insert((waiter.deadline, number));
        self.numbers.insert(waiter.stream, number);
        let judged_by = self.changes;
        self.seats.insert(number, Seated { waiter, judged_by });
        Ok(())
    }

    pub(super) fn get(&self, stream: StreamId) -> Option<&Waiter> {
        let number = self.numbers.get(&stream)?;
        Some(&self.seats.get(number)?.waiter)
    }

    pub(super) fn remove(&mut self, stream: StreamId) -> Option<Waiter> {
        let number = *self.numbers.get(&stream)?;
        self.take(number)
    }

    /// Takes the request of this number.
    pub(super) fn take(&mut self, number: QueueNumber) -> Option<Waiter> {
        let Seated { waiter, judged_by } = self.seats.remove(&number)?;
        self.numbers.remove(&waiter.stream);
        self.deadlines.remove(&(waiter.deadline, number));
        self.share.give_back(waiter.bytes());
        for wanted in &waiter.wanted {
            if let Some(crowd) = self.crowds.get_mut(wanted.source.index()) {
                crowd.waiting = crowd.waiting.saturating_sub(1);
                let is_counted = wanted.lacks_kid && judged_by >= crowd.changed_by;
                let lacking = usize::from(is_counted);
                crowd.lacking_kid = crowd.lacking_kid.saturating_sub(lacking);
            }
        }
        Some(waiter)
    }

    /// The sources that requests wait for, and those whose keys lack a `kid` that
    /// requests wait for, in order.
    pub(super) fn wanted(&self) -> (Vec<SourceId>, Vec<SourceId>) {
        let those = |which: fn(&Crowd) -> bool| {
            let crowds = (0..).map(SourceId::new).zip(&self.crowds);
            let those = crowds.filter(|(_, crowd)| which(crowd));
            those.map(|(source, _)| source).collect()
        };
        (
            those(|crowd| crowd.waiting > 0),
            those(|crowd| crowd.lacking_kid > 0),
        )
    }

    /// The keys of a source have changed: those that wait for them are due to be
    /// judged.
    pub(super) fn changed(&mut self, source: SourceId) {
        self.changes = self.changes.saturating_add(1);
        let Some(crowd) = self.crowds.get_mut(source.index()) else {
            return;
        };
        crowd.changed_by = self.changes;
        // Whether these lack a `kid` is not known before those that wait are judged.
        crowd.lacking_kid = 0;
        if crowd.waiting == 0 {
            return;
        }
        if self.walk.is_some() {
            self.again = true;
        } else {
            self.walk = Some(QueueNumber(0));
        }
    }

    /// Walks on to the next request that is due to be judged. `steps` is how far
    /// this walk may go, counted in wanted keys that are looked at.
    pub(super) fn next_due(&mut self, steps: &mut usize) -> Option<QueueNumber> {
        let from = self.walk?;
        for (number, seated) in self.seats.range(from..) {
            if *steps == 0 {
                self.walk = Some(*number);
                return None;
            }
            *steps = steps.saturating_sub(seated.waiter.size());
            if self.is_due(seated) {
                self.walk = Some(QueueNumber(number.0.saturating_add(1)));
                return Some(*number);
            }
        }
        self.walk = std::mem::take(&mut self.again).then_some(QueueNumber(0));
        None
    }

    /// Whether keys that it wants have changed since it was judged.
    fn is_due(&self, seated: &Seated) -> bool {
        let changed = |wanted: &Wanted| {
            let crowd = self.crowds.get(wanted.source.index());
            crowd.is_some_and(|crowd| crowd.changed_by > seated.judged_by)
        };
        seated.waiter.wanted.iter().any(changed)
    }

    /// The request whose deadline passed first, and whether it is due to be judged.
    pub(super) fn next_expired(&self, now: UnixTime) -> Option<(QueueNumber, bool)> {
        let number = self.first_expired(now)?;
        let seated = self.seats.get(&number)?;
        Some((number, self.is_due(seated)))
    }

    fn first_expired(&self, now: UnixTime) -> Option<QueueNumber> {
        let (deadline, number) = self.deadlines.first()?;
        (now >= *deadline).then_some(*number)
    }

    /// The clock was set back. Those that seem to come from the future wait from
    /// now on, and no longer than they would have.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        self.deadlines.clear();
        for (number, Seated { waiter, .. }) in &mut self.seats {
            if waiter.arrived > now {
                let timeout = waiter.deadline.saturating_since(waiter.arrived);
                waiter.arrived = now;
                waiter.deadline = now.saturating_add(timeout);
            }
            self.deadlines.insert((waiter.deadline, *number));
        }
    }
}
