//! The ticks of a root context.

use std::cell::Cell;
use std::time::Duration;

use super::host;

/// As soon as the host can.
const AT_ONCE: Duration = Duration::from_millis(1);

/// The ticks that a root context has asked for. Its listeners share them: the one
/// in force, and those that it has superseded.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    /// How far apart they are. None before the first successful question.
    period: Cell<Option<Duration>>,
    /// A superseded listener needs them at once, whatever the other asks for.
    hurried: Cell<bool>,
}

impl Ticks {
    /// Asks for ticks so far apart. Where the host fails they stay as they are.
    pub(super) fn ask(&self, period: Duration) {
        let period = if self.hurried.get() { AT_ONCE } else { period };
        if self.period.get() != Some(period) && host::set_tick_period(period).is_ok() {
            self.period.set(Some(period));
        }
    }

    /// Asks for the next tick as soon as possible.
    pub(super) fn ask_at_once(&self) {
        self.ask(AT_ONCE);
    }

    /// From now on, or no longer, ticks come as fast as possible.
    pub(super) fn hurry(&self, hurried: bool) {
        self.hurried.set(hurried);
        if hurried {
            self.ask_at_once();
        }
    }

    /// Whether there are ticks at all.
    pub(super) const fn are_coming(&self) -> bool {
        self.period.get().is_some()
    }
}
