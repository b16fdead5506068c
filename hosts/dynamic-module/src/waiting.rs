//! The requests of one worker that wait for a decision, or for their own hook.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::alarm::Alarm;
use edge_authz::cors::ResponseCors;
use edge_authz::engine::{Answer, StreamId};
use edge_authz::host::Stream;

/// The waiting requests. The judge bounds their number.
#[derive(Default)]
pub(crate) struct Waiting {
    requests: RefCell<BTreeMap<StreamId, Waiter>>,
    /// The request whose alarm the worker uses.
    alarmed: Cell<Option<StreamId>>,
}

struct Waiter {
    /// `None` if another judge decides about the request too.
    stream: Option<Rc<Stream>>,
    alarm: Arc<Alarm>,
    /// The decision, which the request's own hook applies.
    decided: Option<Box<Answer>>,
}

impl Waiting {
    /// Adds a request. `stream` gets the CORS headers of the decision before the
    /// request's own hook applies it. Returns false if that is not possible.
    pub(crate) fn insert(&self, id: StreamId, stream: Option<&Rc<Stream>>, alarm: Alarm) -> bool {
        let Ok(mut requests) = self.requests.try_borrow_mut() else {
            return false;
        };
        let waiter = Waiter {
            stream: stream.cloned(),
            alarm: Arc::new(alarm),
            decided: None,
        };
        requests.insert(id, waiter);
        true
    }

    /// Whether this request or its decision waits.
    pub(crate) fn contains(&self, id: StreamId) -> bool {
        let requests = self.requests.try_borrow();
        requests.is_ok_and(|requests| requests.contains_key(&id))
    }

    /// The requests, in order of their ids.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        let requests = self.requests.try_borrow();
        requests.map_or_else(
            |_| Vec::new(),
            |requests| requests.keys().copied().collect(),
        )
    }

    /// Removes a request, if it waits.
    pub(crate) fn remove(&self, id: StreamId) {
        if let Ok(mut requests) = self.requests.try_borrow_mut() {
            requests.remove(&id);
        }
    }

    /// Calls `then` with the alarm of the first request, or with `None` if none waits,
    /// unless the last call had the same one.
    pub(crate) fn if_alarm_changed(&self, then: impl FnOnce(Option<Arc<Alarm>>)) {
        let Ok(requests) = self.requests.try_borrow() else {
            return;
        };
        let first = requests.first_key_value();
        let id = first.map(|(id, _)| *id);
        if self.alarmed.replace(id) == id {
            return;
        }
        let alarm = first.map(|(_, waiter)| Arc::clone(&waiter.alarm));
        drop(requests);
        then(alarm);
    }

    /// Notes that the alarm of this request has fired.
    pub(crate) fn fired(&self, id: StreamId) {
        if let Ok(requests) = self.requests.try_borrow()
            && let Some(waiter) = requests.get(&id)
        {
            waiter.alarm.fired();
        }
    }

    /// Requests a tick at once, in the hook of the first request.
    pub(crate) fn request_tick(&self) {
        if let Ok(requests) = self.requests.try_borrow()
            && let Some((_, waiter)) = requests.first_key_value()
        {
            waiter.alarm.request_tick();
        }
    }

    /// Keeps a decision for the request's own hook. It is dropped if the client has
    /// disconnected.
    pub(crate) fn decide(&self, answer: Box<Answer>) {
        if let Ok(mut requests) = self.requests.try_borrow_mut()
            && let Some(waiter) = requests.get_mut(&answer.stream)
        {
            if let Some(stream) = &waiter.stream {
                stream.set_cors(answer.facts.cors.clone());
            }
            waiter.decided = Some(answer);
            waiter.alarm.notify();
        }
    }

    /// Removes a request that is decided, and returns the decision.
    pub(crate) fn take_decided(&self, id: StreamId) -> Option<Box<Answer>> {
        let mut requests = self.requests.try_borrow_mut().ok()?;
        requests.get(&id)?.decided.as_ref()?;
        requests.remove(&id)?.decided
    }

    /// The CORS headers of a decision that waits for the request's own hook.
    pub(crate) fn cors_of_decided(&self, id: StreamId) -> Option<ResponseCors> {
        let requests = self.requests.try_borrow().ok()?;
        let decided = requests.get(&id)?.decided.as_ref()?;
        decided.facts.cors.clone()
    }
}
