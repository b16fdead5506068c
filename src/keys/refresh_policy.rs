//! When keys are fetched, and how long they may be used.

use std::time::Duration;

use super::record::{Content, Failure, Jitter, Lease, Record};
use crate::time::UnixTime;

/// The minimum time between two early refreshes.
const EARLY_GAP: Duration = Duration::from_secs(5);
/// The minimum time between an early refresh and the second one after it. The issuer then
/// sees at most two in any ten seconds, even if different latencies shorten the time
/// between their arrivals.
const EARLY_SPAN: Duration = Duration::from_millis(10_500);
/// The minimum time between two early refreshes for which no request waits. The issuer
/// then sees at most one in any minute.
const BACKGROUND_GAP: Duration = Duration::from_millis(60_500);
/// The maximum back-off while usable keys exist.
const MAX_BACKOFF: Duration = Duration::from_mins(1);
/// The maximum back-off without usable keys.
const MAX_BACKOFF_WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// The lower limit for an answer's `max-age`.
const MIN_MAX_AGE: Duration = Duration::from_mins(1);
/// How long a lease lasts beyond the timeout of its request.
const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// The maximum duration of a lease: that for the longest configurable timeout. Other
/// parties may write longer ones to the shared data.
const MAX_LEASE: Duration = Duration::from_secs(3602);
/// The tolerance for times in the future. A worker reads its clock slightly before it
/// reads the record, so a time ahead by at most this much counts as now, and does not
/// indicate that the clock was set back.
const CLOCK_SLACK: Duration = Duration::from_secs(1);
/// How long an issuer's metadata are valid.
const METADATA_AGE: Duration = Duration::from_hours(24);

/// The rules of one key source, as a state machine over [`Record`]. They are about timing
/// only.
///
/// A record without content is *empty*. With content it is *fresh* until
/// [`RefreshPolicy::refresh_at`], then *stale* until `max_stale` after the last
/// successful fetch, and then equivalent to empty. Each of these states can have a
/// failure and a fetch in progress.
#[derive(Clone, Copy, Debug)]
pub struct RefreshPolicy {
    /// The timeout of one request to the issuer.
    pub timeout: Duration,
    /// The maximum age of keys before they are fetched again.
    pub refresh: Duration,
    /// How long the last valid keys may be used.
    pub max_stale: Duration,
}

/// The reasons for a fetch in addition to the scheduled ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether a request waits for a `kid` that the set lacks.
    pub kid: bool,
    /// Whether a token was refused that a key of the set should have verified. The issuer
    /// may have another key now, under the same `kid` or without one. No request waits
    /// for this.
    pub doubt: bool,
}

/// Why keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Scheduled: there are no keys, they are due, or the last attempt failed.
    Ordinary,
    /// A token names a `kid` that the set lacks.
    Early,
    /// The set is doubted, but no request waits.
    Background,
}

/// How a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was a key set with a usable key.
    Good {
        /// Identifies the set.
        version: u64,
        /// When the fetch began.
        started_at: UnixTime,
        /// The answer's age, in seconds.
        age: u32,
        /// The answer's `max-age`, in seconds.
        max_age: Option<u32>,
    },
    /// The fetch failed.
    Failed,
}

impl RefreshPolicy {
    /// Whether the keys of the record may verify tokens.
    #[must_use]
    pub fn serves(&self, record: &Record, now: UnixTime) -> bool {
        record
            .content
            .is_some_and(|content| self.content_serves(&content, now))
    }

    /// Whether the keys of this content may verify tokens.
    #[must_use]
    pub fn content_serves(&self, content: &Content, now: UnixTime) -> bool {
        now.saturating_since(content.fetched_at) <= self.max_stale
    }

    /// Whether a fetch should begin now, and why.
    #[must_use]
    pub fn due(&self, record: &Record, needs: Needs, now: UnixTime) -> Option<Kind> {
        if in_flight(record, now) {
            return None;
        }
        if now >= self.ordinary_at(record, now) {
            return Some(Kind::Ordinary);
        }
        if needs.kid && now >= early_at(record, now) {
            return Some(Kind::Early);
        }
        (needs.doubt && now >= background_at(record, now)).then_some(Kind::Background)
    }

