//! Keys that other workers have fetched.

use std::time::Duration;

use super::Source;
use crate::engine::ledger::Entry;
use crate::engine::reading::{Read, Reader, Unread};
use crate::engine::work::Work;
use crate::engine::{Effect, Env};
use crate::jwk::MAX_KEY_SET_BYTES;
use crate::time::UnixTime;

/// How often memory is looked for where there was none for shared keys.
const LOOK_FOR_MEMORY_EVERY: Duration = Duration::from_secs(2);

impl Source {
    /// Takes what other workers have brought since. Returns whether the keys
    /// have changed, and whether the record can be leased.
    pub(in crate::engine) fn look(
        &mut self,
        work: &mut Work,
        env: Env<'_>,
        effects: &mut Vec<Effect>,
    ) -> (bool, Entry) {
        work.look();
        self.looked.at = Some(env.now);
        let entry = self.ledger.look(env.shared);
        (self.take_shared(work, env, effects), entry)
    }

    fn take_shared(&mut self, work: &mut Work, env: Env<'_>, effects: &mut Vec<Effect>) -> bool {
        let Some(content) = self.ledger.record().content else {
            return false;
        };
        let taken = self.taken.as_ref().map(|taken| taken.content.version);
        if [taken, self.unusable].contains(&Some(content.version)) {
            return false;
        }
        let now = env.now;
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < LOOK_FOR_MEMORY_EVERY;
        if self.refused_at.is_some_and(recent) {
            return false;
        }
        let reader = self.reader(work.spare());
        if !reader.may_copy(MAX_KEY_SET_BYTES) {
            self.refuse(now, effects);
            return false;
        }
        let Some(body) = self.ledger.read_set(env.shared, content.version) else {
            return false;
        };
        work.read(body.len());
        match reader.read(&body) {
            Ok(Read { set, label }) => {
                self.take(set.set, label, content, now, effects);
                true
            }
            Err(Unread::NoMemory) => {
                self.refuse(now, effects);
                false
            }
            Err(Unread::Bad(_)) => {
                self.unusable = Some(content.version);
                false
            }
        }
    }

    pub(super) fn reader(&self, spare: usize) -> Reader<'_> {
        Reader {
            place: self.ledger.place_of_set(),
            former: self.known(),
            spare,
        }
    }

    /// There is no memory for shared keys: the former ones stay.
    fn refuse(&mut self, now: UnixTime, effects: &mut Vec<Effect>) {
        if self.refused_at.is_none() {
            self.tell_refused(effects);
        }
        self.refused_at = Some(now);
    }
}
