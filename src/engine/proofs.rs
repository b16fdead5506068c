//! The proofs of possession that were used, so that none is accepted twice.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::nonces::{NoRandomness, NonceStore};
use super::shared::SharedData;
use crate::authz::{ProofUse, UsedProofs};
use crate::dpop::{Nonces, Proof, ProofId};
use crate::memory::{Pool, Share};
use crate::time::UnixTime;

/// The memory of one proof, in bytes: an entry of a map whose nodes are half full, and one
/// of a queue that has just grown.
const ENTRY_BYTES: usize = 112;
/// The number of proofs that are dropped for each new one because they can no longer be
/// accepted. With more than one, the memory shrinks after a flood.
const DROPPED_AT_ONCE: usize = 4;
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
    share: Share,
    shards: Box<[Mutex<Shard>]>,
    count: AtomicUsize,
    /// The shard in which room is made next.
    next: AtomicUsize,
}

/// A part of the memory.
#[derive(Default)]
struct Shard {
    /// When each proof can be forgotten, in seconds.
    known: BTreeMap<ProofId, i64>,
    /// The proofs in the order in which they were used.
    order: VecDeque<(ProofId, i64)>,
}

/// The use of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
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
            next: AtomicUsize::new(0),
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
    fn use_up(
        &self,
        id: ProofId,
        until: UnixTime,
        now: UnixTime,
        forgotten: &Cell<u32>,
    ) -> Result<(), ProofUse> {
        // The memory is one second coarser than the proofs.
        let until = until.as_secs().saturating_add(1);
        let now = now.as_secs();
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
            self.free(shard.drop_old(now));
            let has_room = self.len() < self.most && self.share.has_room(ENTRY_BYTES);
            match shard.use_up(id, until, now, has_room) {
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
            self.forget_oldest(now, forgotten);
        }
        Err(ProofUse::NoMemory)
    }

    /// Drops the oldest proof of one shard, of each in turn.
    fn forget_oldest(&self, now: i64, forgotten: &Cell<u32>) {
        for _ in 0..self.shards.len() {
            let next = self.next.fetch_add(1, Relaxed);
            let place = next.checked_rem(self.shards.len()).unwrap_or_default();
            let Some(shard) = self.shards.get(place) else {
                return;
            };
            let dropped = locked(shard).drop_oldest();
            if let Some(until) = dropped {
                self.free(1);
                if until >= now {
                    forgotten.set(forgotten.get().saturating_add(1));
                }
                return;
            }
        }
    }

    fn free(&self, count: usize) {
        self.count.fetch_sub(count, Relaxed);
        self.share.release(count.saturating_mul(ENTRY_BYTES));
    }
}

impl Shard {
    fn use_up(&mut self, id: ProofId, until: i64, now: i64, has_room: bool) -> Outcome {
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
        self.order.push_back((id, until));
        self.known.insert(id, until);
        Outcome::First
    }

    /// Drops some of the oldest proofs that can no longer be accepted, and returns how
    /// many entries of the queue that were.
    fn drop_old(&mut self, now: i64) -> usize {
        let mut dropped = 0;
        while dropped < DROPPED_AT_ONCE && self.order.front().is_some_and(|(_, until)| *until < now)
        {
            self.drop_oldest();
            dropped = dropped.saturating_add(1);
        }
        dropped
    }

    /// Drops the oldest proof, and returns until when it could be accepted.
    fn drop_oldest(&mut self) -> Option<i64> {
        let (id, until) = self.order.pop_front()?;
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

fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
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
        memory.use_up(proof.id.within(*space), proof.until, now, &self.forgotten)
    }

