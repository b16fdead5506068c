//! Fetches: which may begin, and which answers are adopted.

use std::time::Duration;

use super::{Fetch, Model, Request, Source, Taken, record};
use crate::engine::tests::settings::Settings;
use crate::engine::tests::shared::FakeShared;
use crate::engine::tests::world::{Call, Happened, Worker};
use crate::telemetry::Event;
use crate::time::UnixTime;

impl Model {
    /// Reads a worker's log, which shows the adopted answers.
    pub(in crate::engine::tests) fn logged(
        &mut self,
        worker: &Worker,
        event: &Event,
        (happened, now): (&Happened, UnixTime),
        shared: &FakeShared,
    ) {
        let Happened::Fetched { source, answer } = happened else {
            return;
        };
        if !matches!(event, Event::KeysLoaded { .. } | Event::FetchFailed { .. }) {
            return;
        }
        let exact = self.exact();
        let state = &mut self.sources[*source];
        let fetch = state
            .fetches
            .iter()
            .rposition(|fetch| fetch.life == worker.life);
        let fetch = state
            .fetches
            .remove(fetch.expect("a fetch that did not begin"));
        let superseded = state.last > fetch.sequence;
        match event {
            Event::KeysLoaded { .. } => {
                assert!(!superseded || !exact, "an older answer after a newer");
                state.taken.push(Taken {
                    keys: answer.set.clone().expect("no key set was sent"),
                    at: now,
                    began: fetch.sequence,
                    as_of: fetch.began_at.saturating_sub(match answer.head.age {
                        0 => Duration::ZERO,
                        // Ages are in whole seconds.
                        age => Duration::from_secs(u64::from(age) + 1),
                    }),
                    max_age: answer.max_age,
                });
                state.failures = 0;
                worker.waits.borrow_mut().seen[*source] = state.taken.len();
            }
            Event::FetchFailed { .. } => {
                // This worker may not know yet who holds the lease.
                let record = record(worker, *source, shared);
                let lost = record.is_some_and(|record| record.lease.is_some());
                if !fetch.early && !superseded && !lost {
                    state.failures += 1;
                    state.failed_at = Some(now);
                }
            }
            Event::Refused { .. }
            | Event::Reported { .. }
            | Event::KeysSkipped { .. }
            | Event::MoreKeysSkipped { .. }
            | Event::ListLoaded { .. }
            | Event::ListNearLimit { .. }
            | Event::NoMemory { .. }
            | Event::TooOld { .. } => {}
        }
    }

    /// Records that a fetch continues with another request.
    pub(in crate::engine::tests) fn fetch_continued(
        &mut self,
        worker: &Worker,
        source: usize,
        now: UnixTime,
    ) {
        let mut fetches = self.sources[source].fetches.iter_mut();
        let fetch = fetches.rfind(|fetch| fetch.life == worker.life);
        fetch.expect("a fetch that did not begin").sent_at = now;
    }

    /// Checks that a fetch may begin.
    pub(in crate::engine::tests) fn began(
        &mut self,
        worker: &Worker,
        call: &Call,
        sequence: u64,
        shared: &FakeShared,
    ) {
        let (source, now) = (call.source, call.sent_at);
        let exact = self.exact();
        let record = record(worker, source, shared).unwrap_or_default();
        let early = record.lease.is_some_and(|lease| lease.early);
        let background = early && record.background == Some(now);
        let settings = worker.settings;
        let state = &mut self.sources[source];
        if exact {
            for fetch in &state.fetches {
                let free = fetch.sent_at.saturating_add(fetch.lease);
                assert!(now >= free, "two concurrent fetches");
            }
            if early {
                state.may_begin_early(now);
                let waits = worker.waits.borrow();
                let awaited = |request: &Request| request.source == source;
                let awaited = waits.requests.values().any(awaited);
                let doubted = background && waits.doubted[source];
                let recent = |at| now.saturating_since(at) < settings.timeout;
                let sought = waits.sought[source].is_some_and(recent);
                assert!(awaited || sought || doubted, "an unnecessary early refresh");
            } else {
                state.may_begin(settings, now);
            }
        }
        if exact && background {
            let last = state.background.map(|at| now.saturating_since(at));
            let minute = Duration::from_mins(1);
            assert!(last.is_none_or(|since| since >= minute), "{last:?}");
        }
        if early {
            state.early.push_back(now);
            worker.waits.borrow_mut().doubted[source] = false;
        }
        if background {
            state.background = Some(now);
        }
        state.fetches.retain(|fetch| fetch.life != worker.life);
        state.last = sequence;
        state.fetches.push(Fetch {
            life: worker.life,
            sequence,
            began_at: now,
            sent_at: now,
            lease: settings.timeout.saturating_add(Duration::from_secs(2)),
            early,
        });
    }
}

impl Source {
    fn may_begin_early(&self, now: UnixTime) {
        let since = |at: &UnixTime| now.saturating_since(*at);
        let last = self.early.back().map(since);
        assert!(
            last.is_none_or(|since| since >= Duration::from_secs(5)),
            "early refreshes too close"
        );
        let ten = Duration::from_secs(10);
        let recent = self.early.iter().filter(|at| since(at) < ten).count();
        assert!(recent < 2, "three early refreshes in ten seconds");
    }

    fn may_begin(&self, settings: Settings, now: UnixTime) {
        let four_fifths = |duration: Duration| duration.mul_f64(0.799);
        let mut serving = false;
        if let Some(last) = self.taken.last() {
            let max_age = last.max_age.map(|secs| Duration::from_secs(secs.into()));
            let period = max_age.map_or(settings.refresh, |age| {
                settings.refresh.min(age.max(Duration::from_mins(1)))
            });
            let age = now.saturating_since(last.at);
            assert!(age >= four_fifths(period), "refreshed after {age:?}");
            serving = age <= settings.max_stale;
        }
        if let (1.., Some(failed_at)) = (self.failures, self.failed_at) {
            let longest = if serving { 60 } else { 5 };
            let backoff = 1 << self.failures.saturating_sub(1).min(6);
            let backoff = four_fifths(Duration::from_secs(longest.min(backoff)));
            let since = now.saturating_since(failed_at);
            assert!(since >= backoff, "tried again after {since:?}");
        }
    }
}
