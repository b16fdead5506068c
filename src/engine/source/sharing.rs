//! Documents that other workers have fetched.

use std::time::Duration;

use super::Source;
use crate::engine::Turn;
use crate::engine::ledger::Entry;
use crate::engine::reading::{Reader, Unread};
use crate::engine::work::Work;
use crate::time::UnixTime;

/// How often a shared document that was refused for lack of memory is tried again.
const MEMORY_RETRY_PERIOD: Duration = Duration::from_secs(2);

impl Source {
    /// Adopts what other workers have fetched. Returns whether the document has changed,
    /// and whether the record can be leased.
    pub(in crate::engine) fn sync(
        &mut self,
        work: &mut Work,
        turn: &mut Turn<'_>,
    ) -> (bool, Entry) {
        work.visit();
        self.last_visit.at = Some(turn.env.now);
        let entry = self.ledger.sync(turn.env.shared);
        (self.take_shared(work, turn), entry)
    }

    fn take_shared(&mut self, work: &mut Work, turn: &mut Turn<'_>) -> bool {
        let env = turn.env;
        let Some(content) = self.ledger.record().content else {
            return false;
        };
        let adopted = self.adopted.as_ref().map(|adopted| adopted.content.version);
        if [adopted, self.unusable].contains(&Some(content.version)) {
            return false;
        }
        let now = env.now;
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < MEMORY_RETRY_PERIOD;
        if self.refused_at.is_some_and(recent) {
            return false;
        }
        let reader = self.reader(work.spare());
        if !reader.may_copy(self.kind.max_bytes()) {
            self.refuse(turn);
            return false;
        }
        let Some(body) = self.ledger.read_document(env.shared, content.version) else {
            return false;
        };
        work.read(body.len());
        match reader.read(&body) {
            Ok(parsed) => {
                self.adopt(parsed, content, turn);
                true
            }
            Err(Unread::NoMemory) => {
                self.refuse(turn);
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
            kind: self.kind,
            entry: self.ledger.document_entry(),
            former: self.known(),
            spare,
        }
    }

    /// Refuses a shared document for lack of memory. The former document stays in use.
    fn refuse(&mut self, turn: &mut Turn<'_>) {
        if self.refused_at.is_none() {
            self.report_refused(turn);
        }
        self.refused_at = Some(turn.env.now);
    }
}
