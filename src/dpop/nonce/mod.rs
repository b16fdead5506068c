//! Nonces of the server (RFC 9449 sections 8 and 9): proof that a client has signed its
//! request recently, and not in advance.
//!
//! A nonce contains the time at which it was made and an authentication tag. So nothing is
//! stored for it, a client cannot make one, and each reader decides how old one may be. The
//! nonces of one second are equal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::ProofError;
use crate::time::UnixTime;

/// The name of the response header with a nonce.
pub const NONCE_HEADER: &str = "dpop-nonce";

/// The secret of one key.
pub type NonceSecret = [u8; 32];

/// The format of encoded keys.
const FORMAT: u8 = 1;
/// The maximum number of keys: the one in use, the one before and the one after it.
const MAX_KEYS: usize = 3;
const PERIOD_SECS: i64 = 60 * 60;
/// The difference between the clocks of two threads that is no reason for concern, in
/// seconds. The clock of one thread may be read before that of another, and used after it.
const SLACK_SECS: i64 = 1;
/// A time in seconds since 1970, then a tag.
const NONCE_BYTES: usize = size_of::<i64>() + TAG_BYTES;
/// Half of the tag: nobody finds 128 bits by trying.
const TAG_BYTES: usize = 16;
/// Separates the tags of nonces from all other uses of a secret.
const CONTEXT: &[u8] = b"edge-authz DPoP nonce 1";

/// The keys that authenticate nonces, each for one period.
///
/// The key of the next period is always among them. Whoever shares the keys with others
/// thus knows each key long before the first nonce is made with it.
#[derive(Clone, PartialEq, Eq)]
pub struct NonceKeys {
    /// In order of time; at least one.
    keys: Vec<Key>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    /// The start of its period, in seconds since 1970. The next key ends the period.
    from: i64,
    secret: NonceSecret,
}

/// What is known about nonces at the time of a decision.
#[derive(Clone, Debug)]
pub enum Nonces {
    /// They are checked with these keys.
    Of(Arc<NonceKeys>),
    /// They cannot be checked here, and every nonce counts as good. This is only for
    /// decisions that let nothing pass.
    Unchecked,
    /// There are no keys, so no proof that needs a nonce is accepted.
    Unavailable,
}

impl Nonces {
    /// A fresh nonce, unless there are no keys.
    #[must_use]
    pub fn issue(&self, now: UnixTime) -> Option<String> {
        match self {
            Self::Of(keys) => keys.issue(now),
            Self::Unchecked | Self::Unavailable => None,
        }
    }

    /// Checks the nonce of a proof. Returns whether the client should get a new one soon:
    /// more than half of its time has passed.
    pub(crate) fn check(
        &self,
        nonce: Option<&str>,
        now: UnixTime,
        max_age: Duration,
    ) -> Result<bool, ProofError> {
        match self {
            Self::Unavailable => Err(ProofError::NonceUnavailable),
            Self::Of(_) | Self::Unchecked if nonce.is_none() => Err(ProofError::NonceMissing),
            Self::Of(keys) => keys.check(nonce.unwrap_or_default(), now, max_age),
            Self::Unchecked => Ok(false),
        }
    }
}

impl NonceKeys {
    /// How long nonces are made with one key.
    pub const PERIOD: Duration = Duration::from_hours(1);
    /// The maximum age of a nonce that can be configured. It is not longer than a period, so
    /// three keys are sufficient.
    pub const MAX_AGE: Duration = Self::PERIOD;

    /// The keys for the period that begins now, and for the next one.
    #[must_use]
    pub fn starting(now: UnixTime, [first, next]: [NonceSecret; 2]) -> Self {
        let from = now.as_secs();
        let key = |from, secret| Key { from, secret };
        Self {
            keys: vec![
                key(from, first),
                key(from.saturating_add(PERIOD_SECS), next),
            ],
        }
    }

    /// Whether the next period has no key yet.
    #[must_use]
    pub fn lacks_next(&self, now: UnixTime) -> bool {
        self.latest() <= now.as_secs()
    }

    /// The keys with one more, for the next period, and without those that are too old.
    #[must_use]
    pub fn continued(&self, now: UnixTime, secret: NonceSecret) -> Self {
        let now = now.as_secs();
        let from = self.latest().max(now).saturating_add(PERIOD_SECS);
        let mut keys = self.keys.clone();
        keys.push(Key { from, secret });
        let surplus = keys.len().saturating_sub(MAX_KEYS);
        keys.drain(..surplus);
        Self { keys }
    }

