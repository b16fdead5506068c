//! The cache of verified tokens.

mod doorkeeper;
mod end;
mod shard;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::authz::Verifications;
use crate::jwt::VerifiedJwt;
use crate::memory::{Pool, Share};
use crate::policy::{Policy, ProviderId};
use doorkeeper::Doorkeeper;
use end::{End, Mark};
use shard::{ENTRY_BYTES, Freed, NewToken, Shard};

/// The limit for the cached tokens of one listener, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The limit for all listeners of a worker together, in bytes. In a process with threads,
/// the threads together are one worker.
const MAX_BYTES_OF_ALL: usize = 2 * MAX_BYTES;

/// The number of shards for each thread. Two threads rarely need the same shard.
const SHARDS_PER_THREAD: usize = 4;
/// The maximum number of shards, and the minimum number of tokens for each of them. A
/// cache with several shards evicts the oldest token of one shard, which is not always the
/// oldest of all.
const MAX_SHARDS: usize = 64;
const MIN_TOKENS_PER_SHARD: usize = 256;
/// The number of the doorkeepers' entries in all shards together. They take 32 KiB.
const MARKS: usize = 8192;

thread_local! {
    /// The pool of the caches that this thread has created.
    static POOL: Arc<Pool> = Pool::new(MAX_BYTES_OF_ALL);
}

/// Verified tokens, by the end of their text. Each entry has the whole token and the
/// providers for which it was verified. The cache stores only that a key has signed the
/// token. Whether the key is still valid, the time, and every rule are checked on each
/// request. Refusals are never cached.
///
/// A cached token is used only if its whole text equals the token of the request, byte
/// for byte. An attacker who makes another token with the same end gains nothing. This is
/// safer than a cryptographic digest of the token, and three times as fast. The map is a
/// tree, so an attacker cannot provoke collisions by choosing ends.
///
/// While the cache is full, a token is cached when it is seen for the second time. So
/// tokens that are used once do not evict tokens that are in use, and need no memory that
/// would have to be released.
///
/// The listeners of a worker share the memory of their caches. If it is used up, the
/// largest cache releases half of its memory to a smaller one.
///
/// The judges of several threads may share a cache. The cache consists of shards, and each
/// shard has a lock. A thread takes the lock for reading to find a token, so it waits only
/// while another thread adds a token to the same shard. No thread holds two locks.
#[derive(Debug)]
pub struct TokenCache {
    most: usize,
    share: Share,
    /// Their number is a power of two.
    shards: Box<[Aligned]>,
    /// The number of cached tokens.
    count: AtomicUsize,
    /// The shard that evicts the next token.
    next: AtomicUsize,
    /// The number of the latest snapshot for which invalid entries were dropped.
    cleaned_for: AtomicU64,
}

/// A shard in its own cache line, so that threads that use other shards do not slow it
/// down.
#[derive(Debug)]
#[repr(align(64))]
struct Aligned(RwLock<Shard>);

impl TokenCache {
    /// Creates an empty cache for the judges of this policy in this number of threads.
    /// All caches that are created on one thread share a memory limit.
    #[must_use]
    pub fn new(policy: &Policy, threads: usize) -> Arc<Self> {
        let share = POOL.with(Pool::share);
        Arc::new(Self::with(policy.max_tokens, threads, share))
    }

    /// Creates a cache for another policy. Both share one memory limit, regardless of the
    /// thread that creates this one.
    #[must_use]
    pub fn sibling(&self, policy: &Policy, threads: usize) -> Arc<Self> {
        let share = self.share.sibling();
        Arc::new(Self::with(policy.max_tokens, threads, share))
    }

    fn with(most: usize, threads: usize, share: Share) -> Self {
        let wanted = match threads {
            0 | 1 => 1,
            _ => threads.saturating_mul(SHARDS_PER_THREAD).min(MAX_SHARDS),
        };
        let allowed = most / MIN_TOKENS_PER_SHARD;
        // This is the largest power of two within both limits.
        let bits = wanted.min(allowed).max(1).ilog2();
        let shards = 1_usize.checked_shl(bits).unwrap_or(1);
        let marks = MARKS.checked_shr(bits).unwrap_or(1);
        let empty = || Aligned(RwLock::new(Shard::new(Doorkeeper::new(marks))));
        Self {
            most,
            share,
            shards: std::iter::repeat_with(empty).take(shards).collect(),
            count: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            cleaned_for: AtomicU64::new(0),
        }
    }

