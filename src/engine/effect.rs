//! What the engine wants done.

use super::fetch::FetchCall;
use crate::authz::{Facts, Forward};
use crate::http::LocalReply;
use crate::telemetry::{Event, Measurement, Reason};

/// Names a request for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// Something to be done.
#[derive(Debug)]
pub enum Effect {
    /// A request is decided. It is emitted exactly once for each request.
    Answer(Box<Answer>),
    /// A request goes to an issuer. The host tells [`super::Engine::fetched`] how
    /// it ends, also when it could not be sent.
    Fetch(FetchCall),
    /// Something is counted.
    Measure(Measurement),
    /// A line for the log.
    Log(Event),
}

/// How a request was decided.
#[derive(Debug)]
pub struct Answer {
    /// The request.
    pub stream: StreamId,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What is known of it.
    pub facts: Facts,
}

/// What happens to a decided request.
#[derive(Debug)]
pub enum Action {
    /// It goes on to the upstream, changed so.
    Forward(Forward),
    /// It is answered here.
    Reply(LocalReply),
}
