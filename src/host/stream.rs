//! One request, from its headers to its end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::{HeaderList, HostError, HttpExchange};
use crate::authz::Forward;
use crate::cors::ResponseCors;
use crate::engine::{Action, Answer, StreamId};
use crate::http::{HeaderEdit, LocalReply};
use crate::policy::{IdentityHeaders, Policy};
use crate::telemetry::{FilterState, Reason};

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is not decided: nothing of it goes on.
    Pending,
    /// It has gone on to the upstream. Its head is never read again.
    Forwarded,
    /// It was answered here.
    Answered,
}

/// What the host does with the part of a request or response that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It goes on.
    Continue,
    /// It stays where it is.
    Pause,
}

/// Where a decision is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In the callback that brought the request's headers, which goes on by
    /// what it returns.
    Headers,
    /// Later: the request has to be resumed.
    Later,
}

/// A request's state, shared by its own callbacks and, while it waits, by whoever
/// decides about it later.
#[derive(Debug)]
pub struct Stream {
    id: StreamId,
    state: Cell<State>,
    /// Trailers have come while it was pending.
    has_trailers: Cell<bool>,
    cors: RefCell<Option<ResponseCors>>,
}

impl Stream {
    /// A request of which nothing has come yet. The host names it: a later one has
    /// a larger number.
    #[must_use]
    pub fn new(id: StreamId) -> Rc<Self> {
        Rc::new(Self {
            id,
            state: Cell::new(State::Pending),
            has_trailers: Cell::new(false),
            cors: RefCell::default(),
        })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> StreamId {
        self.id
    }

    /// What has become of it.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state.get()
    }

    /// Whether it is not decided.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state.get() == State::Pending
    }

    /// What the host does with the part of the request that has come: headers,
    /// body or trailers, after they were handed over.
    #[must_use]
    pub const fn passage(&self) -> Passage {
        match self.state.get() {
            State::Forwarded => Passage::Continue,
            State::Pending | State::Answered => Passage::Pause,
        }
    }

    /// Does what was decided, and returns why the request ended as it did: a
    /// change that the host refuses makes of any decision a refusal, which is
    /// answered with `failure`.
    pub fn apply(
        &self,
        exchange: &impl HttpExchange,
        answer: &Answer,
        at: At,
        policy: &Policy,
        failure: &LocalReply,
    ) -> Reason {
        self.set_cors(answer.facts.cors.clone());
        let forward = match &answer.action {
            Action::Forward(forward) => forward,
            Action::Reply(reply) => {
                // The answer does not depend on what is told of it.
                let _ = publish(exchange, &policy.filter_state, answer, answer.reason, None);
                self.answer(exchange, reply);
                return answer.reason;
            }
        };
        if self.forward(exchange, answer, forward, at, policy).is_ok() {
            return answer.reason;
        }
        let reason = Reason::InternalError;
        let _ = publish(exchange, &policy.filter_state, answer, reason, None);
        self.answer(exchange, failure);
        reason
    }

    /// The one place from which a request goes on.
    fn forward(
        &self,
        exchange: &impl HttpExchange,
        answer: &Answer,
        forward: &Forward,
        at: At,
        policy: &Policy,
    ) -> Result<(), HostError> {
        edit(exchange, HeaderList::Request, &forward.edits)?;
        if self.has_trailers.get() {
            strip_trailers(exchange, &policy.upstream)?;
        }
        let subject = forward.subject.as_deref();
        publish(
            exchange,
            &policy.filter_state,
            answer,
            answer.reason,
            subject,
        )?;
        if at == At::Later {
            exchange.resume()?;
        }
        self.state.set(State::Forwarded);
        Ok(())
    }

    /// Answers the request here.
    pub(super) fn answer(&self, exchange: &impl HttpExchange, reply: &LocalReply) {
        self.state.set(State::Answered);
        // The host may come back while it answers.
        let cors = self.cors.try_borrow().ok().and_then(|cors| cors.clone());
        refuse(exchange, reply, cors.as_ref());
    }

    /// The host has answered it by itself while it was pending: nothing is to be
    /// decided any more. `cors` is what its judge had found.
    pub fn overtaken(&self, cors: Option<ResponseCors>) {
        self.state.set(State::Answered);
        if cors.is_some() {
            self.set_cors(cors);
        }
    }

    /// What CORS does to the answer that the client gets, where it is known before the
    /// request is decided, as while a decision waits for its hook.
    pub fn set_cors(&self, of_answer: Option<ResponseCors>) {
        if let Ok(mut cors) = self.cors.try_borrow_mut() {
            *cors = of_answer;
        }
    }

    /// Trailers have come, with fields in them. Those of a request that has gone on
    /// lose what the upstream must not take from the client.
    ///
    /// # Errors
    ///
    /// The host failed: they must not go on.
    pub(super) fn trailers(
        &self,
        exchange: &impl HttpExchange,
        identity: &IdentityHeaders,
    ) -> Result<(), HostError> {
        match self.state.get() {
            State::Pending => {
                self.has_trailers.set(true);
                Ok(())
            }
            State::Forwarded => strip_trailers(exchange, identity),
            State::Answered => Ok(()),
        }
    }

    /// Gives a response its CORS headers.
    ///
    /// # Errors
    ///
    /// The host failed: some may be missing.
    pub(super) fn decorate(
        &self,
        exchange: &impl HttpExchange,
        own: bool,
    ) -> Result<(), HostError> {
        let cors = self.cors.try_borrow().map_err(|_| HostError::NotAsked)?;
        let Some(cors) = &*cors else {
            return Ok(());
        };
        let response = exchange.headers(HeaderList::Response)?;
        let edits = cors.apply(response.iter(), own);
        edit(exchange, HeaderList::Response, &edits)
    }
}

