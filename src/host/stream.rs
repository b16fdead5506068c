//! One request, from its headers to its end.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::active_policies::ActivePolicies;
use super::{HeaderList, HostError, HttpExchange};
use crate::authz::{Forward, ResponseNonce};
use crate::cors::ResponseCors;
use crate::engine::{Action, Answer, StreamId};
use crate::http::{HeaderEdit, LocalReply};
use crate::telemetry::{FilterState, Reason};

/// The state of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The request is not decided. No part of it continues.
    Pending,
    /// The request was forwarded to the upstream. Its head is never read again.
    Forwarded,
    /// The filter has answered the request.
    Answered,
}

/// What the host does with the current part of a request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// The part continues.
    Continue,
    /// The part is held back.
    Pause,
}

/// When a decision is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In the callback that brought the request's headers. The callback's return value
    /// lets the request continue.
    Headers,
    /// Later. The request has to be resumed.
    Later,
}

/// A request's state. Its own callbacks share it with the code that decides about it
/// later, while it waits.
#[derive(Debug)]
pub struct Stream {
    id: StreamId,
    state: Cell<State>,
    /// Whether trailers arrived while the request was pending.
    has_trailers: Cell<bool>,
    cors: RefCell<Option<ResponseCors>>,
    /// What happens to the nonce of the upstream's response.
    nonce: RefCell<Option<ResponseNonce>>,
}

impl Stream {
    /// Creates the state of a request of which no part has arrived yet. The host assigns
    /// the id: a later request has a larger one.
    #[must_use]
    pub fn new(id: StreamId) -> Rc<Self> {
        Rc::new(Self {
            id,
            state: Cell::new(State::Pending),
            has_trailers: Cell::new(false),
            cors: RefCell::default(),
            nonce: RefCell::default(),
        })
    }

    /// The id of the request.
    #[must_use]
    pub const fn id(&self) -> StreamId {
        self.id
    }

    /// The state of the request.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state.get()
    }

    /// Whether the request is undecided.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.state.get() == State::Pending
    }

    /// What the host does with the current part of the request: headers, body or
    /// trailers, after they were handled.
    #[must_use]
    pub const fn passage(&self) -> Passage {
        match self.state.get() {
            State::Forwarded => Passage::Continue,
            State::Pending | State::Answered => Passage::Pause,
        }
    }

    /// Applies the decision, and returns the reason for which the request ended. If the
    /// host refuses a change, any decision becomes a refusal, which is answered with
    /// `failure`.
    pub(super) fn apply(
        &self,
        exchange: &impl HttpExchange,
        answer: &Answer,
        at: At,
        policies: &ActivePolicies,
        failure: &LocalReply,
    ) -> Reason {
        self.set_cors(answer.facts.cors.clone());
        let forward = match &answer.action {
            Action::Forward(forward) => forward,
            Action::Reply(reply) => {
                // The answer does not depend on the filter state.
                let _ = publish(exchange, policies, answer, answer.reason, None);
                self.answer(exchange, reply);
                return answer.reason;
            }
        };
        if self
            .forward(exchange, answer, forward, at, policies)
            .is_ok()
        {
            return answer.reason;
        }
        let reason = Reason::InternalError;
        let _ = publish(exchange, policies, answer, reason, None);
        self.answer(exchange, failure);
        reason
    }

    /// Forwards a request. No other code does.
    fn forward(
        &self,
        exchange: &impl HttpExchange,
        answer: &Answer,
        forward: &Forward,
        at: At,
        policies: &ActivePolicies,
    ) -> Result<(), HostError> {
        edit(exchange, HeaderList::Request, &forward.edits)?;
        if self.has_trailers.get() {
            strip_trailers(exchange, policies)?;
        }
        let subject = forward.subject.as_deref();
        publish(exchange, policies, answer, answer.reason, subject)?;
        if let Ok(mut nonce) = self.nonce.try_borrow_mut() {
            nonce.clone_from(&answer.facts.nonce);
        }
        // Some hosts pass on the body and the trailers while they resume. If the request
        // cannot be resumed, the caller answers it.
        self.state.set(State::Forwarded);
        if at == At::Later {
            exchange.resume()?;
        }
        Ok(())
    }

    /// Answers the request.
    pub(super) fn answer(&self, exchange: &impl HttpExchange, reply: &LocalReply) {
        self.state.set(State::Answered);
        // The host may call back while it answers.
        let cors = self.cors.try_borrow().ok().and_then(|cors| cors.clone());
        refuse(exchange, reply, cors.as_ref());
    }

    /// Records that the host has answered the request by itself while it was pending, so
    /// nothing is left to decide. `cors` is what the judge has found for the request.
    pub fn overtaken(&self, cors: Option<ResponseCors>) {
        self.state.set(State::Answered);
        if cors.is_some() {
            self.set_cors(cors);
        }
    }

    /// Sets the CORS changes of the client's answer, if they are known before the request
    /// is decided, for example while a decision waits for its hook.
    pub fn set_cors(&self, of_answer: Option<ResponseCors>) {
        if let Ok(mut cors) = self.cors.try_borrow_mut() {
            *cors = of_answer;
        }
    }

    /// Handles non-empty trailers. If the request was forwarded, the fields that the
    /// upstream must not accept from the client are removed.
    ///
    /// # Errors
    ///
    /// The host failed. The trailers must not continue.
    pub(super) fn trailers(
        &self,
        exchange: &impl HttpExchange,
        policies: &ActivePolicies,
    ) -> Result<(), HostError> {
        match self.state.get() {
            State::Pending => {
                self.has_trailers.set(true);
                Ok(())
            }
            State::Forwarded => strip_trailers(exchange, policies),
            State::Answered => Ok(()),
        }
    }

    /// Adds the CORS headers to a response. A response of the upstream also gets the nonce for
    /// the client.
    ///
    /// # Errors
    ///
    /// The host failed. Some headers may be missing.
    pub(super) fn decorate(
        &self,
        exchange: &impl HttpExchange,
        own: bool,
    ) -> Result<(), HostError> {
        let cors = self.cors.try_borrow().map_err(|_| HostError::NotAsked)?;
        let nonce = self.nonce.try_borrow().map_err(|_| HostError::NotAsked)?;
        // An answer of the filter has its nonce already.
        let nonce = nonce.as_ref().filter(|_| !own);
        if cors.is_none() && nonce.is_none() {
            return Ok(());
        }
        let response = exchange.headers(HeaderList::Response)?;
        if let Some(change) = nonce.and_then(|nonce| nonce.apply(response.iter())) {
            exchange.edit(HeaderList::Response, &change)?;
        }
        let Some(cors) = &*cors else {
            return Ok(());
        };
        edit(
            exchange,
            HeaderList::Response,
            &cors.apply(response.iter(), own),
        )
    }
}

