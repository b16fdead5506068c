//! The form in which workers share a list: its digests. Reading it costs a fraction of
//! parsing the document.

use super::ids::{IdDigest, Member};
use super::list::Entry;
use super::{ListSize, MAX_ENTRIES, RevocationList};
use crate::time::UnixTime;

/// The size of an entry in bytes.
const ENTRY_BYTES: usize = 32;
/// The bits of all members.
const ALL_MEMBERS: u8 = Member::TokenId.bit() | Member::SessionId.bit() | Member::Subject.bit();

impl RevocationList {
    /// Encodes the list.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let etag = self.etag.as_deref().unwrap_or_default().as_bytes();
        let entries = self.entries.len().saturating_mul(ENTRY_BYTES);
        let mut out = Vec::with_capacity(entries.saturating_add(etag.len()).saturating_add(13));
        out.push(self.members);
        out.extend_from_slice(&self.size.bytes.to_le_bytes());
        out.extend_from_slice(&self.size.entries.to_le_bytes());
        let length = u32::try_from(etag.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(etag);
        for entry in &self.entries {
            out.extend_from_slice(&entry.digest.0.to_le_bytes());
            out.extend_from_slice(&entry.before.as_nanos().to_le_bytes());
        }
        out
    }

    /// Decodes a list. Returns `None` unless the bytes are exactly one list. Other parties
    /// may be able to write them.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (members, bytes) = bytes.split_first()?;
        let (document_bytes, bytes) = number(bytes)?;
        let (document_entries, bytes) = number(bytes)?;
        let (length, bytes) = number(bytes)?;
        let (etag, bytes) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
        let etag = std::str::from_utf8(etag).ok()?;
        let count = bytes.len() / ENTRY_BYTES;
        if bytes.len() % ENTRY_BYTES != 0 || count > MAX_ENTRIES || *members > ALL_MEMBERS {
            return None;
        }
        let mut entries = Vec::with_capacity(count);
        for entry in bytes.chunks_exact(ENTRY_BYTES) {
            let (digest, before) = entry.split_first_chunk()?;
            entries.push(Entry {
                digest: IdDigest(u128::from_le_bytes(*digest)),
                before: UnixTime::from_nanos(i128::from_le_bytes(*before.first_chunk()?)),
            });
        }
        let is_sorted = entries.is_sorted_by(|one, other| one.digest < other.digest);
        is_sorted.then(|| Self {
            entries: entries.into_boxed_slice(),
            members: *members,
            size: ListSize {
                bytes: document_bytes,
                entries: document_entries,
            },
            etag: (!etag.is_empty()).then(|| etag.into()),
        })
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}
