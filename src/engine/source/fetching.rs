//! The part of a source in fetching its document: when a fetch begins, and what its outcome
//! changes.

use super::Source;
use crate::engine::document::ParsedDocument;
use crate::engine::fetch::{Condition, Fetch, FetchId, Freshness, Next};
use crate::engine::ledger::Entry;
use crate::engine::random::Random;
use crate::engine::snapshot::Adopted;
use crate::engine::work::Work;
use crate::engine::{Effect, Env, Turn};
use crate::keys::answer::AnswerHead;
use crate::keys::{Jitter, Kind, Outcome, Record, RefreshPolicy};
use crate::telemetry::DocumentKind;
use crate::time::UnixTime;

impl Source {
    /// Begins a fetch if one is due and no other worker was faster. Returns whether it
    /// has begun one.
    pub(in crate::engine) fn begin_if_due(
        &mut self,
        entry: Entry,
        kid_needed: bool,
        random: &mut Random,
        turn: &mut Turn<'_>,
    ) -> bool {
        self.last_visit.kid_needed = kid_needed;
        if entry == Entry::Seeded {
            return false;
        }
        self.settled = true;
        let (rules, now) = (self.rules, turn.env.now);
        // The wait for an issuer that never answers is limited.
        let awaits = |fetch: &Fetch| rules.awaits(fetch.sent_at, now);
        if self.fetch.as_ref().is_some_and(awaits) {
            return false;
        }
        let due = rules.due(&self.effective_record(now), self.needs(now), now);
        let Some(kind) = due else { return false };
        let begun = rules.begun(self.ledger.record(), kind, self.holder, now);
        if !self.ledger.lease(begun, entry, turn.env.shared) {
            return false;
        }
        let id = FetchId(random.next());
        // A cached response does not help a request that needs a `kid`, and delays
        // revocations.
        let fresh =
            kid_needed || kind != Kind::Ordinary || self.spec.kind == DocumentKind::RevocationList;
        let record = self.ledger.record();
        let fetch = Fetch::begin(&self.spec, record, (id, fresh), self.condition(), now);
        self.send(fetch, turn);
        true
    }

    /// The document that need not be fetched again if it has not changed: the one that the
    /// record names. After a failure the document is fetched in any case, because the
    /// server may have answered that it has not changed although it has.
    fn condition(&self) -> Option<Condition> {
        let record = self.ledger.record();
        let Adopted {
            document, content, ..
        } = self.adopted.as_ref()?;
        let version = content.version;
        let is_named = record.content.is_some_and(|named| named.version == version);
        if !is_named || record.failure.is_some() {
            return None;
        }
        Some(Condition {
            etag: document.etag()?.into(),
            version,
        })
    }

    fn send(&mut self, fetch: Fetch, turn: &mut Turn<'_>) {
        let call = fetch.call(self.rules.timeout);
        turn.effects.push(Effect::Fetch(Box::new(call)));
        self.fetch = Some(fetch);
    }

    /// Handles the answer to this source's fetch. Returns whether the document has
    /// changed.
    pub(in crate::engine) fn fetched(
        &mut self,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        random: &mut Random,
        turn: &mut Turn<'_>,
    ) -> bool {
        let env = turn.env;
        let Some(fetch) = self.fetch.take() else {
            return false;
        };
        let started_at = fetch.started_at;
        let next = FetchId(random.next());
        let reader = self.reader(Work::TICK.spare());
        match fetch.answered(&self.spec, (head, body), reader, next, env.now) {
            Next::Call(fetch, discovered) => {
                let (rules, holder) = (self.rules, self.holder);
                let extended = self.ledger.change(env.shared, |record| {
                    let record = rules.extended(record, holder, env.now)?;
                    let discovered = discovered.clone().or(record.discovered);
                    Some(Record {
                        discovered,
                        ..record
                    })
                });
                if extended {
                    self.send(fetch, turn);
                }
                false
            }
            Next::Failed(failure, place) => {
                self.finish(Outcome::Failed, random, env);
                self.report_failure(failure, place, turn);
                false
            }
            Next::Document {
                parsed,
                shared,
                freshness,
            } => {
                let version = random.next_at(env.now);
                let outcome = good(version, started_at, freshness);
                self.succeeded(parsed, &shared, outcome, random, turn)
            }
            Next::Unchanged { version, freshness } => {
                let outcome = good(version, started_at, freshness);
                self.confirmed(outcome, random, turn)
            }
        }
    }

    fn succeeded(
        &mut self,
        parsed: ParsedDocument,
        shared: &[u8],
        outcome: Outcome,
        random: &mut Random,
        turn: &mut Turn<'_>,
    ) -> bool {
        // From here on, no other worker writes a document. If another worker has the
        // lease by now, its document is the newer one.
        let env = turn.env;
        let (rules, holder, now) = (self.rules, self.holder, env.now);
        let renewed = self
            .ledger
            .change(env.shared, |record| rules.extended(record, holder, now));
        if !renewed {
            return false;
        }
        if let Outcome::Good { version, .. } = outcome {
            self.ledger.write_document(env.shared, version, shared);
        }
        if !self.finish(outcome, random, env) {
            return false;
        }
        let Some(content) = self.ledger.record().content else {
            return false;
        };
        self.report_success(&parsed, turn);
        let parsed = self.reader(0).share(parsed, content.version);
        self.adopt(parsed, content, turn);
        true
    }

    /// Records that the known document has not changed. Returns whether its times are new.
    fn confirmed(&mut self, outcome: Outcome, random: &mut Random, turn: &mut Turn<'_>) -> bool {
        if !self.finish(outcome, random, turn.env) {
            return false;
        }
        self.report_confirmed(turn);
        let content = self.ledger.record().content;
        content.is_some_and(|content| self.renew(content, turn))
    }

    /// Records the outcome. Returns false if another worker has the lease by now.
    fn finish(&mut self, outcome: Outcome, random: &mut Random, env: Env<'_>) -> bool {
        let (holder, jitter) = (self.holder, Jitter(random.byte()));
        self.ledger.change(env.shared, |record| {
            RefreshPolicy::finished(record, holder, outcome, jitter, env.now)
        })
    }
}

fn good(version: u64, started_at: UnixTime, Freshness { age, max_age }: Freshness) -> Outcome {
    Outcome::Good {
        version,
        started_at,
        age,
        max_age,
    }
}
