//! What a worker knows of one source, here and in the shared data.

use super::shared::{NotSet, SharedData, SourceEntries};
use crate::keys::Record;
use crate::policy::KeySource;

/// How often a change is tried again after another worker changed the record first.
const ATTEMPTS: usize = 8;

/// The record of one source: this worker's copy, and access to the one that all
/// workers share.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: SourceEntries,
    record: Record,
    /// The shared data cannot be written: this worker is on its own.
    detached: bool,
}

/// Whether the shared record can be leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// There are no shared data.
    Unavailable,
    /// It was made just now: others may be at the same, so that it is leased
    /// only after it was seen.
    Seeded,
    /// It is there; the number of its last change.
    At(u32),
}

impl Ledger {
    pub(super) fn of(source: &KeySource) -> Self {
        Self {
            entries: SourceEntries::of(source),
            record: Record::default(),
            detached: false,
        }
    }

    /// The name of the document's entry in the shared data. No other source has it.
    pub(super) fn document_entry(&self) -> &str {
        self.entries.document()
    }

    /// The record as this worker has last seen or written it.
    pub(super) const fn record(&self) -> &Record {
        &self.record
    }

    /// Reads what other workers have written since. Where nothing is there, or
    /// nothing of ours, what this worker knows is written: a lease, a back-off
    /// and early refreshes outlive a worker that writes over them.
    pub(super) fn look(&mut self, shared: &dyn SharedData) -> Entry {
        if self.detached {
            return Entry::Unavailable;
        }
        let Ok(entry) = self.entries.read(shared) else {
            return Entry::Unavailable;
        };
        match (entry.record, entry.last_change) {
            (Some(record), Some(last_change)) => {
                self.record = record;
                Entry::At(last_change)
            }
            (None, Some(last_change)) => {
                self.seeded(self.entries.write(shared, &self.record, Some(last_change)))
            }
            (None, None) => self.seeded(self.entries.create(shared, &self.record)),
            // No host numbers its entries so.
            (Some(_), None) => Entry::Unavailable,
        }
    }

    fn seeded(&mut self, written: Result<(), NotSet>) -> Entry {
        match written {
            Ok(()) | Err(NotSet::Changed) => Entry::Seeded,
            Err(NotSet::Unavailable) => {
                self.detached = true;
                Entry::Unavailable
            }
        }
    }

    /// Writes a record with a lease; false if another worker was faster.
    pub(super) fn lease(&mut self, leased: Record, entry: Entry, shared: &dyn SharedData) -> bool {
        match entry {
            Entry::Seeded => return false,
            Entry::Unavailable => {}
            Entry::At(last_change) => {
                match self.entries.write(shared, &leased, Some(last_change)) {
                    Ok(()) => {}
                    Err(NotSet::Changed) => return false,
                    Err(NotSet::Unavailable) => self.detached = true,
                }
            }
        }
        self.record = leased;
        true
    }

    /// Changes the record, here and for all workers; false where `change` does
    /// not want to. Without shared data, here only: then every worker fetches
    /// for itself.
    pub(super) fn change(
        &mut self,
        shared: &dyn SharedData,
        change: impl Fn(&Record) -> Option<Record>,
    ) -> bool {
        for _ in 0..ATTEMPTS {
            if self.detached {
                break;
            }
            let Ok(entry) = self.entries.read(shared) else {
                break;
            };
            let Some(record) = entry.record else { break };
            let Some(changed) = change(&record) else {
                self.record = record;
                return false;
            };
            match self.entries.write(shared, &changed, entry.last_change) {
                Ok(()) => {
                    self.record = changed;
                    return true;
                }
                Err(NotSet::Changed) => {}
                Err(NotSet::Unavailable) => self.detached = true,
            }
        }
        match change(&self.record) {
            Some(changed) => {
                self.record = changed;
                true
            }
            None => false,
        }
    }

    /// The document of this version as it was fetched. It is absent where the
    /// entry is another version's: then the record is about to change.
    pub(super) fn read_document(&self, shared: &dyn SharedData, version: u64) -> Option<Vec<u8>> {
        self.entries.read_document(shared, version)
    }

    /// Writes a document before the record that names it, so that a worker that
    /// sees the record finds the document. Only the holder of the lease may write.
    pub(super) fn write_document(&self, shared: &dyn SharedData, version: u64, body: &[u8]) {
        if !self.detached {
            // Without shared data no other worker could read it.
            let _ = self.entries.write_document(shared, version, body);
        }
    }
}
