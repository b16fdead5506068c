//! The ticks that a host is asked for.

use std::cell::Cell;
use std::time::Duration;

use super::Host;

/// As soon as the host can.
const AT_ONCE: Duration = Duration::from_millis(1);

/// The ticks that were asked for. Drivers of one host context share them: the one
/// in force, and those that it has superseded.
#[derive(Debug, Default)]
pub struct Ticks {
    /// How far apart they are. None before the first successful question.
    period: Cell<Option<Duration>>,
    /// A superseded driver needs them at once, whatever the other asks for.
    hurried: Cell<bool>,
}

impl Ticks {
    /// Asks for ticks so far apart. Where the host fails they stay as they are.
    pub fn ask(&self, host: &impl Host, period: Duration) {
        let period = if self.hurried.get() { AT_ONCE } else { period };
        if self.period.get() != Some(period) && host.set_tick_period(period).is_ok() {
            self.period.set(Some(period));
        }
    }

    /// Asks for the next tick as soon as possible.
    pub fn ask_at_once(&self, host: &impl Host) {
        self.ask(host, AT_ONCE);
    }

    /// From now on, or no longer, ticks come as fast as possible.
    pub fn hurry(&self, host: &impl Host, hurried: bool) {
        self.hurried.set(hurried);
        if hurried {
            self.ask_at_once(host);
        }
    }

    /// Whether there are ticks at all.
    #[must_use]
    pub const fn are_coming(&self) -> bool {
        self.period.get().is_some()
    }
}
