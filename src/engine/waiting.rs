//! The requests that wait for keys, in order of arrival.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::StreamId;
use crate::authz::{CertificateUnknown, Facts, NeededDocument};
use crate::cors::ResponseCors;
use crate::http::RequestHead;
use crate::memory::{Pool, Share};
use crate::policy::SourceId;
use crate::time::UnixTime;

/// The maximum number of requests that wait for one source.
const MAX_PER_SOURCE: usize = 1000;
/// The maximum size of the waiting requests of all listeners of a worker, in bytes. Anyone
/// can cause requests to wait, and they must not fill the module's memory.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The size of a waiting request in bytes, without the memory that it owns: its entries
/// in three maps, whose nodes are half empty in the worst case, and the host's state of
/// the request.
const OVERHEAD: usize = 2 * size_of::<Waiter>() + 256;

thread_local! {
    static POOL: Arc<Pool> = Pool::new(MAX_BYTES);
}

/// A request that cannot be decided yet.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) stream: StreamId,
    pub(super) head: RequestHead,
    pub(super) arrived: UnixTime,
    pub(super) deadline: UnixTime,
    pub(super) needed: Box<[NeededDocument]>,
    /// The client certificate of the connection, if the request needs it.
    pub(super) certificate: Option<Certificate>,
    /// The facts of the latest decision about the request.
    pub(super) facts: Facts,
}

impl Waiter {
    /// The size of the request in bytes. It includes the list of needed keys, because a
    /// request that needs a thousand sources is as large as one with ten thousand empty
    /// header fields.
    fn bytes(&self) -> usize {
        let cors = self.facts.cors.as_ref().map_or(0, ResponseCors::held_bytes);
        [size_of_val(&*self.needed), cors, OVERHEAD]
            .into_iter()
            .fold(self.head.headers().held_bytes(), usize::saturating_add)
    }

    /// The steps that checking this request costs, at least one.
    pub(super) fn size(&self) -> usize {
        self.needed.len().max(1)
    }
}

/// What the host has reported about the client certificate of a connection: its SHA-256, or
/// that there is none, or nothing.
pub(super) type Certificate = Result<Option<[u8; 32]>, CertificateUnknown>;

/// The position of a request in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueueNumber(pub(super) u64);

/// A waiting request, and the keys with which it was last judged.
#[derive(Debug)]
struct Queued {
    waiter: Waiter,
    /// The number of the latest key change before it was judged.
    judged_by: u64,
}

/// The number of requests that wait for one source.
#[derive(Clone, Copy, Debug, Default)]
struct SourceLoad {
    waiting: usize,
    /// The number of waiting requests whose `kid` the current keys lack, as far as they
    /// were judged with these keys.
    lacking_kid: usize,
    /// The number of the latest change of the source's keys.
    changed_by: u64,
}

/// The waiting requests, bounded per source and in bytes.
///
/// When keys change, the requests that need them are not judged at once. A scan goes
/// through all requests in order of arrival, and each tick does a part of it. A request
/// waits until the scan reaches it, and its deadline remains in force.
#[derive(Debug)]
pub(super) struct Waiting {
    queue: BTreeMap<QueueNumber, Queued>,
    numbers: BTreeMap<StreamId, QueueNumber>,
    deadlines: BTreeSet<(UnixTime, QueueNumber)>,
    /// The counts of each source, by source index.
    loads: Vec<SourceLoad>,
    /// The bytes of the waiting requests, as a share of the memory that all listeners of
    /// a worker use.
    share: Share,
    next_number: u64,
    /// The number of key changes so far.
    changes: u64,
    /// Where the scan continues, or `None` if no scan is in progress.
    scan: Option<QueueNumber>,
    /// Whether keys have changed since the scan began.
    rescan: bool,
}