/// Answers a request here; where even that fails, ends its stream.
pub(super) fn refuse(
    exchange: &impl HttpExchange,
    reply: &LocalReply,
    cors: Option<&ResponseCors>,
) {
    if exchange.reply(reply, cors).is_err() {
        // Nothing more can be done: the request stays paused.
        let _ = exchange.reset();
    }
}

/// Changes header fields, up to the first change that the host refuses.
fn edit(
    exchange: &impl HttpExchange,
    list: HeaderList,
    edits: &[HeaderEdit<'_>],
) -> Result<(), HostError> {
    edits.iter().try_for_each(|edit| exchange.edit(list, edit))
}

/// Removes the client's copies of the headers that the filter may set, and of
/// those that it judges, from the request's trailers: some upstreams merge them
/// into the headers.
fn strip_trailers(
    exchange: &impl HttpExchange,
    identity: &IdentityHeaders,
) -> Result<(), HostError> {
    let trailers = exchange.headers(HeaderList::RequestTrailers)?;
    let names = trailers.iter().map(|(name, _)| name);
    for name in names.filter(|name| identity.removes_trailer(name)) {
        let removal = HeaderEdit::Remove(name.into());
        exchange.edit(HeaderList::RequestTrailers, &removal)?;
    }
    Ok(())
}

/// Tells access logs and other filters what they are to learn of the request.
/// Access logs do not escape it, and nothing of it has a control character: not
/// the configured texts, and a subject that has one is left out.
fn publish(
    exchange: &impl HttpExchange,
    entries: &[FilterState],
    answer: &Answer,
    reason: Reason,
    subject: Option<&str>,
) -> Result<(), HostError> {
    for entry in entries {
        let value = match entry {
            FilterState::Subject => subject,
            FilterState::Issuer => answer.facts.issuer.as_deref(),
            FilterState::Provider => answer.facts.provider.as_deref(),
            FilterState::Route => answer.facts.route.as_deref(),
            FilterState::Reason => Some(reason.name()),
        };
        if let Some(value) = value {
            exchange.set_filter_state(*entry, value)?;
        }
    }
    Ok(())
}
