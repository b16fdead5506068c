//! When keys are fetched, and how long they serve.

use std::time::Duration;

use super::record::{Content, Failure, Jitter, Lease, Record};
use crate::time::UnixTime;

/// The least time between two early refreshes.
const EARLY_GAP: Duration = Duration::from_secs(5);
/// The least time between an early refresh and the one after the next: at
/// most two in any ten seconds, as the issuer counts them too, for whom the
/// way there may shorten the time between.
const EARLY_SPAN: Duration = Duration::from_millis(10_500);
/// The least time between two early refreshes that no request waits for: at most
/// one in any minute, as the issuer counts them.
const BACKGROUND_GAP: Duration = Duration::from_millis(60_500);
/// The longest back-off while keys serve.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
/// The longest back-off while no key serves.
const LONGEST_BACKOFF_WITHOUT_KEYS: Duration = Duration::from_secs(5);
/// The floor under an answer's `max-age`.
const LEAST_MAX_AGE: Duration = Duration::from_mins(1);
/// How long a lease outlives the timeout of the request that it covers.
const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// The longest lease that a worker of ours takes: for the longest timeout that
/// can be configured. Others may write to the shared data.
const LONGEST_LEASE: Duration = Duration::from_secs(3602);
/// The workers read their clocks a little before they look at what the others
/// have written: what lies ahead by no more than this is of now, and no sign
/// of a clock that was set back.
const CLOCK_SLACK: Duration = Duration::from_secs(1);
/// How long an issuer's metadata are good.
const METADATA_AGE: Duration = Duration::from_hours(24);

/// The rules of one key source (timing only): a state machine over [`Record`].
///
/// A record without content is *empty*; with content it is *fresh* until
/// [`RefreshPolicy::refresh_at`], then *stale* until `max_stale` after the last good
/// fetch, then as good as empty. Each of these may have a failure behind it
/// and a fetch in flight.
#[derive(Clone, Copy, Debug)]
pub struct RefreshPolicy {
    /// The longest that one request to the issuer takes.
    pub timeout: Duration,
    /// The ceiling on the age of keys before they are fetched again.
    pub refresh: Duration,
    /// How long the last good keys are used.
    pub max_stale: Duration,
}

/// What is wanted of a source besides the fetches that are due anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Somebody waits for a `kid` that the set lacks.
    pub kid: bool,
    /// A token was refused that a key of the set should have verified: under
    /// its `kid`, or without one, the issuer may have another key by now.
    /// Nobody waits.
    pub doubt: bool,
}

/// Why keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There are none, or they are due, or the last try failed.
    Ordinary,
    /// A token names a `kid` that the set lacks.
    Early,
    /// The set is doubted, and no request waits.
    Background,
}

/// How a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a key set that has a usable key.
    Good {
        /// Names the set.
        version: u64,
        /// When the fetch began.
        started_at: UnixTime,
        /// The answer's age, in seconds.
        age: u32,
        /// The answer's `max-age`, in seconds.
        max_age: Option<u32>,
    },
    /// With anything else.
    Failed,
}

impl RefreshPolicy {
    /// Whether the record's keys may verify tokens.
    #[must_use]
    pub fn serves(&self, record: &Record, now: UnixTime) -> bool {
        record
            .content
            .is_some_and(|content| self.content_serves(&content, now))
    }

    /// Whether keys of this content may verify tokens.
    #[must_use]
    pub fn content_serves(&self, content: &Content, now: UnixTime) -> bool {
        now.saturating_since(content.fetched_at) <= self.max_stale
    }

    /// Whether a fetch should begin now, and why.
    #[must_use]
    pub fn due(&self, record: &Record, wants: Wants, now: UnixTime) -> Option<Kind> {
        if in_flight(record, now) {
            return None;
        }
        if now >= self.ordinary_at(record, now) {
            return Some(Kind::Ordinary);
        }
        if wants.kid && now >= early_at(record, now) {
            return Some(Kind::Early);
        }
        (wants.doubt && now >= background_at(record, now)).then_some(Kind::Background)
    }

    /// The record with the lease taken: the fetch may begin once every worker
    /// can see it.
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

    /// The record with the lease prolonged for the next request of the same
    /// fetch; absent where the lease is another's by now.
    #[must_use]
    pub fn prolonged(&self, record: &Record, holder: u64, now: UnixTime) -> Option<Record> {
        let lease = record.lease.filter(|lease| lease.holder == holder)?;
        let lease = Some(self.lease(holder, lease.early, now));
        Some(Record {
            lease,
            ..record.clone()
        })
    }

    /// The record after the fetch; absent where the lease is another's by now,
    /// whose answer is the newer one.
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
                    as_of: started_at.saturating_sub(longest(age)),
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
            // An early refresh has its own budget and leaves the back-off alone.
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

