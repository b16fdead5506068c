//! Reads documents within the available memory.

use super::document::{Document, DocumentKind, ParsedDocument};
use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeyOrigin, KeySet, KeySetError, memory_needed};
use crate::keys::answer::{AnswerHead, Ending};
use crate::memory::{Need, has_room};
use crate::telemetry::FetchFailure;

/// Reads the documents of one source, each only if enough memory is available. If the
/// module ran out of memory, every listener would lose its filter.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The kind of the documents, which selects the parser.
    pub(super) kind: DocumentKind,
    /// The name of the document's entry in the shared data. It is unique to the source.
    pub(super) entry: &'a str,
    /// The document that the new one replaces.
    pub(super) former: Option<&'a Document>,
    /// The memory that must remain free, in bytes.
    pub(super) spare: usize,
}

/// Why a document was not read.
pub(super) enum Unread {
    /// Not enough memory is available, or the share of such documents is used up.
    NoMemory,
    /// It is not a valid document of its kind.
    Bad(FetchFailure),
}

impl Reader<'_> {
    /// Whether a document of this size, in bytes, can be copied. A document above the
    /// limit of its kind is refused later.
    pub(super) fn may_copy(&self, size: usize) -> bool {
        let size = size.min(self.kind.max_bytes());
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

    /// Parses a document with the parser of its kind.
    pub(super) fn read(&self, document: &[u8]) -> Result<ParsedDocument, Unread> {
        match self.kind {
            DocumentKind::KeySet => self.key_set(document),
        }
    }

    /// Parses a key set. A set that another listener of this worker uses is not parsed
    /// again.
    fn key_set(&self, document: &[u8]) -> Result<ParsedDocument, Unread> {
        if document.len() > self.kind.max_bytes() {
            return Err(KeySetError::TooLarge.into());
        }
        let label = Label::new(self.entry, document);
        if let Some(set) = shelf::find(&label) {
            return Ok(ParsedDocument::Keys(set, label));
        }
        if !has_room(memory_needed(document.len()).and(self.spare)) {
            return Err(Unread::NoMemory);
        }
        let parsed = KeySet::parse(document, KeyOrigin::Fetched)?;
        if shelf::has_room(&parsed.set, self.former.map(Document::keys)) {
            Ok(ParsedDocument::Keys(parsed, label))
        } else {
            Err(Unread::NoMemory)
        }
    }
}

impl From<KeySetError> for Unread {
    fn from(error: KeySetError) -> Self {
        Self::Bad(FetchFailure::KeySet(error))
    }
}

impl From<Unread> for FetchFailure {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NoMemory => Self::NoMemory,
            Unread::Bad(failure) => failure,
        }
    }
}
