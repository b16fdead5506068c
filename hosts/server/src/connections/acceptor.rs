//! Accepts connections and gives each to a thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edge_authz::telemetry::Level;
use edge_authz_native::locked;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time;

use super::Peers;
use crate::observation::Log;

/// The maximum number of connections that a thread has not taken yet.
const MAX_UNTAKEN: usize = 1024;
/// The pause after the system has refused a connection, for example because there are too
/// many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection for a thread.
#[derive(Debug)]
pub struct Accepted {
    /// The connection, which no runtime knows yet.
    pub stream: std::net::TcpStream,
    /// The index of the front end that serves it.
    pub front_end: usize,
    /// Is free when the connection ends.
    pub place: Taken,
}

/// The place of a connection among those of its thread and of the process.
#[derive(Debug)]
pub struct Taken {
    open: Arc<AtomicUsize>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The threads that serve connections.
#[derive(Clone, Debug)]
pub struct Threads {
    all: Arc<[OfThread]>,
    places: Arc<Semaphore>,
}

#[derive(Debug)]
struct OfThread {
    /// `None` if the thread gets no more connections.
    sender: Mutex<Option<mpsc::Sender<Accepted>>>,
    open: Arc<AtomicUsize>,
}

impl Threads {
    /// Prepares the given number of threads for this number of connections. Also returns
    /// where each thread receives its connections.
    #[must_use]
    pub fn new(threads: usize, connections: usize) -> (Self, Vec<mpsc::Receiver<Accepted>>) {
        let channels = std::iter::repeat_with(|| mpsc::channel(MAX_UNTAKEN));
        let (senders, receivers): (Vec<_>, Vec<_>) = channels.take(threads).unzip();
        let all = senders.into_iter().map(|sender| OfThread {
            sender: Mutex::new(Some(sender)),
            open: Arc::default(),
        });
        let threads = Self {
            all: all.collect(),
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
        };
        (threads, receivers)
    }

    /// The number of open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        let open = self.all.iter().map(|of| of.open.load(Ordering::Relaxed));
        open.fold(0, usize::saturating_add)
    }

    /// Ends the queues of connections. The threads end when they have answered their
    /// requests.
    pub fn close(&self) {
        for of in &*self.all {
            *locked(&of.sender) = None;
        }
    }

    /// Gives a connection to the thread with the fewest, and waits while that thread has too
    /// many to take. Further ones wait in the system's queue.
    async fn give(&self, stream: TcpStream, front_end: usize, permit: OwnedSemaphorePermit) {
        let fewest = self
            .all
            .iter()
            .min_by_key(|of| of.open.load(Ordering::Relaxed));
        let Some(of) = fewest else { return };
        let Ok(stream) = stream.into_std() else {
            return;
        };
        of.open.fetch_add(1, Ordering::Relaxed);
        let place = Taken {
            open: Arc::clone(&of.open),
            _permit: permit,
        };
        let accepted = Accepted {
            stream,
            front_end,
            place,
        };
        let sender = locked(&of.sender).clone();
        if let Some(sender) = sender {
            // If the thread has ended, the connection is closed.
            let _ = sender.send(accepted).await;
        }
    }
}

/// Accepts the connections of one address.
#[derive(Debug)]
pub struct Acceptor {
    /// The address.
    pub listener: TcpListener,
    /// The index of the front end that serves the connections.
    pub front_end: usize,
    /// Who may connect.
    pub peers: Peers,
    /// The threads.
    pub threads: Threads,
    /// The log.
    pub log: Arc<Log>,
}

impl Acceptor {
    /// Accepts connections until the future is dropped.
    pub async fn run(self) {
        loop {
            let places = Arc::clone(&self.threads.places);
            // It is never closed.
            let Ok(permit) = places.acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) if self.peers.contains(peer.ip()) => {
                    let _ = stream.set_nodelay(true);
                    self.threads.give(stream, self.front_end, permit).await;
                }
                Ok((_, peer)) => {
                    let line = format!(
                        "a connection from {} was closed; if it is a proxy, add its network to \
                         --trusted-peers",
                        peer.ip()
                    );
                    self.log.warn_seldom(&line);
                }
                Err(error) => {
                    let line = format!("the system refuses a connection: {error}");
                    self.log.write(Level::Error, &line);
                    time::sleep(PAUSE).await;
                }
            }
        }
    }
}
