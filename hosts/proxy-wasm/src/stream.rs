//! One request, from its headers to its end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::deny::refuse;
use super::host::{self, HostError, Map};
use edge_authz::authz::Forward;
use edge_authz::cors::ResponseCors;
use edge_authz::engine::{self, Answer, StreamId};
use edge_authz::http::{HeaderEdit, LocalReply};
use edge_authz::policy::{IdentityHeaders, Policy};
use edge_authz::telemetry::{FilterState, Reason};

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is not decided: nothing of it goes on.
    Pending,
    /// It has gone on to the upstream. Its head is never read again.
    Forwarded,
    /// It was answered here.
    Answered,
}

/// A request's state, shared by its own context and, while it waits, by the
/// listener that decides about it later.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) state: Cell<State>,
    /// Trailers have come while it was pending.
    pub(super) has_trailers: Cell<bool>,
    cors: RefCell<Option<ResponseCors>>,
}

/// Where a decision is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// In the callback that brought the request's headers, which goes on by
    /// what it returns.
    Headers,
    /// Later, from the root context: the request has to be resumed.
    Later,
}

impl Stream {
    pub(super) fn new(id: StreamId) -> Rc<Self> {
        Rc::new(Self {
            id,
            state: Cell::new(State::Pending),
            has_trailers: Cell::new(false),
            cors: RefCell::default(),
        })
    }

    pub(super) fn is_pending(&self) -> bool {
        self.state.get() == State::Pending
    }

    /// Does what was decided, and returns why the request ended as it did: a
    /// change that the host refuses makes of any decision a refusal.
    pub(super) fn apply(
        &self,
        answer: &Answer,
        at: At,
        policy: &Policy,
        failure: &LocalReply,
    ) -> Reason {
        self.set_cors(answer.cors.clone());
        let forward = match &answer.action {
            engine::Action::Forward(forward) => forward,
            engine::Action::Reply(reply) => {
                // The answer does not depend on what is told of it.
                let _ = publish(&policy.filter_state, answer, answer.reason, None);
                self.answer(reply);
                return answer.reason;
            }
        };
        if self.forward(answer, forward, at, policy).is_ok() {
            return answer.reason;
        }
        let _ = publish(&policy.filter_state, answer, Reason::InternalError, None);
        self.answer(failure);
        Reason::InternalError
    }

    /// The one place from which a request goes on.
    fn forward(
        &self,
        answer: &Answer,
        forward: &Forward,
        at: At,
        policy: &Policy,
    ) -> Result<(), HostError> {
        edit(Map::RequestHeaders, &forward.edits)?;
        if self.has_trailers.get() {
            strip_trailers(&policy.upstream)?;
        }
        let subject = forward.subject.as_deref();
        publish(&policy.filter_state, answer, answer.reason, subject)?;
        if at == At::Later {
            host::continue_request()?;
        }
        self.state.set(State::Forwarded);
        Ok(())
    }

    /// Answers the request here.
    pub(super) fn answer(&self, reply: &LocalReply) {
        self.state.set(State::Answered);
        refuse(reply);
    }

    pub(super) fn set_cors(&self, of_answer: Option<ResponseCors>) {
        if let Ok(mut cors) = self.cors.try_borrow_mut() {
            *cors = of_answer;
        }
    }

    /// Gives a response its CORS headers.
    pub(super) fn decorate(&self, own: bool) -> Result<(), HostError> {
        let cors = self.cors.try_borrow().map_err(|_| HostError::NotAsked)?;
        let Some(cors) = &*cors else {
            return Ok(());
        };
        let response = host::headers(Map::ResponseHeaders)?;
        edit(Map::ResponseHeaders, &cors.apply(response.iter(), own))
    }
}

/// Changes header fields, up to the first change that the host refuses.
fn edit(map: Map, edits: &[HeaderEdit<'_>]) -> Result<(), HostError> {
    edits.iter().try_for_each(|edit| match edit {
        HeaderEdit::Remove(name) => host::remove_header(map, name),
        HeaderEdit::Set(name, value) => host::set_header(map, name, value),
        HeaderEdit::Add(name, value) => host::add_header(map, name, value),
    })
}

/// Removes the client's copies of the headers that the filter may set, and of
/// those that it judges, from the request's trailers: some upstreams merge them
/// into the headers.
pub(super) fn strip_trailers(upstream: &IdentityHeaders) -> Result<(), HostError> {
    let trailers = host::headers(Map::RequestTrailers)?;
    let names = trailers.iter().map(|(name, _)| name);
    for name in names.filter(|name| upstream.removes_trailer(name)) {
        host::remove_header(Map::RequestTrailers, name)?;
    }
    Ok(())
}

/// Tells access logs and other filters what they are to learn of the request.
/// Access logs do not escape it, and nothing of it has a control character: not
/// the configured texts, and a subject that has one is left out.
fn publish(
    entries: &[FilterState],
    answer: &Answer,
    reason: Reason,
    subject: Option<&str>,
) -> Result<(), HostError> {
    for entry in entries {
        let value = match entry {
            FilterState::Subject => subject,
            FilterState::Issuer => answer.issuer.as_deref(),
            FilterState::Provider => answer.provider.as_deref(),
            FilterState::Route => answer.route.as_deref(),
            FilterState::Reason => Some(reason.name()),
        };
        if let Some(value) = value {
            host::set_filter_state(entry.name(), value)?;
        }
    }
    Ok(())
}
