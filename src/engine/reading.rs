//! Key sets that are read within the memory that there is.

use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeyOrigin, KeySet, KeySetError, MAX_KEY_SET_BYTES, ParsedKeySet, memory_needed};
use crate::keys::answer::{AnswerHead, Ending};
use crate::memory::{Need, has_room};
use crate::telemetry::FetchFailure;

/// Reads the key sets of one source, each only where there is memory for it:
/// a module that runs out of it ends the filter of every listener.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// Where the source's sets lie, which no other source's do.
    pub(super) place: &'a str,
    /// The set whose place another is to take.
    pub(super) former: Option<&'a KeySet>,
    /// What stays free, in bytes.
    pub(super) spare: usize,
}

/// A set that was read, and what it is found by in other listeners.
pub(super) struct Read {
    pub(super) set: ParsedKeySet,
    pub(super) label: Label,
}

/// Why a set was not read.
pub(super) enum Unread {
    /// There is no memory for it, or other sets have all that there is for them.
    NoMemory,
    Bad(KeySetError),
}

impl Reader<'_> {
    /// Whether a document of so many bytes can be copied. Larger ones are refused
    /// anyway.
    pub(super) fn may_copy(&self, size: usize) -> bool {
        let size = size.min(MAX_KEY_SET_BYTES);
        has_room(Need::block(size).and(self.spare))
    }

    /// The body of an answer.
    pub(super) fn body(
        &self,
        head: &AnswerHead,
        copy: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, FetchFailure> {
        if head.ending == Ending::Status(200) && !self.may_copy(head.body_size) {
            return Err(FetchFailure::NoMemory);
        }
        head.body(copy)
    }

    /// Reads a document; one that is in use, in whatever listener, is not parsed
    /// again.
    pub(super) fn read(&self, document: &[u8]) -> Result<Read, Unread> {
        if document.len() > MAX_KEY_SET_BYTES {
            return Err(Unread::Bad(KeySetError::TooLarge));
        }
        let label = Label::new(self.place, document);
        if let Some(set) = shelf::find(&label) {
            return Ok(Read { set, label });
        }
        if !has_room(memory_needed(document.len()).and(self.spare)) {
            return Err(Unread::NoMemory);
        }
        let set = KeySet::parse(document, KeyOrigin::Fetched).map_err(Unread::Bad)?;
        if shelf::has_room(&set.set, self.former) {
            Ok(Read { set, label })
        } else {
            Err(Unread::NoMemory)
        }
    }
}

impl From<Unread> for FetchFailure {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NoMemory => Self::NoMemory,
            Unread::Bad(error) => Self::KeySet(error),
        }
    }
}