    fn nonces(&self, now: UnixTime) -> Nonces {
        let keys = self.proofs.nonces.keys(now, self.shared);
        keys.map_or(Nonces::Unavailable, Nonces::Of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::NoSharedData;
    use crate::memory::pretend;

    const START: i64 = 1_000;

    fn id(number: u64) -> ProofId {
        ProofId::from_words([number.wrapping_mul(0x9E37_79B9_7F4A_7C15), number])
    }

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_secs(START.saturating_add(seconds))
    }

    /// Uses proofs that can be accepted for 60 s.
    fn uses(memory: &ProofMemory, number: u64, now: i64) -> Result<u32, ProofUse> {
        let forgotten = Cell::new(0);
        let used = memory.use_up(id(number), at(now.saturating_add(60)), at(now), &forgotten);
        used.map(|()| forgotten.get())
    }

    #[test]
    fn a_proof_is_used_once_until_it_can_no_longer_be_accepted() {
        let memory = ProofMemory::new(10, 1);
        assert_eq!(uses(&memory, 1, 0), Ok(0));
        for now in [0, 1, 30, 60, 61] {
            assert_eq!(uses(&memory, 1, now), Err(ProofUse::Again), "{now}");
        }
        assert_eq!(uses(&memory, 1, 62), Ok(0));
        assert_eq!(uses(&memory, 1, 63), Err(ProofUse::Again));
        assert_eq!(uses(&memory, 2, 63), Ok(0));
        assert_eq!(memory.len(), 2);
    }

    #[test]
    fn the_oldest_proof_leaves_a_full_memory_and_is_counted() {
        for threads in [1, 4, 100] {
            let memory = ProofMemory::new(1000, threads);
            let mut forgotten = 0;
            for number in 0..10_000 {
                forgotten += uses(&memory, number, 0).unwrap();
                assert!(memory.len() <= 1000);
                assert_eq!(uses(&memory, number, 0), Err(ProofUse::Again));
            }
            assert_eq!(forgotten, 9_000);
            let known = memory.shards.iter().map(|shard| locked(shard).known.len());
            assert_eq!(known.sum::<usize>(), memory.len());
        }
        let memory = ProofMemory::new(100, 1);
        for number in 0..101 {
            uses(&memory, number, 0).unwrap();
        }
        assert_eq!(uses(&memory, 1, 0), Err(ProofUse::Again));
        assert_eq!(uses(&memory, 0, 0), Ok(1));
    }

    #[test]
    fn old_proofs_leave_without_being_counted_and_free_their_memory() {
        let memory = ProofMemory::new(1000, 4);
        for number in 0..1000 {
            uses(&memory, number, 0).unwrap();
        }
        for number in 1000..2000 {
            assert_eq!(uses(&memory, number, 100), Ok(0));
        }
        for number in 2000..2300 {
            assert_eq!(uses(&memory, number, 200), Ok(0));
        }
        assert!(memory.len() < 400, "{}", memory.len());
        assert_eq!(memory.share.bytes(), memory.len() * ENTRY_BYTES);
    }

    #[test]
    fn an_id_that_is_used_again_is_not_forgotten_with_its_first_use() {
        let memory = ProofMemory::new(3, 1);
        assert_eq!(uses(&memory, 1, 0), Ok(0));
        // It has become old, and is used again before it is dropped.
        let forgotten = Cell::new(0);
        let mut shard = locked(&memory.shards[0]);
        assert_eq!(
            shard.use_up(id(1), START + 200, START + 100, true),
            Outcome::First
        );
        assert_eq!(shard.drop_oldest(), Some(START + 61));
        assert_eq!(
            shard.use_up(id(1), START + 200, START + 100, true),
            Outcome::Again
        );
        drop(shard);
        assert_eq!(forgotten.get(), 0);
    }

    #[test]
    fn without_room_a_proof_takes_the_place_of_another_or_is_refused() {
        let memory = ProofMemory::new(1000, 1);
        assert_eq!(uses(&memory, 1, 0), Ok(0));
        pretend::set_room(Some(0));
        let crowded = ProofMemory::new(1000, 1);
        assert_eq!(uses(&crowded, 2, 0), Err(ProofUse::NoMemory));
        pretend::set_room(None);
        assert!(crowded.is_empty());
    }

    #[test]
    fn two_judges_of_one_request_use_a_proof_once_each() {
        let proofs = Proofs::of_one_judge();
        let again = proofs.again();
        let proof = Proof {
            id: id(1),
            until: at(60),
            renews_nonce: false,
        };
        assert_eq!(proofs.counting(&NoSharedData).use_up(&proof, at(0)), Ok(()));
        assert_eq!(again.counting(&NoSharedData).use_up(&proof, at(0)), Ok(()));
        assert_eq!(
            again.counting(&NoSharedData).use_up(&proof, at(0)),
            Err(ProofUse::Again)
        );
        assert_eq!(
            proofs.counting(&NoSharedData).use_up(&proof, at(0)),
            Err(ProofUse::Again)
        );
    }
}
