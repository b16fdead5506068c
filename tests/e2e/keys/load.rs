//! A load of valid requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::private;
use crate::support::http1::Connection;

/// The answers to a load.
pub(super) struct Seen {
    pub(super) statuses: BTreeMap<u16, usize>,
    /// The 99th percentile of the durations.
    pub(super) nearly_longest: Duration,
}

impl Seen {
    #[track_caller]
    pub(super) fn all_are(&self, status: u16) {
        assert!(self.statuses.len() == 1, "{:?}", self.statuses);
        assert!(self.statuses[&status] > 100, "{:?}", self.statuses);
    }
}

/// Sends the tokens in turn, on connections that carry several requests each, for as long
/// as `during` runs.
pub(super) fn under_load(
    to: SocketAddr,
    tokens: &RwLock<Vec<String>>,
    during: impl FnOnce(),
) -> Seen {
    /// Ends the load when `during` ends, even if it panics.
    struct Ends<'a>(&'a AtomicBool);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let ended = AtomicBool::new(false);
    let mut took = Vec::new();
    let mut statuses = BTreeMap::new();
    thread::scope(|scope| {
        let end = Ends(&ended);
        let load = || {
            let mut seen = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let mut connection = Connection::open(to).expect("a connection");
                for number in 0..20 {
                    let token = {
                        let tokens = tokens.read().unwrap();
                        tokens[number % tokens.len()].clone()
                    };
                    let start = Instant::now();
                    let answer = connection.exchange(&private(&token)).expect("an answer");
                    seen.push((answer.status, start.elapsed()));
                    thread::sleep(Duration::from_millis(5));
                }
            }
            seen
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        during();
        drop(end);
        for thread in threads {
            for (status, time) in thread.join().expect("answers") {
                *statuses.entry(status).or_default() += 1;
                took.push(time);
            }
        }
    });
    took.sort();
    let nearly_longest = took[took.len() * 99 / 100];
    Seen {
        statuses,
        nearly_longest,
    }
}
