//! The core's port, implemented by the proxy-wasm host.

use std::time::Duration;

use super::host::{self, Buffer, Map, SharedEntries, Signatures};
use edge_authz::cors::ResponseCors;
use edge_authz::crypto::HostSignatures;
use edge_authz::engine::{FetchCall, NoRandomness, SharedData, StreamId};
use edge_authz::host::{Driver, HeaderList, Host, HostError, HttpExchange, Reporting};
use edge_authz::http::{HeaderEdit, HeaderMap, LocalReply};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::telemetry::{Change, FilterState, Level, Metric, NotSent};
use edge_authz::time::UnixTime;

/// One configuration of one listener, active in this worker.
pub(super) type Listener = Driver<Wasm>;

/// The host, called from a root context.
#[derive(Debug)]
pub(super) struct Wasm {
    root: u32,
    signatures: Signatures,
}

impl Wasm {
    pub(super) fn new(root: u32) -> Self {
        Self {
            root,
            signatures: Signatures::default(),
        }
    }
}

impl Reporting for Wasm {
    type MetricId = u32;

    fn log_level(&self) -> Result<Option<Level>, HostError> {
        host::log_level()
    }

    fn log(&self, level: Level, line: &str) {
        host::log(level, line);
    }

    fn define_metric(&self, metric: &Metric) -> Result<u32, HostError> {
        host::define_metric(metric.kind(), &metric.name())
    }

    fn change_metric(&self, id: u32, change: Change) -> Result<(), HostError> {
        match change {
            Change::Add(offset) => host::increment_metric(id, offset),
            Change::Set(value) => host::record_metric(id, value),
        }
    }
}

impl Host for Wasm {
    type Exchange = Current;
    type CallId = u32;

    fn now(&self) -> Result<UnixTime, HostError> {
        host::now()
    }

    fn random(secret: &mut [u8; 32]) -> Result<(), NoRandomness> {
        host::random(secret)
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
        host::set_tick_period(period)
    }

    fn send(&self, call: &FetchCall) -> Result<u32, NotSent> {
        host::get(self.root, &call.cluster, call.headers(), call.timeout)
    }

    fn shared_data(&self) -> &dyn SharedData {
        &SharedEntries
    }

    fn signatures(&self) -> &dyn HostSignatures {
        &self.signatures
    }

    /// The call comes from the root context, which becomes the effective one again
    /// afterwards.
    fn with_waiting(
        &self,
        StreamId(stream): StreamId,
        act: &mut dyn FnMut(&Current),
    ) -> Result<(), HostError> {
        host::set_effective_context(stream)?;
        act(&Current);
        let _ = host::set_effective_context(self.root);
        Ok(())
    }
}

/// The request that host calls currently apply to: the request of the callback, or the
/// one that was made the effective context.
#[derive(Debug)]
pub(super) struct Current;

impl HttpExchange for Current {
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError> {
        host::headers(list.into())
    }

    fn edit(&self, list: HeaderList, edit: &HeaderEdit<'_>) -> Result<(), HostError> {
        let map = list.into();
        match edit {
            HeaderEdit::Remove(name) => host::remove_header(map, name),
            HeaderEdit::Set(name, value) => host::set_header(map, name, value),
            HeaderEdit::Add(name, value) => host::add_header(map, name, value),
        }
    }

    fn resume(&self) -> Result<(), HostError> {
        host::continue_request()
    }

    /// The host passes the answer's headers to the response callback, which adds the CORS
    /// headers.
    fn reply(&self, reply: &LocalReply, _: Option<&ResponseCors>) -> Result<(), HostError> {
        host::reply(reply)
    }

    fn reset(&self) -> Result<(), HostError> {
        host::reset_request()
    }

    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError> {
        host::set_filter_state(entry.name(), value)
    }

    fn client_certificate_digest(&self) -> Result<Option<[u8; 32]>, HostError> {
        host::client_certificate_digest()
    }
}

impl From<HeaderList> for Map {
    fn from(list: HeaderList) -> Self {
        match list {
            HeaderList::Request => Self::RequestHeaders,
            HeaderList::RequestTrailers => Self::RequestTrailers,
            HeaderList::Response => Self::ResponseHeaders,
        }
    }
}

/// The head of the answer in the current callback.
///
/// # Errors
///
/// The host failed. An answer without fields means that no answer arrived. Nothing of it
/// can be read, and reading would fail.
pub(super) fn answer_head(fields: usize, body_size: usize) -> Result<AnswerHead, HostError> {
    if fields == 0 {
        return Ok(AnswerHead::default());
    }
    let headers = host::headers(Map::AnswerHeaders)?;
    Ok(AnswerHead::read(&headers, body_size))
}

/// The body of the answer in the current callback.
pub(super) fn answer_body(size: usize) -> Option<Vec<u8>> {
    host::buffer(Buffer::AnswerBody, size).ok()
}
