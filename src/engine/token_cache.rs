//! The tokens that verified.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use crate::authz::Remembered;
use crate::jwt::VerifiedJwt;
use crate::policy::ProviderId;

/// The most memory that remembered tokens take, in bytes.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// What an entry takes besides the token: digest, map and queue.
const ENTRY_BYTES: usize = 160;

type Digest = [u8; 32];

/// Verified tokens by a digest of their whole text, each with the providers it
/// verified for. Only that a key has signed them is remembered: whether the
/// key still counts, the time, and every rule are judged on every request.
/// Refusals are never remembered.
///
/// A cryptographic digest, so that no two tokens are confused by chance or by
/// design: to find two of one digest is to break SHA-256.
#[derive(Debug)]
pub(super) struct TokenCache {
    most: usize,
    bytes: usize,
    known: BTreeMap<Digest, Entry>,
    /// Oldest first; may name tokens that are gone.
    order: VecDeque<Digest>,
}

#[derive(Debug)]
struct Entry {
    verified: Vec<(ProviderId, Rc<VerifiedJwt>)>,
    bytes: usize,
}

impl TokenCache {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            bytes: 0,
            known: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn remember(&mut self, token: &[u8], provider: ProviderId, jwt: Rc<VerifiedJwt>) {
        let size = jwt.memory_bytes().saturating_add(ENTRY_BYTES);
        if self.most == 0 || size > MOST_BYTES {
            return;
        }
        let digest = digest(token);
        let mut entry = self.known.remove(&digest).unwrap_or_else(|| {
            self.order.push_back(digest);
            Entry {
                verified: Vec::new(),
                bytes: 0,
            }
        });
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        entry.verified.retain(|(known, _)| *known != provider);
        entry.verified.push((provider, jwt));
        entry.bytes = entry.verified.len().saturating_mul(size);
        self.bytes = self.bytes.saturating_add(entry.bytes);
        self.known.insert(digest, entry);
        self.make_room();
    }

    /// Drops what no longer counts: expired, or signed by a key that is gone.
    pub(super) fn retain(&mut self, counts: impl Fn(ProviderId, &VerifiedJwt) -> bool) {
        self.known.retain(|_, entry| {
            let before = entry.verified.len();
            entry
                .verified
                .retain(|(provider, jwt)| counts(*provider, jwt));
            let share = entry.bytes.checked_div(before).unwrap_or_default();
            let kept = share.saturating_mul(entry.verified.len());
            self.bytes = self.bytes.saturating_sub(entry.bytes.saturating_sub(kept));
            entry.bytes = kept;
            !entry.verified.is_empty()
        });
        self.order.retain(|digest| self.known.contains_key(digest));
    }

    fn make_room(&mut self) {
        while self.known.len() > self.most || self.bytes > MOST_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if let Some(entry) = self.known.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(entry.bytes);
            }
        }
    }
}

impl Remembered for TokenCache {
    fn recall(&self, token: &[u8]) -> Option<&[(ProviderId, Rc<VerifiedJwt>)]> {
        if self.known.is_empty() {
            return None;
        }
        self.known.get(&digest(token)).map(|entry| &*entry.verified)
    }
}

fn digest(token: &[u8]) -> Digest {
    Sha256::digest(token).into()
}
