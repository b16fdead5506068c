//! Documents that other workers have fetched.

use std::time::Duration;

use super::Source;
use crate::engine::Turn;
use crate::engine::document::max_bytes;
use crate::engine::ledger::Entry;
use crate::engine::reading::{Reader, Unread};
use crate::engine::work::Work;
use crate::keys::Content;
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
        if self.unusable == Some(content.version) {
            return false;
        }
        let adopted = self.adopted.as_ref().map(|adopted| adopted.content.version);
        if adopted == Some(content.version) {
            return self.renew(content, turn);
        }
        let now = env.now;
        let recent = |at: UnixTime| at <= now && now.saturating_since(at) < MEMORY_RETRY_PERIOD;
        if self.refused_at.is_some_and(recent) {
            return false;
        }
        let reader = self.reader(work.spare());
        if let Some(known) = reader.find_list(content.version) {
            self.adopt(known, content, turn);
            return true;
        }
        if !reader.may_copy(max_bytes(self.spec.kind)) {
            self.refuse(turn);
            return false;
        }
        let Some(body) = self.ledger.read_document(env.shared, content.version) else {
            return false;
        };
        work.read(body.len());
        match reader.read_shared(&body) {
            Ok(parsed) => {
                let parsed = reader.share(parsed, content.version);
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

    /// Takes the times of a fetch that has confirmed the known document. Returns whether
    /// they are new. Times that were already taken are not taken again, because the clock
    /// may have been set back since.
    pub(super) fn renew(&mut self, content: Content, turn: &mut Turn<'_>) -> bool {
        if self.taken == Some(content) {
            return false;
        }
        let Some(adopted) = &mut self.adopted else {
            return false;
        };
        self.taken = Some(content);
        self.fetches = self.fetches.saturating_add(1);
        adopted.content = content;
        adopted.fetch = self.fetches;
        self.set_back(turn.env.now);
        self.reported_too_old = false;
        true
    }

    pub(super) fn reader(&self, spare: usize) -> Reader<'_> {
        Reader {
            kind: self.spec.kind,
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
