//! The task that keeps the keys of a document.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use edge_authz::engine::{Effect, FetchCall};
use edge_authz::keys::answer::AnswerHead;
use tokio::{task, time};

use super::Document;
use super::panics::{Panicked, caught_in};
use crate::observation::{Log, Registry};

/// The answer to a fetch.
#[derive(Debug, Default)]
pub struct Answered {
    /// Its head, or why there is none.
    pub head: AnswerHead,
    /// Its body, if it is not larger than the caller allows.
    pub body: Option<Vec<u8>>,
}

/// Sends requests to issuers.
pub trait Issuers {
    /// Sends a request, and returns its answer within the time limit of the request.
    fn fetch(&self, call: &FetchCall) -> impl Future<Output = Answered>;
}

/// The longest pause between two ticks. It bounds the time for which an unused document stays
/// in memory.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Keeps the keys of documents.
#[derive(Debug)]
pub struct Keys<I>(Rc<Shared<I>>);

#[derive(Debug)]
struct Shared<I> {
    issuers: I,
    registry: Arc<Registry>,
    log: Arc<Log>,
}

impl<I: Issuers + 'static> Keys<I> {
    /// Fetches keys from these issuers.
    #[must_use]
    pub fn new(issuers: I, registry: Arc<Registry>, log: Arc<Log>) -> Self {
        Self(Rc::new(Shared {
            issuers,
            registry,
            log,
        }))
    }

    /// Keeps the keys of a document as long as a thread uses it. When this returns, it has
    /// the keys that the process already had. It must be called in a [`task::LocalSet`].
    pub fn keep(&self, document: &Arc<Document>) {
        self.0.apply(document, document.start());
        let shared = Rc::clone(&self.0);
        task::spawn_local(shared.tick(Arc::downgrade(document)));
    }
}

impl<I: Issuers + 'static> Shared<I> {
    /// The ticks of a document. They end when nothing uses it any more.
    async fn tick(self: Rc<Self>, document: Weak<Document>) {
        while let Some(document) = document.upgrade() {
            // After a panic, the next tick tries again.
            let _ = self.caught(|| self.apply(&document, document.tick()));
            let pause = document.next_tick().min(MAX_PAUSE);
            // Either way it is time for a tick.
            let _ = time::timeout(pause, document.keys_woken()).await;
        }
    }

    /// Applies the effects of the key service, and publishes its snapshot.
    fn apply(self: &Rc<Self>, document: &Arc<Document>, effects: Vec<Effect>) {
        document.publish();
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Fetch(call) => {
                    let fetched = Rc::clone(self).fetch(Arc::downgrade(document), *call);
                    task::spawn_local(fetched);
                }
                Effect::Measure(measurement) => {
                    // The gauges belong to the active document.
                    if !document.is_retired() {
                        self.registry.measure(measurement);
                    }
                }
                Effect::Log(event) => self.log.write(event.level(), &event.to_string()),
                // The service decides no requests.
                Effect::Answer(_) => {}
            }
        }
    }

    /// Sends a request to an issuer and reports its end. There is at most one for each source
    /// of the document.
    async fn fetch(self: Rc<Self>, document: Weak<Document>, call: FetchCall) {
        let mut answered = self.issuers.fetch(&call).await;
        while let Some(document) = document.upgrade() {
            let Answered { head, body } = &answered;
            let handled = self.caught(|| {
                let effects = document.fetched(call.id, head, &|| body.clone());
                self.apply(&document, effects);
            });
            if handled.is_ok() {
                return;
            }
            // An answer whose handling panics is none. The source is not fetched again before
            // the end of this fetch is known.
            answered = Answered::default();
            drop(document);
            time::sleep(MAX_PAUSE).await;
        }
    }

    /// Calls a function, and catches and counts its panics.
    fn caught(&self, function: impl FnOnce()) -> Result<(), Panicked> {
        let called = caught_in(function);
        called.inspect_err(|Panicked| self.registry.count_panic())
    }
}
