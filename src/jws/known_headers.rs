//! The headers that many tokens have in common.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Header;

/// Headers of tokens that verified lately, so that those of the next tokens
/// need not be read again: an issuer's are the same until its key changes.
///
/// A header is taken for a known one only if its text is the same, byte for
/// byte, and says nothing that the text does not. Whoever has no key cannot put
/// one in here, nor push one out.
#[derive(Debug, Default)]
pub struct KnownHeaders {
    /// The one that came last is the last.
    known: VecDeque<Arc<Header>>,
}

impl KnownHeaders {
    /// Each token of another header costs a comparison with all of them.
    const MOST: usize = 8;
    /// Longer ones are not worth it, in bytes.
    const LONGEST: usize = 1024;

    /// Remembers the header of a token that has verified.
    pub fn remember(&mut self, header: &Arc<Header>) {
        // One that was taken from here is found without a comparison.
        let is_here = |known: &Arc<Header>| Arc::ptr_eq(known, header);
        if self.known.iter().any(is_here)
            || header.text().len() > Self::LONGEST
            || self.get(header.text()).is_some()
        {
            return;
        }
        if self.known.len() >= Self::MOST {
            self.known.pop_front();
        }
        self.known.push_back(Arc::clone(header));
    }

    /// The header of this text, the first part of a token as it was received.
    pub(super) fn get(&self, text: &[u8]) -> Option<&Arc<Header>> {
        self.known.iter().find(|header| header.text() == text)
    }
}
