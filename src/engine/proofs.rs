//! The proofs of possession that were used, so that none is accepted twice.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::nonces::{NoRandomness, NonceStore};
use super::shared::SharedData;
use crate::authz::{ProofUse, UsedProofs};
use crate::dpop::{Nonces, Proof, ProofId};
use crate::memory::{Pool, Share};
use crate::policy::Policy;
use crate::time::UnixTime;

/// The memory of one proof, in bytes: an entry of a map whose nodes are half full, and one
/// of a queue that has just grown.
pub(super) const ENTRY_BYTES: usize = 128;
/// The number of proofs that are dropped for each new one because they can no longer be
/// accepted. With more than one, the memory shrinks after a flood.
const DROPPED_AT_ONCE: usize = 4;
/// The largest part of the time between two uses of the memory that counts as passed, in
/// seconds. More may be a clock that was set ahead.
const MAX_STEP: i64 = 1;
/// The difference between the clocks of two threads, in seconds, that does not count as a
/// clock that was set back.
const SLACK: i64 = 1;
/// The maximum number of attempts to make room for a proof.
const MAX_ATTEMPTS: usize = 8;
/// The maximum number of shards.
const MAX_SHARDS: usize = 16;

/// The proofs that were used by the requests of a process, or of one worker whose memory
/// no other shares.
///
/// All listeners and configurations share it, so a proof that one of them has accepted
/// cannot be used again with another, nor after an update. When it is full, the oldest
/// proof is forgotten; only holders of bound tokens can fill it. It stores 16 bytes of a
/// hash for each proof.
///
/// It is divided into shards, each with its own lock. Ordered maps are used because an
/// attacker could choose proofs that collide in a hash table.
pub struct ProofMemory {
    most: usize,
    pub(super) share: Share,
    pub(super) shards: Box<[Mutex<Shard>]>,
    count: AtomicUsize,
    /// The longest time for which any configuration must remember a proof, in seconds.
    longest: AtomicU64,
    elapsed: Elapsed,
}

/// A part of the memory.
#[derive(Default)]
pub(super) struct Shard {
    /// When each proof can be forgotten, in seconds.
    pub(super) known: BTreeMap<ProofId, i64>,
    /// The proofs in the order in which they were used.
    order: VecDeque<Use>,
}

/// The use of a proof.
#[derive(Clone, Copy)]
struct Use {
    id: ProofId,
    /// When it can be forgotten by the time of day.
    until: i64,
    /// When it can be forgotten by [`Elapsed`].
    elapsed: i64,
}

/// A time in seconds that does not pass faster than the real one while the clock is set ahead
/// and back. It stands still while nothing happens.
///
/// A proof is forgotten only after its time has passed by both. If only the time of day
/// counted, a clock that is set ahead would empty the memory, and after it is set back,
/// every proof could be used again.
struct Elapsed {
    seconds: AtomicI64,
    /// The time of day that was last observed.
    latest: AtomicI64,
}

/// The time of a use, by both clocks, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: i64,
    pub(super) elapsed: i64,
}

impl Elapsed {
    const fn new() -> Self {
        Self {
            seconds: AtomicI64::new(0),
            latest: AtomicI64::new(i64::MIN),
        }
    }

    /// Observes the time of day. Most observations change nothing, so threads seldom wait
    /// for one another here.
    fn observe(&self, now: i64) -> Moment {
        let latest = self.latest.load(Relaxed);
        let step = now.saturating_sub(latest);
        // Two threads that disagree about the second must not count it again and again.
        let is_same = (-SLACK..=0).contains(&step);
        let is_first = || {
            let set = self.latest.compare_exchange(latest, now, Relaxed, Relaxed);
            set.is_ok()
        };
        if !is_same && is_first() {
            self.seconds.fetch_add(step.clamp(0, MAX_STEP), Relaxed);
        }
        Moment {
            now,
            elapsed: self.seconds.load(Relaxed),
        }
    }
}

/// Whether a proof may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    First,
    Again,
    /// There is no room in this shard.
    Full,
}

impl ProofMemory {
    /// The maximum number of proofs in the memory of one of several workers.
    pub const MAX_OF_WORKER: usize = 200_000;
    /// The maximum number of proofs in the memory of a process.
    pub const MAX_OF_PROCESS: usize = 1_000_000;

