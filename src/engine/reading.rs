//! Reads documents within the available memory.

use std::sync::Arc;

use super::document::{Document, ParsedDocument, max_bytes};
use crate::jwk::{self, KeyOrigin, KeySet, KeySetError};
use crate::keys::answer::{AnswerHead, Ending};
use crate::memory::{Label, Need, has_room};
use crate::revocation::{self, ListError, RevocationList};
use crate::telemetry::{DocumentKind, FetchFailure};

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
        let size = size.min(max_bytes(self.kind));
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
        head.body(copy, max_bytes(self.kind))
    }

    /// Parses a fetched document with the parser of its kind. Returns it with the form in
    /// which workers share it.
    pub(super) fn read(
        &self,
        head: &AnswerHead,
        document: Vec<u8>,
    ) -> Result<(ParsedDocument, Vec<u8>), Unread> {
        match self.kind {
            DocumentKind::KeySet => self.key_set(&document).map(|parsed| (parsed, document)),
            DocumentKind::RevocationList => {
                let needed = revocation::memory_needed(document.len());
                if !has_room(needed.and(self.spare)) {
                    return Err(Unread::NoMemory);
                }
                let list = RevocationList::parse(&document, head.etag.as_deref())?;
                drop(document);
                let shared = list.encode();
                self.list(list).map(|parsed| (parsed, shared))
            }
        }
    }

    /// Parses a document that another worker has shared.
    pub(super) fn read_shared(&self, document: &[u8]) -> Result<ParsedDocument, Unread> {
        match self.kind {
            DocumentKind::KeySet => self.key_set(document),
            DocumentKind::RevocationList => {
                if !has_room(Need::block(document.len()).and(self.spare)) {
                    return Err(Unread::NoMemory);
                }
                let list = RevocationList::decode(document);
                self.list(list.ok_or(ListError::NotAList)?)
            }
        }
    }

    /// The list that another listener of this worker has read under this version.
    pub(super) fn find_list(&self, version: u64) -> Option<ParsedDocument> {
        if self.kind != DocumentKind::RevocationList {
            return None;
        }
        let list = revocation::shelf::find(&self.label(version))?;
        Some(ParsedDocument::List(list))
    }

    /// Shares a list with the other listeners of this worker.
    pub(super) fn share(&self, parsed: ParsedDocument, version: u64) -> ParsedDocument {
        match parsed {
            ParsedDocument::List(list) => {
                let label = self.label(version);
                ParsedDocument::List(revocation::shelf::put(label, list))
            }
            keys @ ParsedDocument::Keys(..) => keys,
        }
    }

    /// The label of a list. No two fetched lists have the same version.
    fn label(&self, version: u64) -> Label {
        Label::new(self.entry, &version.to_le_bytes())
    }

    fn list(&self, list: RevocationList) -> Result<ParsedDocument, Unread> {
        let former = self.former.and_then(Document::list);
        if revocation::shelf::has_room(&list, former) {
            Ok(ParsedDocument::List(Arc::new(list)))
        } else {
            Err(Unread::NoMemory)
        }
    }

    /// Parses a key set. A set that another listener of this worker uses is not parsed
    /// again.
    fn key_set(&self, document: &[u8]) -> Result<ParsedDocument, Unread> {
        if document.len() > max_bytes(self.kind) {
            return Err(KeySetError::TooLarge.into());
        }
        let label = Label::new(self.entry, document);
        if let Some(set) = jwk::shelf::find(&label) {
            return Ok(ParsedDocument::Keys(set, label));
        }
        if !has_room(jwk::memory_needed(document.len()).and(self.spare)) {
            return Err(Unread::NoMemory);
        }
        let parsed = KeySet::parse(document, KeyOrigin::Fetched)?;
        let former = self.former.and_then(Document::keys);
        if jwk::shelf::has_room(&parsed.set, former) {
            Ok(ParsedDocument::Keys(parsed, label))
        } else {
            Err(Unread::NoMemory)
        }
    }
}

impl From<ListError> for Unread {
    fn from(error: ListError) -> Self {
        Self::Bad(FetchFailure::RevocationList(error))
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
