//! The host's functions as this filter uses them: they take bytes and return a `Result`.
//!
//! Only this module calls the host. The SDK's own wrappers panic on a status that they do
//! not expect and on bytes that are not UTF-8, and a panic ends the filter of the whole
//! worker. Here a status is a value.

#![expect(
    unsafe_code,
    reason = "the ABI is a foreign one; every pointer handed out is argued where it is"
)]

mod abi;
#[cfg(any(target_family = "wasm", test))]
mod memcmp;
mod pairs;
mod shared_data;
mod signatures;

use std::ptr;
use std::time::Duration;

use proxy_wasm::types::Status;
pub(super) use shared_data::SharedEntries;
pub(super) use signatures::Signatures;

use edge_authz::engine::NoRandomness;
use edge_authz::host::{HostError, certificate_digest};
use edge_authz::http::{HeaderMap, LocalReply, SafeText};
use edge_authz::telemetry::{Level, MetricKind, NotSent};
use edge_authz::time::UnixTime;

fn check(status: u32) -> Result<(), HostError> {
    match status {
        0 => Ok(()),
        1 => Err(HostError::NotFound),
        8 => Err(HostError::Changed),
        // Envoy answers 10 for functions that `capability_restriction_config` leaves out.
        10 | 12 => Err(HostError::NoFunction),
        status => Err(HostError::Refused(status)),
    }
}

/// Takes ownership of the data that a call returns.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, HostError> {
    let mut data: *mut u8 = ptr::null_mut();
    let mut size: usize = 0;
    check(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        // A host need not allocate memory for empty data.
        return if size == 0 {
            Ok(Vec::new())
        } else {
            Err(HostError::Malformed)
        };
    }
    if isize::try_from(size).is_err() {
        return Err(HostError::Malformed);
    }
    // SAFETY: the ABI has the host return data in memory that it got from this
    // module's exported `malloc(size)` or `proxy_on_memory_allocate(size)`, once
    // for each call, and leaves it to the caller. The SDK's implementation of the
    // latter gives away a boxed slice of `size` bytes, and the target's allocator
    // takes blocks of small alignment from `malloc` and gives them to `free`, so
    // that either is a boxed slice; this takes it back, after the host has written
    // all of it. For a size of 0 that pointer dangles, as it may.
    let bytes = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, size)) };
    Ok(bytes.into_vec())
}

/// The time of day.
pub(super) fn now() -> Result<UnixTime, HostError> {
    let mut nanos: u64 = 0;
    // SAFETY: the host writes one number where `nanos` is.
    check(unsafe { abi::proxy_get_current_time_nanoseconds(&raw mut nanos) })?;
    Ok(UnixTime::from_nanos(i128::from(nanos)))
}

/// Fills a secret with random bytes. Envoy takes them from the generator of `BoringSSL`. It answers
/// with an error number of WASI if `capability_restriction_config` leaves the function out.
pub(super) fn random(secret: &mut [u8; 32]) -> Result<(), NoRandomness> {
    // SAFETY: the host writes as many bytes as `secret` has.
    match unsafe { abi::random_get(secret.as_mut_ptr(), secret.len()) } {
        0 => Ok(()),
        _ => Err(NoRandomness),
    }
}

/// Requests ticks of the root context, which never stop. The period is at least 1 ms.
pub(super) fn set_tick_period(period: Duration) -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_set_tick_period_milliseconds(millis(period)) })
}

/// The duration in whole milliseconds. It is never 0, which means "never" to the host.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis())
        .unwrap_or(u32::MAX)
        .max(1)
}

/// Selects another context for the host calls that follow in this callback.
pub(super) fn set_effective_context(id: u32) -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_set_effective_context(id) })
}

/// The numbers of the levels in the ABI. The host's levels "critical" and "off" are above
/// all of ours.
const fn number(level: Level) -> u32 {
    match level {
        Level::Debug => 1,
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    }
}

/// Writes a line to the log. A failure has no effect.
pub(super) fn log(level: Level, text: &str) {
    // SAFETY: the host reads the text during the call.
    let _ = unsafe { abi::proxy_log(number(level), text.as_ptr(), text.len()) };
}

/// The lowest level that the host logs; `None` if it is above all of ours.
pub(super) fn log_level() -> Result<Option<Level>, HostError> {
    let mut level: u32 = 0;
    // SAFETY: the host writes one number where `level` is.
    check(unsafe { abi::proxy_get_log_level(&raw mut level) })?;
    let all = [Level::Debug, Level::Info, Level::Warn, Level::Error];
    Ok(all.into_iter().find(|known| number(*known) >= level))
}

/// A host's buffer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Buffer {
    AnswerBody,
    Configuration,
}

/// A whole buffer of `size` bytes. A partial buffer is an error.
pub(super) fn buffer(buffer: Buffer, size: usize) -> Result<Vec<u8>, HostError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    let id = match buffer {
        Buffer::AnswerBody => 4,
        Buffer::Configuration => 7,
    };
    // SAFETY: the pointers are `returned`'s, valid during the call.
    let bytes = returned(|data, data_size| unsafe {
        abi::proxy_get_buffer_bytes(id, 0, size, data, data_size)
    })?;
    if bytes.len() == size {
        Ok(bytes)
    } else {
        Err(HostError::Malformed)
    }
}

/// A list of header fields that the host holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Map {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    AnswerHeaders,
}

impl Map {
    const fn id(self) -> u32 {
        match self {
            Self::RequestHeaders => 0,
            Self::RequestTrailers => 1,
            Self::ResponseHeaders => 2,
            Self::AnswerHeaders => 6,
        }
    }
}

