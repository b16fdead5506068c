//! The data that the workers of a proxy share, and the entries of a source in it.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::keys::Record;
use crate::policy::{KeyLocation, KeySource};

/// Key-value data that all workers of a proxy see, each change whole.
///
/// It may be readable and writable by others: what comes from it is judged
/// like what comes from the network.
pub trait SharedData {
    /// The value and the number of its last change.
    ///
    /// # Errors
    ///
    /// The host failed.
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable>;

    /// Sets a value; with `last_change`, only if it has not changed since. A
    /// value that is not there is set in any case.
    ///
    /// # Errors
    ///
    /// It has changed since, or the host failed.
    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet>;
}

/// The host has no shared data, or fails to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// Why a value was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSet {
    /// Another worker was faster.
    Changed,
    /// The host failed.
    Unavailable,
}

/// No data that anybody shares: the one key service of a process needs none.
#[derive(Clone, Copy, Debug)]
pub struct NoSharedData;

impl SharedData for NoSharedData {
    fn get(&self, _: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        Err(Unavailable)
    }

    fn set(&self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), NotSet> {
        Err(NotSet::Unavailable)
    }
}

/// The number of no change: hosts count from one. A value is set with it only
/// where there was none.
const NO_CHANGE: u32 = u32::MAX;

/// The names of a source's two entries in the shared data. They are made of its
/// cluster, location and issuer, so that no two sources have the same, and of the
/// format's version. Entries outlive configurations and cannot be removed, so
/// nothing else of the configuration is in their names.
#[derive(Debug)]
pub(super) struct SourceEntries {
    record: Box<str>,
    document: Box<str>,
}

/// The record that the shared data have of a source.
pub(super) struct StoredRecord {
    pub(super) record: Option<Record>,
    /// The number of its last change; absent where there is no entry.
    pub(super) last_change: Option<u32>,
}

impl SourceEntries {
    pub(super) fn of(source: &KeySource) -> Self {
        let mut digest = Sha256::new();
        let mut part = |text: &str| {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        };
        part(&source.cluster);
        match &source.location {
            KeyLocation::Uri(uri) => {
                part("uri");
                part(&uri.to_string());
            }
            KeyLocation::Discovery { issuer, hosts, .. } => {
                part("discovery");
                part(issuer);
                for (host, cluster) in hosts {
                    part(host);
                    part(cluster);
                }
            }
        }
        let mut name = String::from("edge_authz/2/");
        for byte in digest.finalize() {
            // Writing to a `String` cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        Self {
            record: format!("{name}/state").into(),
            document: format!("{name}/keys").into(),
        }
    }

    /// The name of the document's entry.
    pub(super) fn document(&self) -> &str {
        &self.document
    }

    pub(super) fn read(&self, shared: &dyn SharedData) -> Result<StoredRecord, Unavailable> {
        Ok(match shared.get(&self.record)? {
            Some((bytes, last_change)) => StoredRecord {
                record: Record::decode(&bytes),
                last_change: Some(last_change),
            },
            None => StoredRecord {
                record: None,
                last_change: None,
            },
        })
    }

    /// Writes a record where there is none.
    pub(super) fn create(&self, shared: &dyn SharedData, record: &Record) -> Result<(), NotSet> {
        match self.write(shared, record, Some(NO_CHANGE)) {
            // Some hosts know no such number. Another worker may write at the
            // same time; at worst, there is a fetch too many.
            Err(NotSet::Changed) if self.is_missing(shared) => self.write(shared, record, None),
            written => written,
        }
    }

    fn is_missing(&self, shared: &dyn SharedData) -> bool {
        matches!(shared.get(&self.record), Ok(None))
    }

    pub(super) fn write(
        &self,
        shared: &dyn SharedData,
        record: &Record,
        last_change: Option<u32>,
    ) -> Result<(), NotSet> {
        shared.set(&self.record, &record.encode(), last_change)
    }

    /// The document of this version as it was fetched. It is absent where the
    /// entry is another version's: then the record is about to change.
    pub(super) fn read_document(&self, shared: &dyn SharedData, version: u64) -> Option<Vec<u8>> {
        let (mut bytes, _) = shared.get(&self.document).ok()??;
        let known = u64::from_le_bytes(*bytes.first_chunk()?);
        if known != version {
            return None;
        }
        bytes.drain(..size_of::<u64>());
        Some(bytes)
    }

    pub(super) fn write_document(
        &self,
        shared: &dyn SharedData,
        version: u64,
        body: &[u8],
    ) -> Result<(), NotSet> {
        let bytes = [&version.to_le_bytes(), body].concat();
        shared.set(&self.document, &bytes, None)
    }
}
