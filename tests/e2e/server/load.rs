//! Clients that send requests all the time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::http::Request;
use crate::support::http1::Connection;

/// The number of clients.
const CLIENTS: usize = 6;

/// Sends these requests for as long as `during` runs, and returns the number of answers by
/// status. A request without an answer ends the test.
pub(super) fn under_load(
    to: SocketAddr,
    next: impl Fn(usize) -> Request + Sync,
    during: impl FnOnce(),
) -> BTreeMap<u16, usize> {
    /// Ends the load when `during` ends, even if it panics.
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let ended = AtomicBool::new(false);
    let mut statuses = BTreeMap::new();
    thread::scope(|scope| {
        let end = Ends(&ended);
        let client = || {
            let mut seen = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let mut connection = Connection::open(to).expect("a connection");
                for _ in 0..20 {
                    let answer = connection.exchange(&next(seen.len()));
                    seen.push(answer.expect("an answer").status);
                    thread::sleep(Duration::from_millis(4));
                }
            }
            seen
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        during();
        drop(end);
        for client in clients {
            for status in client.join().expect("answers") {
                *statuses.entry(status).or_default() += 1;
            }
        }
    });
    statuses
}