    /// The record with the lease taken. The fetch may begin once every worker can see the
    /// record.
    #[must_use]
    pub fn begun(&self, record: &Record, kind: Kind, holder: u64, now: UnixTime) -> Record {
        let early = kind != Kind::Ordinary;
        let mut begun = record.clone();
        begun.lease = Some(self.lease(holder, early, now));
        if early {
            let [_, last] = record.early;
            begun.early = [last, Some(now)];
        }
        if kind == Kind::Background {
            begun.background = Some(now);
        }
        begun
    }

    /// The record with the lease extended for the next request of the same fetch. `None`
    /// if another worker holds the lease by now.
    #[must_use]
    pub fn extended(&self, record: &Record, holder: u64, now: UnixTime) -> Option<Record> {
        let lease = record.lease.filter(|lease| lease.holder == holder)?;
        let lease = Some(self.lease(holder, lease.early, now));
        Some(Record {
            lease,
            ..record.clone()
        })
    }

    /// The record after the fetch. `None` if another worker holds the lease by now,
    /// because that worker's answer is newer.
    #[must_use]
    pub fn finished(
        record: &Record,
        holder: u64,
        outcome: Outcome,
        jitter: Jitter,
        now: UnixTime,
    ) -> Option<Record> {
        let lease = record.lease.filter(|lease| lease.holder == holder)?;
        let record = Record {
            lease: None,
            ..record.clone()
        };
        Some(match outcome {
            Outcome::Good {
                version,
                started_at,
                age,
                max_age,
            } => {
                let content = Content {
                    version,
                    started_at,
                    as_of: started_at.saturating_sub(max_age_of(age)),
                    fetched_at: now,
                    max_age,
                    jitter,
                };
                Record {
                    content: Some(content),
                    failure: None,
                    ..record
                }
            }
            // An early refresh has its own budget and does not change the back-off.
            Outcome::Failed if lease.early => Record {
                discovered: None,
                ..record
            },
            Outcome::Failed => {
                let count = record
                    .failure
                    .map_or(0, |failure| failure.count)
                    .saturating_add(1);
                Record {
                    failure: Some(Failure {
                        at: now,
                        count,
                        jitter,
                    }),
                    discovered: None,
                    ..record
                }
            }
        })
    }

    /// When the next fetch may begin, for `Retry-After`. This is now while a fetch is in
    /// progress.
    #[must_use]
    pub fn next_try(&self, record: &Record, needs: Needs, now: UnixTime) -> UnixTime {
        if in_flight(record, now) {
            return now;
        }
        let mut next = self.ordinary_at(record, now);
        if needs.kid {
            next = next.min(early_at(record, now));
        }
        if needs.doubt {
            next = next.min(background_at(record, now));
        }
        next
    }

    /// Whether an early refresh, or the fetch of the current set, has begun at `at` or
    /// later. Then a doubt from that time has already caused a fetch.
    #[must_use]
    pub fn fetch_began_since(record: &Record, at: UnixTime, now: UnixTime) -> bool {
        let [_, early] = record.early;
        let fetch = record.content.map(|content| content.started_at);
        let since = |start: UnixTime| start >= at && !is_ahead(start, now);
        early.is_some_and(since) || fetch.is_some_and(since)
    }

    /// Whether metadata that were read at `at` are still valid. A failed fetch drops them
    /// at once.
    #[must_use]
    pub fn metadata_good(at: UnixTime, now: UnixTime) -> bool {
        is_recent(at, METADATA_AGE, now)
    }

    /// Whether a worker still waits for the answer to a request that it sent at `at`.
    #[must_use]
    pub fn awaits(&self, at: UnixTime, now: UnixTime) -> bool {
        is_recent(at, self.lease_length(), now)
    }

    /// Whether a request that arrived at `at` would still wait for keys, if it waited.
    #[must_use]
    pub fn is_sought(&self, at: UnixTime, now: UnixTime) -> bool {
        is_recent(at, self.timeout, now)
    }

    fn lease(&self, holder: u64, early: bool, now: UnixTime) -> Lease {
        Lease {
            holder,
            from: now,
            until: now.saturating_add(self.lease_length()),
            early,
        }
    }

