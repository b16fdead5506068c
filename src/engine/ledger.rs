//! What a worker knows of one key source, here and in the shared data.

use super::shared::{NotSet, Place, SharedData};
use crate::keys::Record;
use crate::policy::KeySource;

/// How often a change is tried again that another worker forestalled.
const ATTEMPTS: usize = 8;

/// The record of one key source: this worker's copy, and its ways to the one
/// that all workers share.
#[derive(Debug)]
pub(super) struct Ledger {
    place: Place,
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
            place: Place::of(source),
            record: Record::default(),
            detached: false,
        }
    }

    /// Where the key set lies, which no other source's does.
    pub(super) fn place_of_set(&self) -> &str {
        self.place.set()
    }

    /// The record as this worker has last seen or written it.
    pub(super) const fn record(&self) -> &Record {
        &self.record
    }

    /// Reads what other workers have written since. Where nothing is there, or
    /// nothing of ours, what this worker knows is written: a lease, a back-off
    /// and early refreshes outlive whoever writes over them.
    pub(super) fn look(&mut self, shared: &dyn SharedData) -> Entry {
        if self.detached {
            return Entry::Unavailable;
        }
        let Ok(entry) = self.place.read(shared) else {
            return Entry::Unavailable;
        };
        match (entry.record, entry.last_change) {
            (Some(record), Some(last_change)) => {
                self.record = record;
                Entry::At(last_change)
            }
            (None, Some(last_change)) => {
                self.seeded(self.place.write(shared, &self.record, Some(last_change)))
            }
            (None, None) => self.seeded(self.place.create(shared, &self.record)),
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
            Entry::At(last_change) => match self.place.write(shared, &leased, Some(last_change)) {
                Ok(()) => {}
                Err(NotSet::Changed) => return false,
                Err(NotSet::Unavailable) => self.detached = true,
            },
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
            let Ok(entry) = self.place.read(shared) else {
                break;
            };
            let Some(record) = entry.record else { break };
            let Some(changed) = change(&record) else {
                self.record = record;
                return false;
            };
            match self.place.write(shared, &changed, entry.last_change) {
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

    /// The key set of this version as it was fetched; absent where another
    /// version lies there, since the record is about to change.
    pub(super) fn read_set(&self, shared: &dyn SharedData, version: u64) -> Option<Vec<u8>> {
        self.place.read_set(shared, version)
    }

    /// Lays a key set down, before the record that names it: whoever sees the
    /// record finds the set. For the holder of the lease only.
    pub(super) fn write_set(&self, shared: &dyn SharedData, version: u64, body: &[u8]) {
        if !self.detached {
            // Without shared data there is nobody to read it.
            let _ = self.place.write_set(shared, version, body);
        }
    }
}