    /// Whether these keys can be in use now. Otherwise they come from a clock that was set
    /// back since, or from somebody else.
    #[must_use]
    pub fn are_current(&self, now: UnixTime) -> bool {
        let now = now.as_secs();
        let first = self.keys.first().map_or(i64::MAX, |key| key.from);
        let next = now.saturating_add(PERIOD_SECS).saturating_add(SLACK_SECS);
        first <= now.saturating_add(SLACK_SECS) && self.latest() <= next
    }

    /// Whether a key is among both.
    #[must_use]
    pub fn shares_a_key_with(&self, other: &Self) -> bool {
        let secret_in_other = |key: &Key| other.keys.iter().any(|one| one.secret == key.secret);
        self.keys.iter().any(secret_in_other)
    }

    fn latest(&self) -> i64 {
        self.keys.last().map_or(i64::MIN, |key| key.from)
    }

    /// The key whose period contains this time.
    fn at(&self, secs: i64) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.from <= secs)
    }

    /// The nonce of this second. `None` if no key is in use yet.
    #[must_use]
    pub fn issue(&self, now: UnixTime) -> Option<String> {
        let secs = now.as_secs();
        let tag = self.at(secs)?.tag(secs)?.finalize().into_bytes();
        let tag = tag.get(..TAG_BYTES)?;
        let bytes = [&secs.to_be_bytes(), tag].concat();
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn check(&self, nonce: &str, now: UnixTime, max_age: Duration) -> Result<bool, ProofError> {
        let now = now.as_secs();
        let made = self.made(nonce).ok_or(ProofError::NonceUnknown)?;
        // After the clock was set back, a nonce would be good for longer than intended.
        if made > now.saturating_add(SLACK_SECS) {
            return Err(ProofError::NonceUnknown);
        }
        let age = u64::try_from(now.saturating_sub(made)).unwrap_or(0);
        if Duration::from_secs(age) > max_age {
            return Err(ProofError::NonceExpired);
        }
        Ok(Duration::from_secs(age.saturating_mul(2)) > max_age)
    }

    /// When a nonce was made. `None` if it was not made with one of these keys in the
    /// period of the key. Tags are compared in constant time.
    fn made(&self, nonce: &str) -> Option<i64> {
        let mut bytes = [0; NONCE_BYTES];
        let length = URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes).ok()?;
        if length != NONCE_BYTES {
            return None;
        }
        let (secs, tag) = bytes.split_first_chunk()?;
        let secs = i64::from_be_bytes(*secs);
        let expected = self.at(secs)?.tag(secs)?;
        expected.verify_truncated_left(tag).ok()?;
        Some(secs)
    }

    /// The keys as bytes, for those who share them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for Key { from, secret } in &self.keys {
            bytes.extend_from_slice(&from.to_be_bytes());
            bytes.extend_from_slice(secret);
        }
        bytes
    }

    /// Decodes keys. Returns `None` unless the bytes are exactly one to three keys in order
    /// of time, each with a secret of its own.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        const KEY_BYTES: usize = size_of::<i64>() + size_of::<NonceSecret>();
        let rest = bytes.strip_prefix(&[FORMAT])?;
        let (chunks, []) = rest.as_chunks::<KEY_BYTES>() else {
            return None;
        };
        if !(1..=MAX_KEYS).contains(&chunks.len()) {
            return None;
        }
        let mut keys: Vec<Key> = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let (from, secret) = chunk.split_first_chunk()?;
            let key = Key {
                from: i64::from_be_bytes(*from),
                secret: *secret.first_chunk()?,
            };
            let is_good = |known: &Key| known.from < key.from && known.secret != key.secret;
            if !keys.iter().all(is_good) {
                return None;
            }
            keys.push(key);
        }
        Some(Self { keys })
    }
}

impl Key {
    fn tag(&self, secs: i64) -> Option<Hmac<Sha256>> {
        let mut tag = Hmac::new_from_slice(&self.secret).ok()?;
        tag.update(CONTEXT);
        tag.update(&secs.to_be_bytes());
        Some(tag)
    }
}

impl fmt::Debug for NonceKeys {
    /// `Debug` shows no secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NonceKeys({})", self.keys.len())
    }
}

#[cfg(test)]
mod tests;