    /// The results of an earlier verification of this token.
    pub(super) fn recall(&self, token: &[u8]) -> Option<Arc<Verifications>> {
        let end = End::of(token)?;
        let shard = reading(self.shard(end.mark().place)?);
        shard.recall(end, token).map(Arc::clone)
    }

    /// Caches a token. It replaces another token with the same end.
    pub(super) fn remember(&self, text: Box<[u8]>, provider: ProviderId, jwt: Arc<VerifiedJwt>) {
        let Some(end) = End::of(&text) else { return };
        // The size is the same for each provider, because the text is the same.
        let size = jwt.memory_bytes();
        let least = size.saturating_add(text.len()).saturating_add(ENTRY_BYTES);
        if self.most == 0 || least > MAX_BYTES {
            return;
        }
        let is_there = self.share.has_room(least);
        let new = NewToken {
            end,
            text,
            provider,
            jwt,
            size,
        };
        let Some(taken) = self.put(new, is_there && self.may_have(least)) else {
            return;
        };
        let most_bytes = if is_there {
            MAX_BYTES
        } else {
            // Other listeners use the shared memory, or the module has no more.
            self.share.bytes().saturating_sub(taken)
        };
        self.make_room(most_bytes);
    }

    /// Whether the limits of this cache allow another token of this size in bytes.
    fn may_have(&self, bytes: usize) -> bool {
        self.count.load(Relaxed) < self.most
            && self.share.bytes().saturating_add(bytes) <= MAX_BYTES
    }

    /// Caches a token in its shard, if the shard admits it, and returns its size in bytes.
    fn put(&self, new: NewToken, has_room: bool) -> Option<usize> {
        let mark = new.end.mark();
        let mut shard = writing(self.shard(mark.place)?);
        if !shard.admits(new.end, self.within_shard(mark), has_room) {
            return None;
        }
        let replaced = shard.put(new);
        // The lock is still held, because another thread may evict the token at once.
        match replaced.freed {
            Some(bytes) => self.share.release(bytes),
            None => {
                self.count.fetch_add(1, Relaxed);
            }
        }
        self.share.take(replaced.taken);
        Some(replaced.taken)
    }

    /// Drops the entries that are no longer valid: the token has expired, or its key is
    /// gone. If several judges adopt the snapshot with this number, only the first call
    /// has an effect.
    pub(super) fn retain(&self, snapshot: u64, counts: impl Fn(ProviderId, &VerifiedJwt) -> bool) {
        if self.cleaned_for.fetch_max(snapshot, Relaxed) >= snapshot {
            return;
        }
        for shard in &self.shards {
            let mut shard = writing(shard);
            self.free(shard.retain(&counts));
        }
    }

    /// The size of the cached tokens, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.share.bytes()
    }

    /// Releases half of the memory, if a smaller cache has requested it. It must be
    /// called periodically.
    pub fn release_half(&self) {
        if self.share.is_release_requested() {
            self.make_room(self.share.bytes() / 2);
        }
    }

    /// Releases all memory. Later tokens are cached again.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = writing(shard);
            self.free(shard.clear());
        }
    }

    /// Evicts the oldest entries, from one shard after the other.
    fn make_room(&self, most_bytes: usize) {
        let mut empty = 0;
        while empty < self.shards.len()
            && (self.count.load(Relaxed) > self.most || self.share.bytes() > most_bytes)
        {
            let Some(shard) = self.shard(self.next.fetch_add(1, Relaxed)) else {
                return;
            };
            let mut shard = writing(shard);
            match shard.drop_oldest() {
                Some(bytes) => {
                    empty = 0;
                    self.free(Freed { tokens: 1, bytes });
                }
                None => empty = empty.saturating_add(1),
            }
        }
    }

    /// Records that entries were dropped. The caller holds the lock of their shard.
    fn free(&self, freed: Freed) {
        self.count.fetch_sub(freed.tokens, Relaxed);
        self.share.release(freed.bytes);
    }

    /// The shard for a place.
    fn shard(&self, place: usize) -> Option<&Aligned> {
        self.shards.get(place & self.shards.len().saturating_sub(1))
    }

    /// A mark without the bits that select the shard.
    fn within_shard(&self, mark: Mark) -> Mark {
        mark.within(self.shards.len().trailing_zeros())
    }
}

/// Takes the lock for reading. A thread that panics while it holds the lock leaves complete
/// entries.
fn reading(Aligned(shard): &Aligned) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn writing(Aligned(shard): &Aligned) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}
