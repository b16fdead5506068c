//! The current configuration of the process.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use edge_authz_native::locked;
use tokio::sync::watch;

use super::Document;

/// The current document, for all threads.
#[derive(Debug)]
pub struct Active {
    /// The number of the current document.
    number: AtomicU64,
    latest: Mutex<Arc<Document>>,
    changes: watch::Sender<u64>,
}

impl Active {
    /// Starts with this document.
    #[must_use]
    pub fn new(document: Arc<Document>) -> Self {
        Self {
            number: AtomicU64::new(document.number()),
            changes: watch::Sender::new(document.number()),
            latest: Mutex::new(document),
        }
    }

    /// Replaces the current document. Requests that wait in the former one are decided
    /// there, at their deadline at the latest.
    pub fn replace(&self, document: Arc<Document>) {
        let number = document.number();
        let former = std::mem::replace(&mut *locked(&self.latest), document);
        self.number.store(number, Ordering::Release);
        self.changes.send_replace(number);
        former.retire();
    }

    /// The current document.
    #[must_use]
    pub fn latest(&self) -> Arc<Document> {
        Arc::clone(&locked(&self.latest))
    }

    /// The number of the current document.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Reports each replacement.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
