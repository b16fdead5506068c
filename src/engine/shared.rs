//! The data that the workers of a proxy share, and the entries of a source in them.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::keys::Record;
use crate::policy::{DocumentLocation, DocumentSource};
use crate::telemetry::DocumentKind;

/// Key-value data that all workers of a proxy see. Each change is atomic.
///
/// Other parties may be able to read and write the data, so values are validated like
/// data from the network.
pub trait SharedData {
    /// Returns the value and the number of its last change, or `None` if there is no
    /// entry.
    ///
    /// # Errors
    ///
    /// [`Unavailable`]: the host failed.
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable>;

    /// Sets a value. With `last_change`, sets it only if it has not changed since. A
    /// missing entry is created in any case.
    ///
    /// # Errors
    ///
    /// [`NotSet::Changed`]: the value has changed since. [`NotSet::Unavailable`]: the
    /// host failed.
    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet>;
}

/// The host has no shared data, or fails to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// Why a value was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSet {
    /// Another worker changed the value first.
    Changed,
    /// The host failed.
    Unavailable,
}

/// An absence of shared data, for a process with only one key service.
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

/// A change number that no entry has, because hosts count from one. With it, a value is
/// set only if there was none.
pub(super) const NO_CHANGE: u32 = u32::MAX;

/// The names of the two entries of a source in the shared data. They depend on the
/// source's cluster, location, issuer and kind of document, so no two sources have the
/// same names, and on the version of the format. Entries outlive configurations and cannot be removed, so
/// the names depend on nothing else in the configuration.
#[derive(Debug)]
pub(super) struct SourceEntries {
    record: Box<str>,
    document: Box<str>,
}

/// The shared record of a source.
pub(super) struct StoredRecord {
    pub(super) record: Option<Record>,
    /// The number of the last change, or `None` if there is no entry.
    pub(super) last_change: Option<u32>,
}

impl SourceEntries {
    pub(super) fn of(source: &DocumentSource) -> Self {
        let mut digest = Sha256::new();
        let mut part = |text: &str| {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        };
        part(&source.cluster);
        match &source.location {
            DocumentLocation::Uri(uri) => {
                part(match source.kind {
                    DocumentKind::KeySet => "uri",
                    DocumentKind::RevocationList => "revocation list",
                });
                part(&uri.to_string());
            }
            DocumentLocation::Discovery { issuer, hosts, .. } => {
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
        let document = match source.kind {
            DocumentKind::KeySet => "keys",
            DocumentKind::RevocationList => "list",
        };
        Self {
            record: format!("{name}/state").into(),
            document: format!("{name}/{document}").into(),
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

    /// Writes a record if there is none.
    pub(super) fn create(&self, shared: &dyn SharedData, record: &Record) -> Result<(), NotSet> {
        match self.write(shared, record, Some(NO_CHANGE)) {
            // Some hosts do not accept this number. Another worker may write at the same
            // time; at worst there is one fetch too many.
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

    /// The document with this version, as it was written. Returns `None` if the entry has
    /// another version; in this case the record is about to change.
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