    /// Creates an empty memory for at most this number of proofs, which this number of
    /// threads use. It takes no space before the first proof.
    #[must_use]
    pub fn new(most: usize, threads: usize) -> Self {
        let shards = threads.clamp(1, MAX_SHARDS);
        Self {
            most,
            share: Pool::new(most.saturating_mul(ENTRY_BYTES)).share(),
            shards: std::iter::repeat_with(Mutex::default)
                .take(shards)
                .collect(),
            count: AtomicUsize::new(0),
            longest: AtomicU64::new(0),
            elapsed: Elapsed::new(),
        }
    }

    /// The number of remembered proofs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Whether no proof is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers all later proofs for at least this time. It is the longest time for which a
    /// configuration accepts a proof: another listener may get a proof that the first
    /// listener would no longer accept.
    fn keep_for(&self, longest: Duration) {
        self.longest.fetch_max(longest.as_secs(), Relaxed);
    }

    /// Forgets all proofs, for tests that send the same request again.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = locked(shard);
            self.free(shard.order.len());
            *shard = Shard::default();
        }
    }

    /// Remembers a proof. Counts in `forgotten` the proofs that could still be accepted and
    /// were dropped for it.
    pub(super) fn use_up(
        &self,
        id: ProofId,
        until: UnixTime,
        now: UnixTime,
        forgotten: &Cell<u32>,
    ) -> Result<(), ProofUse> {
        // The memory is one second coarser than the proofs.
        let until = until.as_secs().saturating_add(1);
        let moment = self.elapsed.observe(now.as_secs());
        let [word, _] = id.words();
        let shards = u64::try_from(self.shards.len()).unwrap_or(u64::MAX);
        let place = word.checked_rem(shards).unwrap_or_default();
        let place = usize::try_from(place).unwrap_or_default();
        // Other threads may take the room that this one makes.
        for _ in 0..MAX_ATTEMPTS {
            let Some(shard) = self.shards.get(place) else {
                break;
            };
            let mut shard = locked(shard);
            self.free(shard.drop_old(moment));
            let has_room = self.len() < self.most && self.share.has_room(ENTRY_BYTES);
            match shard.use_up(id, until, moment, has_room) {
                Outcome::First => {
                    self.count.fetch_add(1, Relaxed);
                    self.share.take(ENTRY_BYTES);
                    return Ok(());
                }
                Outcome::Again => return Err(ProofUse::Again),
                Outcome::Full => {}
            }
            // The lock is released, because the oldest proof may be in any shard.
            drop(shard);
            self.forget_oldest(moment.now, forgotten);
        }
        Err(ProofUse::NoMemory)
    }

    /// Drops the oldest proof of all shards. If other threads do the same meanwhile, each drops
    /// an old one.
    fn forget_oldest(&self, now: i64, forgotten: &Cell<u32>) {
        let of = |shard| Some((locked(shard).oldest()?, shard));
        let all = self.shards.iter().filter_map(of);
        let Some((_, shard)) = all.min_by_key(|(until, _)| *until) else {
            return;
        };
        let dropped = locked(shard).drop_oldest();
        if let Some(until) = dropped {
            self.free(1);
            if until >= now {
                forgotten.set(forgotten.get().saturating_add(1));
            }
        }
    }

    fn free(&self, count: usize) {
        self.count.fetch_sub(count, Relaxed);
        self.share.release(count.saturating_mul(ENTRY_BYTES));
    }
}

impl Shard {
    pub(super) fn use_up(
        &mut self,
        id: ProofId,
        until: i64,
        Moment { now, elapsed }: Moment,
        has_room: bool,
    ) -> Outcome {
        match self.known.get(&id) {
            Some(known) if *known >= now => return Outcome::Again,
            // If a client uses an old `jti` again, its former entry stays in the queue too.
            Some(_) | None if !has_room => return Outcome::Full,
            Some(_) | None => {}
        }
        // A failure of this allocation must not end the process.
        if self.order.try_reserve(1).is_err() {
            return Outcome::Full;
        }
        let life = until.saturating_sub(now);
        self.order.push_back(Use {
            id,
            until,
            elapsed: elapsed.saturating_add(life),
        });
        self.known.insert(id, until);
        Outcome::First
    }