impl Waiting {
    /// Creates an empty queue for requests that need the keys of this number of sources.
    pub(super) fn new(sources: usize) -> Self {
        Self {
            queue: BTreeMap::new(),
            numbers: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            loads: vec![SourceLoad::default(); sources],
            share: POOL.with(Pool::share),
            next_number: 0,
            changes: 0,
            scan: None,
            rescan: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a waiting request can be judged now, or its deadline has passed.
    pub(super) fn is_behind(&self, now: UnixTime) -> bool {
        self.scan.is_some() || self.first_expired(now).is_some()
    }

    /// Adds a request at the end. Returns it if too many requests wait already.
    pub(super) fn insert(&mut self, waiter: Waiter) -> Result<(), Box<Waiter>> {
        self.remove(waiter.stream);
        let number = QueueNumber(self.next_number);
        self.next_number = self.next_number.saturating_add(1);
        self.enqueue(number, waiter)
    }

    /// Puts a request back to its position after it was judged again. Returns it if too
    /// many requests wait for the keys that it needs now.
    pub(super) fn put_back(
        &mut self,
        number: QueueNumber,
        waiter: Waiter,
    ) -> Result<(), Box<Waiter>> {
        self.enqueue(number, waiter)
    }

    fn enqueue(&mut self, number: QueueNumber, waiter: Waiter) -> Result<(), Box<Waiter>> {
        let bytes = waiter.bytes();
        let is_full = |needed: &NeededDocument| {
            let load = self.loads.get(needed.source.index());
            load.is_none_or(|load| load.waiting >= MAX_PER_SOURCE)
        };
        if !self.share.has_left(bytes) || waiter.needed.iter().any(is_full) {
            return Err(Box::new(waiter));
        }
        self.share.take(bytes);
        for needed in &waiter.needed {
            if let Some(load) = self.loads.get_mut(needed.source.index()) {
                load.waiting = load.waiting.saturating_add(1);
                let lacking = usize::from(needed.lacks_kid);
                load.lacking_kid = load.lacking_kid.saturating_add(lacking);
            }
        }
        self.deadlines.insert((waiter.deadline, number));
        self.numbers.insert(waiter.stream, number);
        let judged_by = self.changes;
        self.queue.insert(number, Queued { waiter, judged_by });
        Ok(())
    }

    pub(super) fn get(&self, stream: StreamId) -> Option<&Waiter> {
        let number = self.numbers.get(&stream)?;
        Some(&self.queue.get(number)?.waiter)
    }

    pub(super) fn remove(&mut self, stream: StreamId) -> Option<Waiter> {
        let number = *self.numbers.get(&stream)?;
        self.take(number)
    }

    /// Removes the request with this number.
    pub(super) fn take(&mut self, number: QueueNumber) -> Option<Waiter> {
        let Queued { waiter, judged_by } = self.queue.remove(&number)?;
        self.numbers.remove(&waiter.stream);
        self.deadlines.remove(&(waiter.deadline, number));
        self.share.release(waiter.bytes());
        for needed in &waiter.needed {
            if let Some(load) = self.loads.get_mut(needed.source.index()) {
                load.waiting = load.waiting.saturating_sub(1);
                let is_counted = needed.lacks_kid && judged_by >= load.changed_by;
                let lacking = usize::from(is_counted);
                load.lacking_kid = load.lacking_kid.saturating_sub(lacking);
            }
        }
        Some(waiter)
    }

    /// The sources for which requests wait, and those whose keys lack a needed `kid`, in
    /// order.
    pub(super) fn needed(&self) -> (Vec<SourceId>, Vec<SourceId>) {
        let those = |which: fn(&SourceLoad) -> bool| {
            let loads = (0..).map(SourceId::new).zip(&self.loads);
            let those = loads.filter(|(_, load)| which(load));
            those.map(|(source, _)| source).collect()
        };
        (
            those(|load| load.waiting > 0),
            those(|load| load.lacking_kid > 0),
        )
    }

    /// Records that the keys of a source have changed. The requests that wait for them
    /// must be judged again.
    pub(super) fn changed(&mut self, source: SourceId) {
        self.changes = self.changes.saturating_add(1);
        let Some(load) = self.loads.get_mut(source.index()) else {
            return;
        };
        load.changed_by = self.changes;
        // Whether the new keys lack a `kid` is known only after the waiting requests have
        // been judged.
        load.lacking_kid = 0;
        if load.waiting == 0 {
            return;
        }
        if self.scan.is_some() {
            self.rescan = true;
        } else {
            self.scan = Some(QueueNumber(0));
        }
    }

    /// Scans to the next request that must be judged again. `steps` limits the scan,
    /// counted in needed keys that are checked.
    pub(super) fn next_due(&mut self, steps: &mut usize) -> Option<QueueNumber> {
        let from = self.scan?;
        for (number, queued) in self.queue.range(from..) {
            if *steps == 0 {
                self.scan = Some(*number);
                return None;
            }
            *steps = steps.saturating_sub(queued.waiter.size());
            if self.is_due(queued) {
                self.scan = Some(QueueNumber(number.0.saturating_add(1)));
                return Some(*number);
            }
        }
        self.scan = std::mem::take(&mut self.rescan).then_some(QueueNumber(0));
        None
    }

    /// Whether keys that the request needs have changed since it was judged.
    fn is_due(&self, queued: &Queued) -> bool {
        let changed = |needed: &NeededDocument| {
            let load = self.loads.get(needed.source.index());
            load.is_some_and(|load| load.changed_by > queued.judged_by)
        };
        queued.waiter.needed.iter().any(changed)
    }

    /// The request with the earliest expired deadline, and whether it must be judged
    /// again.
    pub(super) fn next_expired(&self, now: UnixTime) -> Option<(QueueNumber, bool)> {
        let number = self.first_expired(now)?;
        let queued = self.queue.get(&number)?;
        Some((number, self.is_due(queued)))
    }

    fn first_expired(&self, now: UnixTime) -> Option<QueueNumber> {
        let (deadline, number) = self.deadlines.first()?;
        (now >= *deadline).then_some(*number)
    }

    /// Corrects the deadlines after the clock was set back. A request with an arrival
    /// time in the future gets `now` as its arrival time, and keeps its timeout.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        self.deadlines.clear();
        for (number, Queued { waiter, .. }) in &mut self.queue {
            if waiter.arrived > now {
                let timeout = waiter.deadline.saturating_since(waiter.arrived);
                waiter.arrived = now;
                waiter.deadline = now.saturating_add(timeout);
            }
            self.deadlines.insert((waiter.deadline, *number));
        }
    }
}
