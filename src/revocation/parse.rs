//! Reads a revocation list from its document.

use super::ids::{IdDigest, Member};
use super::list::Entry;
use super::{ListError, ListSize, MAX_ENTRIES, MAX_LIST_BYTES, RevocationList};
use crate::json::{FlatError, FlatReader, FlatType, Refused, read_flat};
use crate::memory::Need;
use crate::order;
use crate::time::UnixTime;

/// Later than every time of issue: tokens with a revoked ID are revoked whenever they were
/// issued.
const ALWAYS: UnixTime = UnixTime::from_nanos(i128::MAX);

/// The shortest text of an entry, in bytes: `"",` without the last comma.
const ENTRY_TEXT: usize = 2;

/// The memory of an entry in a vector that grows, in bytes.
const GROWING_ENTRY: usize = 2 * size_of::<Entry>();

/// The maximum memory for parsing a list of this size in bytes, including the list and its
/// compact form, but not the document itself. `tests/revocation_memory.rs` measures it.
#[must_use]
pub fn memory_needed(document: usize) -> Need {
    let entries = (document / ENTRY_TEXT).min(MAX_ENTRIES);
    // A vector grows to twice its length, while the former block still exists. Nested
    // values in ignored members take a byte for each level.
    let block = entries
        .saturating_mul(GROWING_ENTRY)
        .max(document.saturating_mul(2));
    Need::block(block).and(block)
}

impl RevocationList {
    /// Parses a document with this entity tag.
    ///
    /// # Errors
    ///
    /// The document is larger than [`MAX_LIST_BYTES`], is not JSON, is not a list, or has
    /// more than [`MAX_ENTRIES`] entries.
    pub fn parse(document: &[u8], etag: Option<&str>) -> Result<Self, ListError> {
        if document.len() > MAX_LIST_BYTES {
            return Err(ListError::TooLarge);
        }
        let mut parsing = Parsing::default();
        read_flat(document, &mut parsing).map_err(|error| match error {
            FlatError::Json(error) => ListError::Json(error),
            FlatError::Refused => parsing.error(),
        })?;
        let count = u32::try_from(parsing.entries.len()).unwrap_or(u32::MAX);
        Ok(Self {
            size: ListSize {
                bytes: u32::try_from(document.len()).unwrap_or(u32::MAX),
                entries: count,
            },
            members: parsing.used,
            entries: parsing.into_entries()?,
            etag: etag.map(Into::into),
        })
    }
}

#[derive(Default)]
struct Parsing {
    entries: Vec<Entry>,
    /// The member that is being read.
    member: Option<Member>,
    /// The members so far, and those with entries, as sums of their bits.
    seen: u8,
    used: u8,
    error: Option<ListError>,
}

impl Parsing {
    /// Why reading was refused.
    fn error(&self) -> ListError {
        let of_member = || self.member.map(|member| ListError::BadEntry(member.name()));
        self.error.or_else(of_member).unwrap_or(ListError::NotAList)
    }

    fn refuse(&mut self, error: ListError) -> Refused {
        self.error = Some(error);
        Refused
    }

    fn add(&mut self, member: Member, text: &str, before: UnixTime) -> Result<(), Refused> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(self.refuse(ListError::TooManyEntries));
        }
        self.used |= member.bit();
        self.entries.push(Entry {
            digest: IdDigest::new(member, text),
            before,
        });
        Ok(())
    }

    /// The entries in order, each once.
    fn into_entries(mut self) -> Result<Box<[Entry]>, ListError> {
        if self.seen == 0 {
            return Err(ListError::NotAList);
        }
        order::sort(&mut self.entries, |one, other| {
            one.digest.cmp(&other.digest)
        });
        let subject = Member::Subject.name();
        let mut is_named_twice = false;
        self.entries.dedup_by(|one, other| {
            let is_same = one.digest == other.digest;
            is_named_twice |= is_same && one.before != ALWAYS;
            is_same
        });
        if is_named_twice {
            return Err(ListError::Duplicate(subject));
        }
        Ok(self.entries.into_boxed_slice())
    }
}

impl FlatReader for Parsing {
    fn member(&mut self, name: &str) -> Result<Option<FlatType>, Refused> {
        self.member = Member::ALL.into_iter().find(|member| member.name() == name);
        let Some(member) = self.member else {
            return Ok(None);
        };
        if self.seen & member.bit() != 0 {
            return Err(self.refuse(ListError::Duplicate(member.name())));
        }
        self.seen |= member.bit();
        Ok(Some(match member {
            Member::TokenId | Member::SessionId => FlatType::List,
            Member::Subject => FlatType::Table,
        }))
    }

    fn string(&mut self, text: &str) -> Result<(), Refused> {
        let member = self.member.ok_or(Refused)?;
        self.add(member, text, ALWAYS)
    }

    fn number(&mut self, name: &str, number: &str) -> Result<(), Refused> {
        let member = self.member.ok_or(Refused)?;
        let before = UnixTime::from_numeric_date(number).ok_or(Refused)?;
        self.add(member, name, before)
    }
}