    /// Drops some of the oldest proofs that can no longer be accepted, and returns how
    /// many entries of the queue that were.
    fn drop_old(&mut self, Moment { now, elapsed }: Moment) -> usize {
        let mut dropped = 0;
        let is_old = |one: &Use| one.until < now && one.elapsed < elapsed;
        let front = self.order.iter().take(DROPPED_AT_ONCE);
        let old = front.take_while(|one| is_old(one)).count();
        while dropped < old {
            self.drop_oldest();
            dropped = dropped.saturating_add(1);
        }
        dropped
    }

    /// Until when the oldest proof can be accepted.
    fn oldest(&self) -> Option<i64> {
        self.order.front().map(|one| one.until)
    }

    /// Drops the oldest proof, and returns until when it could be accepted.
    pub(super) fn drop_oldest(&mut self) -> Option<i64> {
        let Use { id, until, .. } = self.order.pop_front()?;
        // A later use of the same ID has an entry of its own.
        if self.known.get(&id) == Some(&until) {
            self.known.remove(&id);
        }
        if self.order.is_empty() {
            self.order = VecDeque::new();
        }
        Some(until)
    }
}

pub(super) fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A thread that panics while it holds the lock leaves complete entries.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for ProofMemory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ProofMemory({} of {})", self.len(), self.most)
    }
}

/// The access of a judge to what its process or worker knows about proofs: which were used,
/// and the keys of nonces.
#[derive(Clone, Debug)]
pub struct Proofs {
    memory: Arc<ProofMemory>,
    nonces: Arc<NonceStore>,
    space: u8,
}

impl Proofs {
    /// The access of the judge for a listener's own document.
    #[must_use]
    pub const fn new(memory: Arc<ProofMemory>, nonces: Arc<NonceStore>) -> Self {
        Self {
            memory,
            nonces,
            space: 0,
        }
    }

    /// The access of a judge that shares nothing and has no random bytes.
    pub(super) fn of_one_judge() -> Self {
        let memory = ProofMemory::new(ProofMemory::MAX_OF_WORKER, 1);
        let nonces = NonceStore::new(|_| Err(NoRandomness));
        Self::new(Arc::new(memory), Arc::new(nonces))
    }

    /// The access of a judge that judges the same requests again, with the document of a
    /// route. It has a space of its own, because both judges see each proof once.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            memory: Arc::clone(&self.memory),
            nonces: Arc::clone(&self.nonces),
            space: 1,
        }
    }

    /// Remembers the proofs of all listeners as long as this policy accepts them.
    pub(super) fn keep_for(&self, policy: &Policy) {
        let providers = policy.providers.iter();
        let rules = providers.filter_map(|(_, provider)| provider.dpop.as_ref());
        if let Some(longest) = rules.map(|rules| rules.kept_for).max() {
            self.memory.keep_for(longest);
        }
    }

    /// The access for one decision.
    pub(super) const fn counting<'p>(&'p self, shared: &'p dyn SharedData) -> Counting<'p> {
        Counting {
            proofs: self,
            shared,
            forgotten: Cell::new(0),
        }
    }
}

/// The memory during one decision.
pub(super) struct Counting<'p> {
    proofs: &'p Proofs,
    shared: &'p dyn SharedData,
    /// The number of proofs that were forgotten too early, because the memory is full.
    pub(super) forgotten: Cell<u32>,
}

impl UsedProofs for Counting<'_> {
    fn use_up(&self, proof: &Proof, now: UnixTime) -> Result<(), ProofUse> {
        let Proofs { memory, space, .. } = self.proofs;
        let longest = Duration::from_secs(memory.longest.load(Relaxed));
        let until = proof.until.max(proof.latest.saturating_add(longest));
        memory.use_up(proof.id.within(*space), until, now, &self.forgotten)
    }

    fn nonces(&self, now: UnixTime) -> Nonces {
        let keys = self.proofs.nonces.keys(now, self.shared);
        keys.map_or(Nonces::Unavailable, Nonces::Of)
    }
}
