//! The keys of all sources.

use std::time::Duration;

use super::fetch::FetchId;
use super::random::Random;
use super::source::Source;
use super::waiting::WantedNow;
use super::{Effect, Env};
use crate::authz::{Absent, CurrentKeys, Keys, Wanted};
use crate::jwk::AskedKid;
use crate::jwt::VerifiedJwt;
use crate::keys::answer::AnswerHead;
use crate::policy::{Policy, ProviderId, ProviderKeys, SourceId};
use crate::time::UnixTime;

/// The key sources of a policy.
#[derive(Debug)]
pub(super) struct KeyCache {
    sources: Vec<Source>,
    random: Random,
    starting: bool,
}

/// The keys at one time.
pub(super) struct KeysAt<'a> {
    sources: &'a [Source],
    now: UnixTime,
}

impl KeyCache {
    pub(super) fn new(policy: &Policy, mut random: Random) -> Self {
        let holder = random.next();
        let ids = (0..).map(SourceId::new);
        let sources = ids
            .zip(&policy.sources)
            .map(|(id, spec)| Source::new(id, spec, holder))
            .collect();
        Self {
            sources,
            random,
            starting: !policy.sources.is_empty(),
        }
    }

    pub(super) fn at(&self, now: UnixTime) -> KeysAt<'_> {
        KeysAt {
            sources: &self.sources,
            now,
        }
    }

    /// Whether some source has no keys, and its first fetch may be about to
    /// begin.
    pub(super) const fn is_starting(&self) -> bool {
        self.starting
    }

    pub(super) fn look_at_all(&mut self, env: Env<'_>, effects: &mut Vec<Effect>) {
        for source in &mut self.sources {
            source.look(env, effects);
        }
    }

    /// Gives up what makes checks fast.
    pub(super) fn give_up_tables(&mut self) {
        for source in &mut self.sources {
            source.keep_tables(false);
        }
    }

    /// Makes checks with the keys of this source fast again; false where there
    /// is none.
    pub(super) fn make_tables(&mut self, index: usize) -> bool {
        let source = self.sources.get_mut(index);
        source.map(|source| source.keep_tables(true)).is_some()
    }

    /// The clock was set back.
    pub(super) fn set_back(&mut self, now: UnixTime) {
        for source in &mut self.sources {
            source.set_back(now);
        }
    }

    /// Returns the sources whose keys have changed.
    pub(super) fn tick(
        &mut self,
        wanted: &WantedNow,
        env: Env<'_>,
        effects: &mut Vec<Effect>,
    ) -> Vec<SourceId> {
        let mut changed = Vec::new();
        for source in &mut self.sources {
            let awaited = wanted.sources.contains(&source.id());
            let due = source.is_due_for_a_look(env.now);
            if !awaited && !due && !source.is_starting() {
                continue;
            }
            let (new, entry) = source.look(env, effects);
            if new {
                changed.push(source.id());
            }
            let early = wanted.kids.contains(&source.id()) && !new;
            source.begin_if_due(entry, early, &mut self.random, env, effects);
            if due {
                source.report(env.now, effects);
            }
        }
        self.starting = self.sources.iter().any(Source::is_starting);
        changed
    }

    /// Returns the source whose keys have changed, if they have.
    pub(super) fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        env: Env<'_>,
        effects: &mut Vec<Effect>,
    ) -> Option<SourceId> {
        let source = self
            .sources
            .iter_mut()
            .find(|source| source.fetch_id() == Some(fetch))?;
        source
            .fetched(head, body, &mut self.random, env, effects)
            .then(|| source.id())
    }

    /// Remembers a `kid` that sets fetched after it was asked for lack.
    pub(super) fn found_absent(&mut self, absent: &Absent, now: UnixTime) {
        let kid = AskedKid::new(&absent.kid);
        for source in &absent.sources {
            if let Some(source) = self.sources.get_mut(source.index()) {
                source.absent.insert(&kid, now);
            }
        }
    }

    /// Remembers that the keys of a source should have verified a token.
    pub(super) fn doubt(&mut self, source: SourceId, now: UnixTime) {
        if let Some(source) = self.sources.get_mut(source.index()) {
            source.doubt(now);
        }
    }

    /// The longest that a request waits for these sources.
    pub(super) fn timeout(&self, wanted: &[Wanted]) -> Duration {
        let sources = wanted
            .iter()
            .filter_map(|wanted| self.sources.get(wanted.source.index()));
        sources.map(Source::timeout).max().unwrap_or_default()
    }

    /// Whole seconds until one of these sources is asked again.
    pub(super) fn retry_after(&self, wanted: &[Wanted], now: UnixTime) -> u64 {
        let after = |wanted: &Wanted| {
            let source = self.sources.get(wanted.source.index())?;
            Some(source.retry_after(wanted.lacks_kid, now))
        };
        wanted.iter().filter_map(after).min().unwrap_or(1)
    }

    /// Whether a remembered token may be of use yet, after the keys of `changed`
    /// have, which are in order: unless it has expired, or the key that signed it no longer counts
    /// for its `kid`.
    pub(super) fn still_counts(
        &self,
        policy: &Policy,
        changed: &[SourceId],
        (id, jwt): (ProviderId, &VerifiedJwt),
        now: UnixTime,
    ) -> bool {
        let Some(provider) = policy.providers.get(id) else {
            return false;
        };
        let skew = provider.expectations.clock_skew;
        if now >= jwt.expires().saturating_add(skew) {
            return false;
        }
        match &provider.keys {
            ProviderKeys::Fetched(source) if changed.binary_search(source).is_ok() => {
                // Keys that are too old today may be confirmed tomorrow.
                let set = self.sources.get(source.index()).and_then(Source::known);
                set.is_some_and(|set| {
                    set.still_offers(jwt.kid(), jwt.algorithm(), jwt.fingerprint())
                })
            }
            ProviderKeys::Fetched(_) | ProviderKeys::Inline(_) => true,
        }
    }
}

impl Keys for KeysAt<'_> {
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>> {
        let taken = self.sources.get(source.index())?.serving(self.now)?;
        Some(CurrentKeys {
            set: &taken.set,
            fetched_from: taken.content.started_at,
            as_of: taken.content.as_of,
        })
    }

    fn is_absent(&self, source: SourceId, kid: &AskedKid<'_>) -> bool {
        let source = self.sources.get(source.index());
        source.is_some_and(|source| source.absent.contains(kid, self.now))
    }
}
