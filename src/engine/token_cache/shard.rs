//! A part of the token cache, which is protected by one lock.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::doorkeeper::Doorkeeper;
use super::end::{End, Mark};
use crate::authz::Verifications;
use crate::bytes::are_same;
use crate::jwt::VerifiedJwt;
use crate::policy::ProviderId;

/// The size of a cache entry without the token, in bytes: map and queue.
pub(super) const ENTRY_BYTES: usize = 160;

/// Some of the cached tokens, by the ends of their texts.
#[derive(Debug)]
pub(super) struct Shard {
    known: BTreeMap<End, Entry>,
    /// The keys of `known`, oldest first.
    order: VecDeque<End>,
    doorkeeper: Doorkeeper,
}

struct Entry {
    text: Box<[u8]>,
    verified: Arc<Verifications>,
    bytes: usize,
}

/// A verified token.
pub(super) struct NewToken {
    pub(super) end: End,
    pub(super) text: Box<[u8]>,
    pub(super) provider: ProviderId,
    pub(super) jwt: Arc<VerifiedJwt>,
    /// The size of `jwt` in memory, in bytes.
    pub(super) size: usize,
}

/// The sizes of a cached token and of the token that it replaces, in bytes.
pub(super) struct Replaced {
    pub(super) taken: usize,
    /// `None` if it replaces no other token.
    pub(super) freed: Option<usize>,
}

impl Shard {
    pub(super) fn new(doorkeeper: Doorkeeper) -> Self {
        Self {
            known: BTreeMap::new(),
            order: VecDeque::new(),
            doorkeeper,
        }
    }

    /// The results of an earlier verification of this token.
    pub(super) fn recall(&self, end: End, token: &[u8]) -> Option<&Arc<Verifications>> {
        let entry = self.known.get(&end)?;
        are_same(&entry.text, token).then_some(&entry.verified)
    }

    /// Whether a token is cached: there is room for it, it replaces another token with the
    /// same end, or it is seen for the second time.
    pub(super) fn admits(&mut self, end: End, mark: Mark, has_room: bool) -> bool {
        has_room || self.known.contains_key(&end) || self.doorkeeper.is_seen_before(mark)
    }

    /// Caches a token. It replaces another token with the same end.
    pub(super) fn put(&mut self, new: NewToken) -> Replaced {
        let NewToken {
            end,
            text,
            provider,
            jwt,
            size,
        } = new;
        let former = self.known.remove(&end);
        if former.is_none() {
            self.order.push_back(end);
        }
        let verified = match &former {
            Some(entry) if are_same(&entry.text, &text) => entry.verified.with(provider, jwt),
            Some(_) | None => Verifications::new(provider, jwt),
        };
        // The size is the same for each provider, because the text is the same.
        let taken = verified
            .len()
            .saturating_mul(size)
            .saturating_add(text.len())
            .saturating_add(ENTRY_BYTES);
        let entry = Entry {
            text,
            verified: Arc::new(verified),
            bytes: taken,
        };
        self.known.insert(end, entry);
        Replaced {
            taken,
            freed: former.map(|entry| entry.bytes),
        }
    }

    /// Evicts the oldest token, and returns its size in bytes.
    pub(super) fn drop_oldest(&mut self) -> Option<usize> {
        let oldest = self.order.pop_front()?;
        self.known.remove(&oldest).map(|entry| entry.bytes)
    }

    /// Drops the entries that are no longer valid.
    pub(super) fn retain(&mut self, counts: &impl Fn(ProviderId, &VerifiedJwt) -> bool) -> Freed {
        let mut freed = Freed::default();
        self.known.retain(|_, entry| {
            if entry.verified.iter().all(|(id, jwt)| counts(*id, jwt)) {
                return true;
            }
            if let Some(kept) = entry.verified.retained(counts) {
                entry.verified = Arc::new(kept);
                true
            } else {
                freed.add(entry.bytes);
                false
            }
        });
        self.order.retain(|end| self.known.contains_key(end));
        freed
    }

    /// Drops all entries.
    pub(super) fn clear(&mut self) -> Freed {
        let mut freed = Freed::default();
        for entry in std::mem::take(&mut self.known).into_values() {
            freed.add(entry.bytes);
        }
        self.order = VecDeque::new();
        self.doorkeeper.clear();
        freed
    }
}

/// The number and the size of dropped entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Freed {
    pub(super) tokens: usize,
    pub(super) bytes: usize,
}

impl Freed {
    fn add(&mut self, bytes: usize) {
        self.tokens = self.tokens.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl fmt::Debug for Entry {
    /// `Debug` omits the token because it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Entry({} bytes)", self.bytes)
    }
}
