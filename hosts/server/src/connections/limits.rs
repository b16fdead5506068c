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
/// The maximum number of requests of an HTTP/2 connection that the proxy has reset, and that
/// are not yet handled. Above it, the connection is closed, with the requests of all clients.
/// A proxy passes on that its clients leave, and a client of the proxy can begin and reset
/// hundreds of requests in one packet. So they are as many as can be open.
pub(super) const MAX_RESETS: usize = 10_000;
/// The maximum number of malformed requests of an HTTP/2 connection in its whole life, after
/// which it is closed, too. Envoy passes on paths and hosts that are malformed here. It must
/// renew its connection before (`max_requests_per_connection`).
pub(super) const MAX_MALFORMED: usize = 100_000;
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
