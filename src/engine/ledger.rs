//! What a worker knows about one source: its own copy, and the shared data.

use super::shared::{NotSet, SharedData, SourceEntries};
use crate::keys::Record;
use crate::policy::DocumentSource;

/// The number of attempts to change the record if other workers change it at the same
/// time.
const ATTEMPTS: usize = 8;

/// The record of one source: this worker's copy, and access to the shared record.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: SourceEntries,
    record: Record,
    /// Whether the shared data cannot be written. This worker then works alone.
    detached: bool,
}

/// Whether the shared record can be leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Shared data are unavailable.
    Unavailable,
    /// The record was just created. Another worker may be creating it too, so it can be
    /// leased only after it has been read.
    Seeded,
    /// The record exists. The value is the number of its last change.
    At(u32),
}

impl Ledger {
    pub(super) fn of(source: &DocumentSource) -> Self {
        Self {
            entries: SourceEntries::of(source),
            record: Record::default(),
            detached: false,
        }
    }

    /// The name of the document's entry in the shared data. It is unique to this source.
    pub(super) fn document_entry(&self) -> &str {
        self.entries.document()
    }

    /// The record as this worker last read or wrote it.
    pub(super) const fn record(&self) -> &Record {
        &self.record
    }

    /// Reads what other workers have written. If the entry is missing or not readable,
    /// this worker's copy is written, so a lease, a back-off and the count of early
    /// refreshes survive another writer.
    pub(super) fn sync(&mut self, shared: &dyn SharedData) -> Entry {
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
            // No host returns a value without a change number.
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

    /// Writes a record with a lease. Returns false if another worker was faster.
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

    /// Changes the record, here and for all workers. Returns false if `change` declines.
    /// Without shared data only this worker's copy changes, and then every worker fetches
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

    /// The document with this version, as it was written. Returns `None` if the entry has
    /// another version; in this case the record is about to change.
    pub(super) fn read_document(&self, shared: &dyn SharedData, version: u64) -> Option<Vec<u8>> {
        self.entries.read_document(shared, version)
    }

    /// Writes a document. This must happen before the record names it, so that a worker
    /// that reads the record finds the document. Only the holder of the lease may write.
    pub(super) fn write_document(&self, shared: &dyn SharedData, version: u64, body: &[u8]) {
        if !self.detached {
            // A failure does no harm: without shared data no other worker could read the
            // document.
            let _ = self.entries.write_document(shared, version, body);
        }
    }
}
