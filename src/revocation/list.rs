//! The entries of a revocation list.

use super::ids::{IdDigest, Member};
use super::{MAX_ENTRIES, MAX_LIST_BYTES, TokenIds};
use crate::time::UnixTime;

/// A revocation list. Only [`RevocationList::parse`] and [`RevocationList::decode`] make
/// one.
#[derive(Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// Sorted by digest, each once.
    pub(super) entries: Box<[Entry]>,
    /// The members that have entries: the sum of their [bits](Member::bit).
    pub(super) members: u8,
    pub(super) size: ListSize,
    pub(super) etag: Option<Box<str>>,
}

/// An entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) digest: IdDigest,
    /// The tokens that were issued before this time are revoked.
    pub(super) before: UnixTime,
}

/// The size of a document, as its limits count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListSize {
    /// The size of the document in bytes.
    pub bytes: u32,
    /// The number of its entries, duplicates included.
    pub entries: u32,
}

impl ListSize {
    /// The percentage of the limits from which operators should be warned.
    const WARNING: u64 = 80;

    /// Whether the document has 80 % or more of the size or the number of entries that is
    /// accepted.
    #[must_use]
    pub fn is_near_limit(self) -> bool {
        let near = |value: u32, most: usize| {
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            u64::from(value).saturating_mul(100) >= most.saturating_mul(Self::WARNING)
        };
        near(self.bytes, MAX_LIST_BYTES) || near(self.entries, MAX_ENTRIES)
    }
}

impl RevocationList {
    /// Whether the list names the token.
    #[must_use]
    pub fn names(&self, token: &TokenIds) -> bool {
        let named = Member::ALL.into_iter().zip(&token.digests);
        named
            .filter(|(member, _)| self.members & member.bit() != 0)
            .filter_map(|(_, digest)| self.find(digest.as_ref()?))
            .any(|before| token.issued_at.is_none_or(|issued| issued < before))
    }

    fn find(&self, digest: &IdDigest) -> Option<UnixTime> {
        let known = |entry: &Entry| entry.digest.cmp(digest);
        let place = self.entries.binary_search_by(known).ok()?;
        Some(self.entries.get(place)?.before)
    }

    /// The number of different entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entries. Such a list is valid: no token is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of the document.
    #[must_use]
    pub const fn size(&self) -> ListSize {
        self.size
    }

    /// The entity tag of the document (RFC 9110 section 8.8.3), if its publisher gave it
    /// one.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The memory that it takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let etag = self.etag.as_deref().map_or(0, str::len);
        size_of::<Self>()
            .saturating_add(size_of_val(&*self.entries))
            .saturating_add(etag)
    }
}
