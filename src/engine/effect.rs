//! What the engine wants done.

use std::sync::Arc;

use super::fetch::FetchCall;
use crate::authz::Forward;
use crate::cors::{PreflightFault, ResponseCors};
use crate::http::LocalReply;
use crate::telemetry::{Event, Measurement, Reason};

/// Names a request for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// Something to be done.
#[derive(Debug)]
pub enum Effect {
    /// A request is decided: for good, once.
    Answer(Box<Answer>),
    /// A request goes to an issuer; how it ends is told to
    /// [`super::Engine::fetched`], also when it could not be sent.
    Fetch(FetchCall),
    /// Something is counted.
    Measure(Measurement),
    /// Something is worth a line in the log.
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
    /// The route that it reached, as configured.
    pub route: Option<Arc<str>>,
    /// The provider of its token, where one took part.
    pub provider: Option<Arc<str>>,
    /// The issuer of its token, where it was good.
    pub issuer: Option<Arc<str>>,
    /// What CORS does to the answer that the client gets.
    pub cors: Option<ResponseCors>,
    /// What it asked for in vain, if it is a preflight.
    pub preflight: Vec<PreflightFault>,
}

/// What happens to a decided request.
#[derive(Debug)]
pub enum Action {
    /// It goes on to the upstream, changed so.
    Forward(Forward),
    /// It is answered here.
    Reply(LocalReply),
}