    fn lease_length(&self) -> Duration {
        self.timeout.saturating_add(LEASE_MARGIN)
    }

    /// When the next scheduled fetch begins.
    fn ordinary_at(&self, record: &Record, now: UnixTime) -> UnixTime {
        let due = record
            .content
            .map_or(UnixTime::EPOCH, |content| self.refresh_at(&content, now));
        match record.failure {
            Some(failure) => due.max(Self::retry_at(&failure, self.serves(record, now), now)),
            None => due,
        }
    }

    /// When a valid set is due for a refresh: after 80 to 100 % of its period, or at once
    /// if it seems to come from the future.
    fn refresh_at(&self, content: &Content, now: UnixTime) -> UnixTime {
        if is_ahead(content.fetched_at, now) {
            return now;
        }
        let max_age = content
            .max_age
            .map(|secs| Duration::from_secs(u64::from(secs)));
        let period = max_age.map_or(self.refresh, |age| self.refresh.min(age.max(MIN_MAX_AGE)));
        content
            .fetched_at
            .saturating_add(content.jitter.shorten(period))
    }

    /// When a failed fetch is retried.
    fn retry_at(failure: &Failure, serving: bool, now: UnixTime) -> UnixTime {
        if is_ahead(failure.at, now) {
            return now;
        }
        let doublings = failure.count.saturating_sub(1).min(6);
        let backoff = Duration::from_secs(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
        let longest = if serving {
            MAX_BACKOFF
        } else {
            MAX_BACKOFF_WITHOUT_KEYS
        };
        failure
            .at
            .saturating_add(failure.jitter.shorten(backoff.min(longest)))
    }
}

/// Whether a worker is fetching now. A lease that begins in the future or exceeds the
/// maximum counts as expired: another party wrote it, or the clock was set back.
fn in_flight(record: &Record, now: UnixTime) -> bool {
    record.lease.is_some_and(|lease| {
        let length = lease.until.saturating_since(lease.from);
        now < lease.until && !is_ahead(lease.from, now) && length <= MAX_LEASE
    })
}

/// Whether less than this time has passed since `at`. A time ahead of the clock is never
/// recent, because the clock was set back.
fn is_recent(at: UnixTime, age: Duration, now: UnixTime) -> bool {
    !is_ahead(at, now) && now.saturating_since(at) < age
}

fn is_ahead(at: UnixTime, now: UnixTime) -> bool {
    at > now.saturating_add(CLOCK_SLACK)
}

/// When an early refresh may begin. Start times in the future do not count, because the
/// clock was set back.
fn early_at(record: &Record, now: UnixTime) -> UnixTime {
    let [before, last] = record
        .early
        .map(|start| start.filter(|start| !is_ahead(*start, now)));
    let after_last = last.map(|start| start.saturating_add(EARLY_GAP));
    let after_before = before.map(|start| start.saturating_add(EARLY_SPAN));
    after_last.max(after_before).unwrap_or(UnixTime::EPOCH)
}

/// When a refresh without waiting requests may begin. It counts as an early refresh.
fn background_at(record: &Record, now: UnixTime) -> UnixTime {
    let last = record.background.filter(|start| !is_ahead(*start, now));
    let after_last = last.map(|start| start.saturating_add(BACKGROUND_GAP));
    early_at(record, now).max(after_last.unwrap_or(UnixTime::EPOCH))
}

/// The maximum age of an answer with this `Age`, because caches count whole seconds. An
/// answer without `Age`, or with `Age: 0`, comes from the issuer.
fn max_age_of(age: u32) -> Duration {
    let seconds = if age == 0 { 0 } else { age.saturating_add(1) };
    Duration::from_secs(u64::from(seconds))
}

impl Jitter {
    /// Shortens a period to 80 to 100 %.
    fn shorten(self, period: Duration) -> Duration {
        // At most a fifth is subtracted: 255 steps of 1/1275 each.
        let step = period.checked_div(1275).unwrap_or_default();
        period.saturating_sub(step.saturating_mul(u32::from(self.0)))
    }
}
