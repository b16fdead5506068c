//! Whether the process can decide requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::service::Active;

/// Whether the process can decide requests. It becomes ready once, so that an issuer that
/// fails later, or that an update adds, does not stop a process that still decides most
/// requests.
#[derive(Debug)]
pub struct Readiness {
    active: Arc<Active>,
    has_been_ready: AtomicBool,
    is_stopping: AtomicBool,
}

impl Readiness {
    /// Becomes ready once the current configuration has all its documents, or at once if it
    /// need not wait for them.
    #[must_use]
    pub const fn new(active: Arc<Active>, at_once: bool) -> Self {
        Self {
            active,
            has_been_ready: AtomicBool::new(at_once),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Reports that the process stops.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the process is ready; otherwise the reason.
    ///
    /// # Errors
    ///
    /// The reason, for people.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err("stopping");
        }
        if self.has_been_ready.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !self.active.latest().has_all_documents() {
            return Err("waiting for keys");
        }
        self.has_been_ready.store(true, Ordering::Relaxed);
        Ok(())
    }
}