    /// When the next fetch may begin, for `Retry-After`: now, while one is in
    /// flight.
    #[must_use]
    pub fn next_try(&self, record: &Record, wants: Wants, now: UnixTime) -> UnixTime {
        if in_flight(record, now) {
            return now;
        }
        let mut next = self.ordinary_at(record, now);
        if wants.kid {
            next = next.min(early_at(record, now));
        }
        if wants.doubt {
            next = next.min(background_at(record, now));
        }
        next
    }

    /// Whether an early refresh, or the fetch that brought the set, has begun
    /// at `at` or later: what was doubted then has been asked for.
    #[must_use]
    pub fn asked_since(record: &Record, at: UnixTime, now: UnixTime) -> bool {
        let [_, early] = record.early;
        let fetch = record.content.map(|content| content.started_at);
        let since = |start: UnixTime| start >= at && !is_ahead(start, now);
        early.is_some_and(since) || fetch.is_some_and(since)
    }

    /// Whether metadata read at `at` are still good. A failed fetch forgets
    /// them at once.
    #[must_use]
    pub fn metadata_good(at: UnixTime, now: UnixTime) -> bool {
        !is_ahead(at, now) && now.saturating_since(at) < METADATA_AGE
    }

    /// Whether a worker still awaits the answer to what it asked at `at`.
    #[must_use]
    pub fn awaits(&self, at: UnixTime, now: UnixTime) -> bool {
        !is_ahead(at, now) && now < at.saturating_add(self.lease_length())
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

    /// When the next fetch begins that no token asked for.
    fn ordinary_at(&self, record: &Record, now: UnixTime) -> UnixTime {
        let due = record
            .content
            .map_or(UnixTime::EPOCH, |content| self.refresh_at(&content, now));
        match record.failure {
            Some(failure) => due.max(Self::retry_at(&failure, self.serves(record, now), now)),
            None => due,
        }
    }

    /// When a good set is due for a refresh: at 80 to 100 % of its period, at
    /// once if it seems to come from the future.
    fn refresh_at(&self, content: &Content, now: UnixTime) -> UnixTime {
        if is_ahead(content.fetched_at, now) {
            return now;
        }
        let max_age = content
            .max_age
            .map(|secs| Duration::from_secs(u64::from(secs)));
        let period = max_age.map_or(self.refresh, |age| self.refresh.min(age.max(LEAST_MAX_AGE)));
        content
            .fetched_at
            .saturating_add(content.jitter.shorten(period))
    }

    /// When a failed fetch is tried again.
    fn retry_at(failure: &Failure, serving: bool, now: UnixTime) -> UnixTime {
        if is_ahead(failure.at, now) {
            return now;
        }
        let doublings = failure.count.saturating_sub(1).min(6);
        let backoff = Duration::from_secs(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
        let longest = if serving {
            LONGEST_BACKOFF
        } else {
            LONGEST_BACKOFF_WITHOUT_KEYS
        };
        failure
            .at
            .saturating_add(failure.jitter.shorten(backoff.min(longest)))
    }
}

/// Whether a worker fetches at the moment. A lease that begins ahead of now or
/// is longer than any was written by someone else, or before the clock was set
/// back: it counts as expired.
fn in_flight(record: &Record, now: UnixTime) -> bool {
    record.lease.is_some_and(|lease| {
        let length = lease.until.saturating_since(lease.from);
        now < lease.until && !is_ahead(lease.from, now) && length <= LONGEST_LEASE
    })
}

fn is_ahead(at: UnixTime, now: UnixTime) -> bool {
    at > now.saturating_add(CLOCK_SLACK)
}

/// When an early refresh may begin. Starts that lie ahead, since the clock was
/// set back, do not count.
fn early_at(record: &Record, now: UnixTime) -> UnixTime {
    let [before, last] = record
        .early
        .map(|start| start.filter(|start| !is_ahead(*start, now)));
    let after_last = last.map(|start| start.saturating_add(EARLY_GAP));
    let after_before = before.map(|start| start.saturating_add(EARLY_SPAN));
    after_last.max(after_before).unwrap_or(UnixTime::EPOCH)
}

/// When a refresh may begin that no request waits for. It counts as an early one.
fn background_at(record: &Record, now: UnixTime) -> UnixTime {
    let last = record.background.filter(|start| !is_ahead(*start, now));
    let after_last = last.map(|start| start.saturating_add(BACKGROUND_GAP));
    early_at(record, now).max(after_last.unwrap_or(UnixTime::EPOCH))
}

/// How old an answer of this `Age` may be: caches count whole seconds. One that
/// has none, or `Age: 0`, comes from the issuer.
fn longest(age: u32) -> Duration {
    let seconds = if age == 0 { 0 } else { age.saturating_add(1) };
    Duration::from_secs(u64::from(seconds))
}

impl Jitter {
    /// 80 to 100 % of a period.
    fn shorten(self, period: Duration) -> Duration {
        // At most a fifth is taken off: 255 steps of 1/1275 each.
        let step = period.checked_div(1275).unwrap_or_default();
        period.saturating_sub(step.saturating_mul(u32::from(self.0)))
    }
}
