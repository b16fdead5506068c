//! The requests of one worker that wait for a decision.

use std::cell::RefCell;
use std::collections::BTreeMap;

use edge_authz::engine::{Answer, StreamId};
use tokio::sync::oneshot;

/// The waiting requests. The judge bounds their number.
#[derive(Debug, Default)]
pub(super) struct Waiting(RefCell<BTreeMap<StreamId, oneshot::Sender<Box<Answer>>>>);

impl Waiting {
    /// Adds a request. Its decision arrives through the returned channel. `None` if that is
    /// not possible.
    pub(super) fn insert(&self, id: StreamId) -> Option<oneshot::Receiver<Box<Answer>>> {
        let mut requests = self.0.try_borrow_mut().ok()?;
        let (sender, receiver) = oneshot::channel();
        requests.insert(id, sender);
        Some(receiver)
    }

    /// Removes a request. Returns whether it was undecided.
    pub(super) fn remove(&self, id: StreamId) -> bool {
        let requests = self.0.try_borrow_mut();
        requests.is_ok_and(|mut requests| requests.remove(&id).is_some())
    }

    /// Passes a decision to its request. It is dropped if the client has left.
    pub(super) fn decide(&self, answer: Box<Answer>) {
        let sender = self.0.try_borrow_mut().ok();
        let sender = sender.and_then(|mut requests| requests.remove(&answer.stream));
        if let Some(sender) = sender {
            // The request's future may have been dropped.
            let _ = sender.send(answer);
        }
    }

    /// The requests, in order of their ids.
    pub(super) fn ids(&self) -> Vec<StreamId> {
        let requests = self.0.try_borrow();
        requests.map_or_else(
            |_| Vec::new(),
            |requests| requests.keys().copied().collect(),
        )
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0
            .try_borrow()
            .is_ok_and(|requests| requests.is_empty())
    }
}
