//! The keys of the server's nonces (RFC 9449 section 9), and their rotation.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::shared::{NO_CHANGE, NotSet, SharedData, Unavailable};
use crate::dpop::{NonceKeys, NonceSecret};
use crate::time::UnixTime;

/// The entry of the keys in the shared data. It depends on the format only, so that all
/// listeners and configurations that share data accept the same nonces.
pub(super) const ENTRY: &str = "edge_authz/nonces/1";

/// How often the shared keys are read while nonces are in use. A key is shared for a whole
/// period before it is used; only after the clock was set back can another worker have keys
/// that this one does not know.
const READ_PERIOD: Duration = Duration::from_millis(500);

/// The difference between the clocks of two threads that does not count as a clock that was
/// set back.
const SLACK: Duration = Duration::from_secs(1);

/// A source of secret random bytes.
pub type Randomness = fn(&mut NonceSecret) -> Result<(), NoRandomness>;

/// The host has no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

/// The keys of the nonces that the workers of a proxy give out.
///
/// The first request that needs them makes them or reads them from the shared data; later
/// requests replace them when it is time. One object serves all judges of a process, or of
/// one worker with its own memory.
pub struct NonceStore {
    random: Randomness,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<NonceKeys>>,
    /// When the shared keys were last read.
    read_at: Option<UnixTime>,
    /// The latest time of a request since the clock was set back.
    latest: Option<UnixTime>,
    /// The keys that were in use when the clock was set back. Their nonces would be good for
    /// longer than intended, so none of these keys is used again.
    distrusted: Option<Arc<NonceKeys>>,
}

impl NonceStore {
    /// A store without keys. It uses nothing before the first request that needs a nonce.
    #[must_use]
    pub const fn new(random: Randomness) -> Self {
        Self {
            random,
            state: Mutex::new(State {
                keys: None,
                read_at: None,
                latest: None,
                distrusted: None,
            }),
        }
    }

    /// The keys for a request at this time. `None` if the host has no random bytes.
    pub(super) fn keys(&self, now: UnixTime, shared: &dyn SharedData) -> Option<Arc<NonceKeys>> {
        // A thread that panics while it holds the lock leaves complete values.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.observe(now);
        if !state.is_settled(now)
            && let Some(keys) = self.read(&state, now, shared)
        {
            state.keys = Some(Arc::new(keys));
            state.read_at = Some(now);
        }
        state.keys.clone()
    }

    /// The shared keys, after they were continued or made if necessary. `None` if that is
    /// not possible now; the former keys then stay in use.
    fn read(&self, state: &State, now: UnixTime, shared: &dyn SharedData) -> Option<NonceKeys> {
        // Another worker may be faster once, and only then is a second attempt needed.
        for _ in 0..2 {
            let stored = shared.get(ENTRY);
            let (known, change) = match &stored {
                Ok(Some((bytes, change))) => (state.accepted(bytes, now), *change),
                Ok(None) => (None, NO_CHANGE),
                // This worker works alone.
                Err(Unavailable) => return self.next(state.keys.as_deref(), now),
            };
            let known = known.or_else(|| state.keys.as_deref().cloned());
            let is_stored = matches!(&stored, Ok(Some((bytes, _)))
                if known.as_ref().is_some_and(|known| known.encode() == *bytes));
            let next = self.next(known.as_ref(), now)?;
            if is_stored && known.as_ref() == Some(&next) {
                return Some(next);
            }
            match shared.set(ENTRY, &next.encode(), Some(change)) {
                Ok(()) | Err(NotSet::Unavailable) => return Some(next),
                // Some hosts do not accept the number that no entry has.
                Err(NotSet::Changed) if change == NO_CHANGE && is_missing(shared) => {
                    let _ = shared.set(ENTRY, &next.encode(), None);
                    return Some(next);
                }
                Err(NotSet::Changed) => {}
            }
        }
        None
    }

    /// The keys that follow these. Without random bytes the known keys stay in use.
    fn next(&self, known: Option<&NonceKeys>, now: UnixTime) -> Option<NonceKeys> {
        match known {
            Some(known) if !known.lacks_next(now) => Some(known.clone()),
            Some(known) => Some(match self.secret() {
                Ok(secret) => known.continued(now, secret),
                Err(NoRandomness) => known.clone(),
            }),
            None => {
                let secrets = [self.secret().ok()?, self.secret().ok()?];
                Some(NonceKeys::starting(now, secrets))
            }
        }
    }

    fn secret(&self) -> Result<NonceSecret, NoRandomness> {
        let mut secret = [0; size_of::<NonceSecret>()];
        (self.random)(&mut secret)?;
        // A host that claims success and writes nothing has given no secret.
        if secret == [0; size_of::<NonceSecret>()] {
            return Err(NoRandomness);
        }
        Ok(secret)
    }
}

fn is_missing(shared: &dyn SharedData) -> bool {
    matches!(shared.get(ENTRY), Ok(None))
}

impl State {
    /// Records the time of a request. After the clock was set back, the keys are not used
    /// again.
    fn observe(&mut self, now: UnixTime) {
        if self
            .latest
            .is_some_and(|latest| now.saturating_add(SLACK) < latest)
        {
            self.distrusted = self.keys.take().or(self.distrusted.take());
            self.read_at = None;
            self.latest = None;
        }
        self.latest = Some(self.latest.map_or(now, |latest| latest.max(now)));
    }

    /// Whether the keys need not be read now.
    fn is_settled(&self, now: UnixTime) -> bool {
        let is_recent = |at: UnixTime| now.saturating_since(at) < READ_PERIOD;
        self.keys.as_ref().is_some_and(|keys| !keys.lacks_next(now))
            && self.read_at.is_some_and(is_recent)
    }

    /// Shared keys, if they can be in use. Other parties may be able to write the entry.
    fn accepted(&self, bytes: &[u8], now: UnixTime) -> Option<NonceKeys> {
        let keys = NonceKeys::decode(bytes)?;
        let distrusted = self.distrusted.as_deref();
        let is_distrusted = distrusted.is_some_and(|former| keys.shares_a_key_with(former));
        (keys.are_current(now) && !is_distrusted).then_some(keys)
    }
}

impl fmt::Debug for NonceStore {
    /// `Debug` shows no secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("NonceStore")
    }
}
