//! Decides requests, whichever front end brings them.
//!
//! A [`Document`] is one active configuration with its keys, for all threads. [`Active`]
//! contains the current one. Each thread has a [`Service`], which all front ends of the
//! thread use; its requests are judged and wait in this thread.

mod active;
mod collector;
mod decision;
mod document;
mod keys;
mod outcome;
mod panics;
mod question;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;
mod worker;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

pub use active::Active;
pub use decision::Decision;
pub use document::Document;
pub use keys::{Answered, Issuers, Keys};
pub use outcome::{Forwarded, Outcome, Replied};
pub(crate) use panics::Panicked;
pub use question::{Certificate, Question};
use worker::Worker;

use crate::observation::{Log, Registry};

/// Decides the requests of one thread. Clones share everything.
#[derive(Clone, Debug)]
pub struct Service(Rc<OfThread>);

#[derive(Debug)]
struct OfThread {
    active: Arc<Active>,
    /// The index of the thread.
    thread: usize,
    registry: Arc<Registry>,
    log: Arc<Log>,
    worker: RefCell<Rc<Worker>>,
}

impl Service {
    /// Creates the service of the thread with this index. It must be called in a
    /// [`tokio::task::LocalSet`] of the thread, which runs as long as the service is used.
    #[must_use]
    pub fn new(
        active: &Arc<Active>,
        thread: usize,
        registry: &Arc<Registry>,
        log: &Arc<Log>,
    ) -> Self {
        let document = active.latest();
        let worker = Worker::start(document, thread, registry, log);
        let service = Self(Rc::new(OfThread {
            active: Arc::clone(active),
            thread,
            registry: Arc::clone(registry),
            log: Arc::clone(log),
            worker: RefCell::new(worker),
        }));
        let of_thread = Rc::downgrade(&service.0);
        // An idle thread must not keep an old configuration.
        let mut changes = active.changes();
        tokio::task::spawn_local(async move {
            while changes.changed().await.is_ok() {
                let Some(of_thread) = of_thread.upgrade() else {
                    return;
                };
                of_thread.worker();
            }
        });
        service
    }

    /// Decides a request. If the future is dropped, the request's place among the waiting
    /// ones is free again.
    ///
    /// A panic while the request is judged ends this request with a refusal.
    pub async fn decide(&self, question: Question) -> Outcome {
        let worker = self.0.worker();
        let judged = self.caught(worker.decide(question)).await;
        judged.unwrap_or_else(|Panicked| worker.failed())
    }

    /// Drives a future, and catches and counts its panics.
    ///
    /// # Errors
    ///
    /// The future has panicked.
    pub(crate) fn caught<T>(
        &self,
        future: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, Panicked>> {
        let driven = panics::caught(future);
        async {
            let ended = driven.await;
            ended.inspect_err(|Panicked| self.0.registry.count_panic())
        }
    }

    /// Calls a function, and catches and counts its panics.
    ///
    /// # Errors
    ///
    /// The function has panicked.
    pub(crate) fn caught_in<T>(&self, function: impl FnOnce() -> T) -> Result<T, Panicked> {
        let called = panics::caught_in(function);
        called.inspect_err(|Panicked| self.0.registry.count_panic())
    }

    /// Counts a request of a proxy that does not contain the client's request.
    pub fn count_misuse(&self) {
        self.0.registry.count_misuse();
    }

    /// The refusal of a request that a front end cannot read, or whose decision it cannot
    /// pass on.
    #[must_use]
    pub fn refusal(&self) -> Outcome {
        self.0.worker().failed()
    }

    /// The log of the process.
    #[must_use]
    pub fn log(&self) -> &Arc<Log> {
        &self.0.log
    }
}

impl OfThread {
    /// The worker of the current document.
    fn worker(&self) -> Rc<Worker> {
        let mut worker = self.worker.borrow_mut();
        if worker.document().number() != self.active.number() {
            let document = self.active.latest();
            *worker = Worker::start(document, self.thread, &self.registry, &self.log);
        }
        Rc::clone(&worker)
    }
}