/// All fields of a non-empty list. The callback reports an empty list, and then this is
/// not called. So an empty result is an error.
pub(super) fn headers(map: Map) -> Result<HeaderMap, HostError> {
    // SAFETY: the pointers are `returned`'s, valid during the call.
    let bytes =
        returned(|data, size| unsafe { abi::proxy_get_header_map_pairs(map.id(), data, size) })?;
    let map = pairs::parse(bytes).ok_or(HostError::Malformed)?;
    if map.iter().next().is_none() {
        return Err(HostError::Malformed);
    }
    Ok(map)
}

/// Replaces every line with this name by one.
pub(super) fn set_header(map: Map, name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        abi::proxy_replace_header_map_value(
            map.id(),
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Adds a line, whether or not the name already has one.
pub(super) fn add_header(map: Map, name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        abi::proxy_add_header_map_value(
            map.id(),
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    })
}

/// Removes every line with this name.
pub(super) fn remove_header(map: Map, name: &[u8]) -> Result<(), HostError> {
    // SAFETY: the host reads the name during the call.
    check(unsafe { abi::proxy_remove_header_map_value(map.id(), name.as_ptr(), name.len()) })
}

/// The number of the request direction of a stream.
const REQUEST: u32 = 0;

/// Resumes a paused request. No part of it may be read afterwards.
pub(super) fn continue_request() -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_continue_stream(REQUEST) })
}

/// Resets the request's stream. This is the last resort if no answer can be sent.
pub(super) fn reset_request() -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_close_stream(REQUEST) })
}

/// Answers the request.
pub(super) fn reply(reply: &LocalReply) -> Result<(), HostError> {
    let fields = reply
        .headers
        .iter()
        .map(|(name, value)| (*name, SafeText::as_str(value)));
    let headers = pairs::encode(fields).ok_or(HostError::NotAsked)?;
    // SAFETY: the host reads details, body and headers during the call.
    check(unsafe {
        abi::proxy_send_local_response(
            u32::from(reply.status),
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            // This is not a gRPC status: for a gRPC request the host derives one from the
            // HTTP status.
            -1,
        )
    })
}

/// The identity of the plugin in the proxy's configuration: its name and its root id.
/// Empty if the host does not report it.
pub(super) fn plugin() -> Vec<u8> {
    let names = ["plugin_name", "plugin_root_id"];
    let known = names.map(|name| property(name).unwrap_or_default());
    known.join(&0)
}

fn property(name: &str) -> Result<Vec<u8>, HostError> {
    // SAFETY: the host reads the name during the call; the pointers for the
    // value are `returned`'s.
    returned(|data, size| unsafe { abi::proxy_get_property(name.as_ptr(), name.len(), data, size) })
}

/// The SHA-256 of the verified client certificate of the connection; `None` if the client
/// presented none.
pub(super) fn client_certificate_digest() -> Result<Option<[u8; 32]>, HostError> {
    match property("connection\0sha256_peer_certificate_digest") {
        Ok(digits) => certificate_digest(&digits),
        Err(HostError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets an entry of the stream's filter state. Envoy calls it `wasm.<name>`.
pub(super) fn set_filter_state(name: &str, value: &str) -> Result<(), HostError> {
    // SAFETY: the host reads name and value during the call.
    check(unsafe {
        abi::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Defines a metric, or finds an existing one. The host never frees it.
pub(super) fn define_metric(kind: MetricKind, name: &str) -> Result<u32, HostError> {
    let kind = match kind {
        MetricKind::Counter => 0,
        MetricKind::Gauge => 1,
    };
    let mut id: u32 = 0;
    // SAFETY: the host reads the name and writes one number where `id` is.
    check(unsafe { abi::proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(id)
}

/// Sets a gauge.
pub(super) fn record_metric(id: u32, value: u64) -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_record_metric(id, value) })
}

/// Adds to a counter or a gauge.
pub(super) fn increment_metric(id: u32, offset: i64) -> Result<(), HostError> {
    // SAFETY: no pointers.
    check(unsafe { abi::proxy_increment_metric(id, offset) })
}

/// Calls a function that only some hosts have.
fn foreign(name: &str, arguments: &[u8]) -> Result<Vec<u8>, HostError> {
    // SAFETY: the host reads name and arguments during the call; the pointers
    // for the result are `returned`'s.
    returned(|data, size| unsafe {
        abi::proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}

/// Sends a GET to a cluster, on behalf of the root context, and returns the id of the
/// call, which the answer will have.
///
/// This one call has to go through the SDK. Otherwise the SDK would not know the id of
/// the answer and would panic. The SDK returns the statuses 2 and 10, which are those
/// that hosts use, as errors. When the answer arrives, the SDK makes the root the
/// effective context and panics if that fails. So nothing is sent if the host does not
/// allow that.
pub(super) fn get(
    root: u32,
    cluster: &str,
    headers: Vec<(&str, &str)>,
    timeout: Duration,
) -> Result<u32, NotSent> {
    set_effective_context(root).map_err(|_| NotSent::Refused)?;
    let timeout = Duration::from_millis(millis(timeout).into());
    proxy_wasm::hostcalls::dispatch_http_call(cluster, headers, None, Vec::new(), timeout)
        .map_err(not_sent)
}

/// Envoy's statuses for an unknown cluster, and for a cluster without an available host.
fn not_sent(status: Status) -> NotSent {
    if status == Status::BadArgument {
        NotSent::UnknownCluster
    } else if status == Status::InternalFailure {
        NotSent::NoHost
    } else {
        NotSent::Refused
    }
}
