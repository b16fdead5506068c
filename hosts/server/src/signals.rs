//! The signals of the system.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the server handles.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What the server is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// SIGTERM: stop after a drain.
    Stop,
    /// SIGINT, from a terminal: stop.
    StopAtOnce,
    /// SIGHUP: read the configuration again.
    Reload,
}

impl Signals {
    /// Handles the signals from now on.
    ///
    /// # Errors
    ///
    /// The system does not allow it.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::StopAtOnce,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}