/// Answers a request. If that fails, resets its stream.
pub(super) fn refuse(
    exchange: &impl HttpExchange,
    reply: &LocalReply,
    cors: Option<&ResponseCors>,
) {
    // A status out of range would end the connection without an answer.
    let is_final = (200..600).contains(&reply.status);
    if !is_final || exchange.reply(reply, cors).is_err() {
        // Nothing more can be done: the request stays paused.
        let _ = exchange.reset();
    }
}

/// Changes header fields. It stops at the first change that the host refuses.
fn edit(
    exchange: &impl HttpExchange,
    list: HeaderList,
    edits: &[HeaderEdit<'_>],
) -> Result<(), HostError> {
    edits.iter().try_for_each(|edit| exchange.edit(list, edit))
}

/// Removes from the request's trailers the client's copies of the headers that the filter
/// may set or that it checks. Some upstreams merge trailers into the headers.
fn strip_trailers(
    exchange: &impl HttpExchange,
    policies: &ActivePolicies,
) -> Result<(), HostError> {
    let trailers = exchange.headers(HeaderList::RequestTrailers)?;
    let names = trailers.iter().map(|(name, _)| name);
    for name in names.filter(|name| policies.removes_trailer(name)) {
        let removal = HeaderEdit::Remove(name.into());
        exchange.edit(HeaderList::RequestTrailers, &removal)?;
    }
    Ok(())
}

/// Publishes facts about the request to access logs and other filters. Access logs do not
/// escape them, so no value may have a control character. The configured texts have none,
/// and a subject that has one is omitted.
fn publish(
    exchange: &impl HttpExchange,
    policies: &ActivePolicies,
    answer: &Answer,
    reason: Reason,
    subject: Option<&str>,
) -> Result<(), HostError> {
    for entry in policies.filter_state() {
        let value = match entry {
            FilterState::Subject => subject,
            FilterState::Issuer => answer.facts.issuer.as_deref(),
            FilterState::Provider => answer.facts.provider.as_deref(),
            FilterState::Route => answer.facts.route.as_deref(),
            FilterState::Reason => Some(reason.name()),
        };
        if let Some(value) = value {
            exchange.set_filter_state(entry, value)?;
        }
    }
    Ok(())
}
