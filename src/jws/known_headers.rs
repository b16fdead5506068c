//! A cache of the headers that many tokens have in common.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Header;

/// The headers of recently verified tokens. Later tokens with the same header
/// need no parsing: an issuer's headers stay the same until its key changes.
///
/// A header is found only if its text is the same, byte for byte, and it holds
/// nothing that is not in the text. Only a verified token can add or displace one.
#[derive(Debug, Default)]
pub struct KnownHeaders {
    /// The most recently used one is last.
    known: VecDeque<Arc<Header>>,
}

impl KnownHeaders {
    /// The maximum number of headers. A token with another header costs a comparison with
    /// all of them.
    const MAX_HEADERS: usize = 8;
    /// The maximum length of a cached header, in bytes.
    const MAX_LENGTH: usize = 1024;

    /// Adds the header of a token that was verified.
    pub fn remember(&mut self, header: &Arc<Header>) {
        // A header that came from this cache is found without comparing texts.
        let is_here = |known: &Arc<Header>| Arc::ptr_eq(known, header);
        if self.known.iter().any(is_here)
            || header.text().len() > Self::MAX_LENGTH
            || self.get(header.text()).is_some()
        {
            return;
        }
        if self.known.len() >= Self::MAX_HEADERS {
            self.known.pop_front();
        }
        self.known.push_back(Arc::clone(header));
    }

    /// The header with this text, which is the first part of a token as
    /// received.
    pub(super) fn get(&self, text: &[u8]) -> Option<&Arc<Header>> {
        self.known.iter().find(|header| header.text() == text)
    }
}
