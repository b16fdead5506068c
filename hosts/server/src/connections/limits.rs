//! The limits of connections.

use std::time::Duration;

/// The maximum size of a request's header fields, in bytes. It is larger than the 60 KiB
/// that Envoy accepts by default.
pub(super) const MAX_HEAD_BYTES: usize = 96 * 1024;
/// The maximum number of a request's header fields over HTTP/1.1.
pub(super) const MAX_FIELDS: usize = 256;
/// The maximum number of concurrent requests of an HTTP/2 connection. A proxy has one
/// connection for each of its threads, with all requests of the thread.
pub(super) const MAX_STREAMS: u32 = 10_000;
/// The maximum number of requests of an HTTP/2 connection that the client has reset, and that
/// are not yet handled.
pub(super) const MAX_RESETS: usize = 100;
/// The pause between two pings of an HTTP/2 connection, and how long its answer may take.
pub(super) const PING: Duration = Duration::from_secs(20);

/// The limits that an operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The maximum number of connections. Further ones wait in the system's queue.
    pub connections: usize,
    /// How long a client may take for the header of a request, which includes the time
    /// between two requests.
    pub idle: Duration,
}

impl Default for Limits {
    /// The idle time is longer than that of nginx, Envoy's connections have none, and
    /// haproxy's is shorter.
    fn default() -> Self {
        Self {
            connections: 10_000,
            idle: Duration::from_secs(75),
        }
    }
}
