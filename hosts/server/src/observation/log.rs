//! The lines of the process's log and access log.

use std::io::{self, Write};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use edge_authz::telemetry::Level;
use edge_authz_native::clock;

/// The maximum number of lines that wait to be written.
const MAX_LINES: usize = 8192;

/// The time between two warnings that requests cause, in seconds.
const SELDOM: i64 = 10;

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The lowest level that is logged; `None` if nothing is.
    pub least: Option<Level>,
    /// Whether each decision is written to the access log.
    pub access: bool,
}

/// Writes lines on a thread of its own, because the reader of the process's output may be
/// slow. If too many lines wait, further ones are dropped and counted.
#[derive(Debug)]
pub struct Log {
    format: Format,
    lines: Option<SyncSender<Line>>,
    dropped: AtomicU64,
    /// When a warning was last written that requests cause, in seconds since 1970.
    latest_seldom: AtomicI64,
}

#[derive(Debug)]
enum Line {
    /// A line of the access log, for the standard output.
    Access(Vec<u8>),
    /// A line of the log, for the standard error.
    Log(Vec<u8>),
    /// Everything before it is written when the sender's other end is gone.
    Flush(SyncSender<()>),
}

impl Log {
    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// The system cannot start a thread.
    pub fn start(format: Format) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_LINES);
        let builder = thread::Builder::new().name("log".to_owned());
        builder.spawn(move || write(&receiver))?;
        Ok(Self {
            format,
            lines: Some(sender),
            dropped: AtomicU64::new(0),
            latest_seldom: AtomicI64::new(0),
        })
    }

    /// Writes nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            format: Format {
                least: None,
                access: false,
            },
            lines: None,
            dropped: AtomicU64::new(0),
            latest_seldom: AtomicI64::new(0),
        }
    }

    /// The lowest level that is logged.
    #[must_use]
    pub const fn least(&self) -> Option<Level> {
        self.format.least
    }

    /// Whether each decision is written to the access log.
    #[must_use]
    pub const fn has_access(&self) -> bool {
        self.format.access
    }

    /// The number of lines that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Writes a line to the log, if its level is logged.
    pub fn write(&self, level: Level, line: &str) {
        if self.format.least.is_none_or(|least| level < least) {
            return;
        }
        let word = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warning",
            Level::Error => "error",
        };
        self.send(Line::Log(format!("{word}: {line}\n").into_bytes()));
    }

    /// Writes a warning, but not more than one in ten seconds, because each request may cause
    /// one.
    pub fn warn_seldom(&self, line: &str) {
        let Some(now) = clock::now() else { return };
        let now = now.as_secs();
        let latest = self.latest_seldom.load(Ordering::Relaxed);
        if now.saturating_sub(latest) < SELDOM && now >= latest {
            return;
        }
        let is_first =
            self.latest_seldom
                .compare_exchange(latest, now, Ordering::Relaxed, Ordering::Relaxed);
        if is_first.is_ok() {
            self.write(Level::Warn, line);
        }
    }

    /// Writes a line to the access log. It ends with a line feed.
    pub fn write_access(&self, line: Vec<u8>) {
        self.send(Line::Access(line));
    }

    fn send(&self, line: Line) {
        let Some(lines) = &self.lines else { return };
        if let Err(TrySendError::Full(_)) = lines.try_send(line) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all lines so far are written.
    pub fn flush(&self) {
        let Some(lines) = &self.lines else { return };
        let (sender, written) = sync_channel(0);
        if lines.send(Line::Flush(sender)).is_ok() {
            // The thread drops its end.
            let _ = written.recv();
        }
    }
}

fn write(lines: &Receiver<Line>) {
    let mut access = io::BufWriter::with_capacity(64 * 1024, io::stdout());
    let mut next = None;
    while let Some(line) = next.take().or_else(|| lines.recv().ok()) {
        // Nobody could be told that a line was not written.
        let _ = match line {
            Line::Access(text) => access.write_all(&text),
            Line::Log(text) => io::stderr().write_all(&text),
            Line::Flush(done) => {
                drop(done);
                access.flush()
            }
        };
        next = lines.try_recv().ok();
        if next.is_none() {
            let _ = access.flush();
        }
    }
}
